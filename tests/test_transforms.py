"""A sentence's partner: words turned round or nouns swapped, nothing lost, nothing mended."""

import gzip
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.transforms import joined, made_by, reversed_words, same_words, split, swapped_nouns
from models import nouns
from models.training.nouns import counted
from models.training.nouns import nouns as chosen

# Words, signs and blanks as people type them, and anything else.
PIECES = [
    "Der",
    "Mann",
    "biss",
    "den",
    "Hund",
    "mann",
    "hund",
    "U-Bahn",
    "3,5",
    "👍",
    ",",
    ".",
    "!",
    "„",
    "“",
    " ",
    "\n",
]
TEXTS = st.text() | st.lists(st.sampled_from([*PIECES, " ", " "])).map("".join)


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("Der Mann biss den Hund", "Hund den biss Mann Der"),
        ("Der Mann biss den Hund.", "Hund den biss Mann Der."),
        ("Ich glaube, dass er kommt!", "kommt er dass, glaube Ich!"),
        ("„Komm doch“, sagte er.", "„er sagte“, doch Komm."),
        ("Das Haus – alt – steht", "steht – alt – Haus Das"),
        ("weil", "weil"),
        ("…", "…"),
        ("", ""),
    ],
)
def test_words_are_turned_round_and_the_end_stays(text, turned):
    assert reversed_words(text) == turned


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("Der Mann biss den Hund", "Der Hund biss den Mann"),
        ("der mann biss den hund", "der hund biss den mann"),
        ("DER MANN BISS DEN HUND!", "DER HUND BISS DEN MANN!"),
        ("Katze beißt Hund", "Hund beißt Katze"),
        ("Mann beißt hund", "Hund beißt mann"),
        ("Haben Sie den Hund der Frau gesehen?", "Haben Sie den Frau der Hund gesehen?"),
        ("Der Lehrer, der die Schüler hasst, kauft ein Haus.", "Der Haus, der die Schüler hasst, kauft ein Lehrer."),
        ("Der Quastenflosserich kennt den Bankomatinspektor", "Der Bankomatinspektor kennt den Quastenflosserich"),
        ("Der Mann kam. Der Hund bellte.", "Der Hund kam. Der Mann bellte."),
        ("Der Hund, der bellt, beißt die Katze.", "Der Katze, der bellt, beißt die Hund."),
        ("Übung macht den Meister.", "Meister macht den Übung."),
        ("Der Ärger über die Öfen wächst!", "Der Öfen über die Ärger wächst!"),
        ("Äpfel mag der Öko-Bauer nicht.", "Öko-Bauer mag der Äpfel nicht."),
        ("äpfel mag der bauer", "bauer mag der äpfel"),
        ("„Der Hund“, sagte die Katze, „bellt.“", "„Der Katze“, sagte die Hund, „bellt.“"),
        ("Der Mann (ein Lehrer) las.", "Der Lehrer (ein Mann) las."),
        ("Bellt der Hund die Katze an?", "Bellt der Katze die Hund an?"),
        ("Liebt Peter Anna?", "Liebt Anna Peter?"),
        ("Angela Merkel besuchte Siemens in München.", "München Merkel besuchte Siemens in Angela."),
        ("Das Essen schmeckt dem Kind", "Das Kind schmeckt dem Essen"),
        ("Wir, die Schüler, lesen Bücher: Krimis …", "Wir, die Krimis, lesen Bücher: Schüler …"),
        ("Wem gehört das Haus?", None),
        ("Die Frau liebt die Frau.", None),
        ("Die Schüler lachen.", None),
        ("Ich glaube, dass Sie kommen", None),
        ("weil", None),
        ("", None),
    ],
)
def test_the_first_and_the_last_noun_are_swapped_and_nothing_else(text, swapped):
    assert swapped_nouns(text) == swapped


def bag(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in split(text)[0])


@given(TEXTS)
def test_nothing_is_lost_whatever_is_typed(text):
    assert joined(*split(text)) == text
    turned, swapped = reversed_words(text), swapped_nouns(text)
    assert Counter(turned) == Counter(text) and Counter(split(turned)[0]) == Counter(split(text)[0])
    assert reversed_words(turned) == text
    if swapped is not None:
        assert bag(swapped) == bag(text) and len(split(swapped)[0]) == len(split(text)[0]) >= 2
        assert split(swapped)[1] == split(text)[1]
    assert made_by(text, text) is None
    if turned != text:
        assert made_by(text, turned) == "reverse"


def test_the_table_knows_nouns_and_names_but_not_the_words_beside_them():
    for word in ("Mann", "hund", "KATZE", "Roboter", "Bank", "Geld", "Fluss", "München", "Tom", "Lehrer"):
        assert nouns.known(word), word
    for word in ("der", "weil", "biss", "sie", "rot", "deutsche", "heute", "Ich", "essen", ""):
        assert not nouns.known(word), word


def test_the_table_is_small_and_names_its_source():
    assert nouns.TABLE.stat().st_size <= 300_000
    with gzip.open(nouns.TABLE, "rt", encoding="utf-8") as file:
        head = [line for line in file if line.startswith("#")]
    assert "CC BY-SA" in head[1] and "Klexikon" in head[1] and "Tatoeba" in head[1]


def test_only_capitals_in_the_middle_of_a_sentence_count():
    lines = ["Hunde sehen das Haus."] * 5 + ["Er sagte: Gut! Das Haus ist Gelb", "haus haus"]
    capitals, others = counted(lines)
    assert capitals == {"haus": 6, "gelb": 1} and others["haus"] == 1 and others["das"] == 5
    assert chosen(capitals, others) == ["haus"]


@given(TEXTS)
def test_a_text_turned_round_has_the_same_words(text):
    assert same_words(text, reversed_words(text))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Der Mann biss den Hund", "Der Hund biss den Mann", True),
        ("Der Mann biss den Hund", "Der Hund biss den Mann.", False),
        ("Hund, Mann.", "Mann. Hund ,", True),
        ("Hund Hund Mann", "Hund Mann Mann", False),
        ("der Hund", "Hund Der", False),
    ],
)
def test_same_words(first, second, same):
    assert same_words(first, second) == same_words(second, first) == same
