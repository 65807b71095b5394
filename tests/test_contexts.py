"""One word in two sentences: which words are shared, what the picture shows, and what is said where there is none."""

import re

import numpy as np
import pytest

from app import contexts
from app.address import read
from app.options import settled
from app.query import QueryError
from app.views.embedding_space import BANKS, VIEW
from models.run import perform


def drawn(text, vs, lang="de"):
    query = VIEW.query(lang=lang, text=text, vs=vs, show="contexts", model="word_vectors")
    traces = [perform(run) for run in query.runs()]
    return traces, VIEW.figure(settled(query, traces[0]), traces)


def words_of(text, vs):
    return [one.word for one in contexts.paired(drawn(text, vs)[0]).shared]


def test_the_standard_words_give_way_to_two_sentences_and_the_address_says_so():
    query = read(VIEW.query, b"show=contexts", "de")
    assert (query.text, query.vs) == BANKS and query.parameters()["vs"] == BANKS[1]
    assert read(VIEW.query, b"show=plane", "de").vs is None
    assert read(VIEW.query, b"show=contexts&vs=Eine+Maschine", "de").vs == "Eine Maschine"


def test_the_lines_are_the_cosines_of_the_encoders_states():
    traces, figure = drawn(*BANKS)
    assert [trace.model for trace in traces] == ["word_vectors", "word_vectors", "encoder", "encoder"]
    bank, ich, same, different = figure.plot.data
    assert (bank["name"], ich["name"]) == ("Bank", "Ich")
    rows = [row for row in figure.table.rows() if row[3] == "Bank" and row[1] == 1]
    assert [row[0] for row in rows] == ["word_vectors", *["encoder"] * 6]
    one, other = (trace.context.centred[-1, [t.text for t in trace.tokens].index("Bank")] for trace in traces[2:])
    expected = float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
    assert rows[-1][5] == pytest.approx(expected, abs=1e-6) and rows[0][5] == rows[1][5] == pytest.approx(1)
    told = " ".join(message.text("de") for message in figure.summary)
    assert f"nach Schicht 4 {expected:.2f}".replace(".", ",") in told and "Platz" in told
    assert [one.network for one in figure.marked][:3] == ["Wortvektor", "Eingabe", "mit Position"]
    assert len(figure.marked) == 7 and all(row[6] for row in rows)


def test_repeated_words_are_paired_in_order_and_each_once():
    traces, _ = drawn("Der Hund und der Hund und der Hund", "Ein Hund sieht den Hund")
    assert [(one.first, one.second) for one in contexts.paired(traces).shared] == [(2, 2), (5, 5)]


def test_pieces_and_signs_are_no_words():
    assert words_of("Die Hundehütte, der Hund!", "Das Hundefutter, der Hund!") == ["der", "Hund"]


def test_the_noun_that_changes_most_is_the_one_in_the_middle():
    traces, figure = drawn("Der Mann biss den Hund", "Der Hund biss den Mann")
    pair = contexts.paired(traces)
    last = dict(zip([one.word for one in pair.shared], pair.cosines[-1], strict=True))
    assert pair.shared[pair.main].word == min(("Mann", "Hund"), key=last.get)
    assert last["Mann"] < last["biss"] and figure.plot.data[0]["name"] == pair.shared[pair.main].word


def test_many_words_are_not_cut_silently():
    text = "Der Mann sieht heute den Hund und die Katze im Garten"
    _, figure = drawn(text, text + " nicht")
    assert sum(curve["mode"] == "lines+markers" for curve in figure.plot.data) == contexts.LINES
    assert re.search(r"5 der 11 gemeinsamen Wörter", figure.summary[-1].text("de"))
    assert len({row[3] for row in figure.table.rows()}) == 11


def test_the_same_sentence_twice_is_the_same_state():
    _, figure = drawn(BANKS[0], BANKS[0])
    assert figure.summary[0].key == "contexts.summary.equal"


def test_a_word_that_the_table_does_not_know_has_no_first_point():
    traces, figure = drawn("Der Xylozwirbel", "Ein Hund der bellt , Der")
    assert words_of("Der Xylozwirbel", "Ein Hund der bellt , Der") == ["Der"]
    assert figure.plot.data


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("show=contexts", 200, None),
        ("show=contexts&text=Der+Mann&vs=Eine+Frau", 422, "no_shared_word"),
        ("show=contexts&text=Der+Mann", 422, "no_second_sentence"),
        ("show=contexts&text=Der+Mann&vs=", 422, "empty_text"),
        ("show=contexts&text=!&vs=!", 422, "no_shared_word"),
        ("show=contexts&text=Hund&vs=Hund", 200, None),
    ],
)
def test_any_pair_is_drawn_or_told(client, lang, asked, status, code):
    answer = client.get(f"/{lang}/embedding_space.json?{asked}")
    assert answer.status_code == status and client.get(f"/{lang}/embedding_space?{asked}").status_code == status
    assert answer.json().get("error", {}).get("code") == code


def test_no_pair_raises_for_the_field_that_lacks_it():
    with pytest.raises(QueryError) as caught:
        drawn("Der Mann", "Eine Frau")
    assert caught.value.field == "vs"
