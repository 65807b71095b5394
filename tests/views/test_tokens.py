"""Tokens: ids and places as the tokenizer gives them, and lines between the same words of two sentences."""

import pytest

from app.query import settled
from app.views.tokens import VIEW, figure, matched, overlaps, typed
from models.run import perform
from models.tokenizer import tokenizer


def drawn(**stated):
    query = VIEW.query(**({"text": "Der Mann biss den Hund", "model": "encoder", "lang": "en"} | stated))
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, figure(query, traces)


def test_ids_and_offsets_are_those_of_the_tokenizer():
    text = "Quastenflosserkongress biss Hund"
    _, _, found = drawn(text=text)
    encoding = tokenizer().encode(text, add_special_tokens=False)
    rows = list(found.table.rows())
    assert rows[0][4:] == ("[CLS]", 2, 0, 0) and rows[-1][4:] == ("[SEP]", 3, len(text), len(text))
    expected = [
        (piece, id_, *span) for piece, id_, span in zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True)
    ]
    assert [row[4:] for row in rows[1:-1]] == expected
    assert len(found.plot.data[2]["text"]) == len(encoding.ids) + 2 and len(found.plot.data[1]["text"]) == 3
    joints = sum(piece.startswith("##") for piece in encoding.tokens)
    assert joints > 0 and f"(##) {joints}." in found.summary[0].text("en")


@pytest.mark.parametrize(
    ("text", "vs", "pairs"),
    [
        ("der Hund der Katze", "der Katze der Hund", [(0, 0), (1, 1), (2, 4), (3, 3), (4, 2)]),  # repeated, in order
        ("Hund", "Hund Katze Hund", [(0, 0), (1, 1)]),
        ("Hund", "Katze weil", [(0, 0)]),  # [CLS] alone
    ],
)
def test_the_same_words_are_joined(text, vs, pairs):
    query, traces, _ = drawn(text=text, vs=vs, model="lstm")
    assert matched(query, traces) == pairs


def test_a_permutation_is_called_one_and_nothing_else_is():
    assert drawn(vs="Der Hund biss den Mann")[2].summary[-1].key == "tokens.summary.permutation"
    assert "2 of 7" in drawn(vs="Der Hund biss den Mann")[2].summary[-1].text("en")
    assert drawn(vs="Der Mann biss den Hund")[2].summary[-1].key == "tokens.summary.same"
    assert drawn(vs="Der Mann kam")[2].summary[-1].key == "tokens.summary.partners"
    assert drawn(vs_model="word_vectors")[2].summary[-1].key == "tokens.summary.partners"


def test_two_tokenizers_are_joined_by_characters():
    query, traces, _ = drawn(text="Hund!", model="lstm", vs_model="word_vectors")
    assert matched(query, traces) == [(1, 0), (2, 1)]
    assert overlaps([(0, 3)], [(0, 1), (1, 3), (3, 4)]) == [(0, 0), (0, 1)]
    assert typed(" a  b\u0000 ") == [("a", 1, 2), ("bU+0000", 4, 6)]


@pytest.mark.parametrize("text", ["weil", "👩‍👩‍👧 <b>", "Der Hund " * 120])
def test_any_text_has_tokens(text):
    assert drawn(text=text)[2].summary


def test_an_empty_second_sentence_is_told(client):
    answer = client.get("/de/tokens?vs=")
    assert answer.status_code == 422 and 'id="vs-error"' in answer.text
