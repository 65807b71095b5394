"""Tokens: ids and places as the tokenizer gives them, and lines between the same words of two sentences."""

import pytest

from app.options import settled
from app.views.tokens import VIEW, figure, looked, matched, overlaps, typed
from models import registry
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
    assert joints > 0 and f"and {joints} with ##" in found.summary[0].text("en")


@pytest.mark.parametrize(
    ("text", "vs", "pairs"),
    [
        ("der Hund der Katze", "der Katze der Hund", [(0, 0), (1, 1), (2, 4), (3, 3), (4, 2)]),  # repeated, in order
        ("Hund", "Hund Katze Hund", [(0, 0), (1, 1)]),
        ("Hund", "Katze weil", [(0, 0)]),  # [CLS] alone
    ],
)
def test_the_same_words_are_joined(text, vs, pairs):
    query, traces, found = drawn(text=text, vs=vs, model="lstm")
    assert matched(query, traces) == pairs
    for column, trace in zip(found.plot.data[1:], traces, strict=True):
        for word, token in zip(column["text"], trace.tokens, strict=True):
            assert set(word.split()) == {token.text, "·", str(token.id)}


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
    assert overlaps([(0, 0), (2, 4)], [(0, 0), (3, 9), (0, 3)]) == [(1, 1), (1, 2)]
    assert overlaps([], [(0, 1)]) == overlaps([(0, 1)], []) == []
    assert typed(" a  b\u0000 ") == [("a", 1, 2), ("bU+0000", 4, 6)]


@pytest.mark.parametrize("text", ["weil", "👩‍👩‍👧 <b>", "Der Hund " * 120])
def test_any_text_has_tokens(text):
    assert drawn(text=text)[2].summary


def test_an_empty_second_sentence_is_told(client):
    answer = client.get("/de/tokens?vs=")
    assert answer.status_code == 422 and 'id="vs-error"' in answer.text


def test_the_translator_reads_german_pieces_and_writes_english_ones():
    query, traces, found = drawn(model="translator", text="Der Hund schläft.")
    (trace,) = traces
    rows = list(found.table.rows())
    read, wrote = ([row for row in rows if row[-1] == side] for side in ("read", "written"))
    assert [row[4:6] for row in read] == [(token.text, token.id) for token in trace.tokens]
    english = registry.load("translator").target
    assert [english.id_to_token(row[5]).strip("▁") for row in wrote] == [row[4].removeprefix("##") for row in wrote]
    assert english.decode([row[5] for row in wrote]) == trace.written.sentence
    assert "dog" in trace.written.sentence and trace.written.sentence in found.summary[1].text("en")
    assert found.table.count == len(rows) == len(read) + len(wrote)
    (longer,) = drawn(model="translator", text="Der Mann, der gestern kam, ist ein guter Arzt.")[1]
    for each in (trace, longer):
        first, last = (each.decoding.cross_attention[layer].mean(0).argmax(1) for layer in (0, -1))
        assert looked(each) == [(int(place), step) for step, place in enumerate(last)]
    assert (first != last).any()
    lines, left, right = found.plot.data
    assert len(left["text"]) == len(read) and len(right["text"]) == len(wrote)


def test_two_sentences_of_the_translator_are_joined_where_they_are_read():
    _, traces, found = drawn(model="translator", vs="Der Hund biss den Mann")
    assert len(found.summary) == 5 and found.summary[-1].key == "tokens.summary.permutation"
    assert {row[1] for row in found.table.rows() if row[-1] == "written"} == {1, 2}


def test_any_other_model_has_no_sides():
    assert "column.side" not in drawn()[2].table.columns


def test_what_no_vocabulary_has_is_said():
    said = [message.text("en") for message in drawn(text="漢字 Hund 한국어", vs="한국어 Hund 漢字")[2].summary]
    assert said[1] == "Not in the vocabulary, and so all the same to the model: “漢”, “字”, “한국어”."
    assert "another order" in said[-1]
    assert drawn(text="Hund Xyzzyq", model="word_vectors")[2].summary[1].key == "tokens.summary.unknown.one"
    assert len(drawn(text="Hund")[2].summary) == 1
