"""Looks: the translator's three parts as their runs give them, in the map and in all heads."""

import base64

import numpy as np
import pytest

from app import views
from app.attended import AttentionMapQuery
from app.options import fitted, settled
from app.query import QueryError
from app.views.attention_heads import AttentionHeadsQuery, surveyed
from models.run import Run, perform

TEXT, OTHER = "Der Mann biss den Hund.", "Der Hund biss den Mann."
ENGLISH = ["The", "man", "bit", "the", "dog", "."]


def drawn(**stated):
    query = AttentionMapQuery(**{"model": "translator", "text": TEXT} | stated)
    traces = [perform(run) for run in query.runs()]
    query = settled(query, traces[0])
    return query, traces, views.catalogue()["attention_map"].figure(query, traces)


def plotted(figure):
    maps = [trace["z"] for trace in figure.plot.data]
    return [np.frombuffer(base64.b64decode(z["bdata"]), np.float32).reshape(eval(f"({z['shape']})")) for z in maps]


def labels(figure, axis):
    return [text.removeprefix("<b>").removesuffix("</b>") for text in figure.plot.layout[axis]["ticktext"]]


def test_across_rows_write_and_columns_are_read():
    query, (trace,), figure = drawn(part="cross", layer=2, head=3, special="shown")
    whole = perform(Run("translator", TEXT, "translation_greedy"))
    np.testing.assert_array_equal(plotted(figure)[0], np.asarray(whole.decoding.cross_attention)[1, 2])
    assert labels(figure, "yaxis") == [*ENGLISH, "[SEP]"]
    assert labels(figure, "xaxis") == ["[CLS]", "Der", "Mann", "biss", "den", "Hund", ".", "[SEP]"]
    assert [linked["axis"] for linked in figure.plot.tokens] == ["x"]  # the rows are no words of the typed sentence
    assert "„The man bit the dog.“" in figure.summary[-1].text("de") and trace.attention is None
    assert trace.check.layers == 3 and trace.check.max_abs_error <= 1e-5


@pytest.mark.parametrize("stage", ["raw", "scaled", "masked"])
def test_stages_across(stage):
    _, (trace,), figure = drawn(part="cross", stage=stage, layer=1, head="mean", special="shown")
    over = trace.decoding
    product = np.einsum("hqd,hkd->hqk", over.cross_queries[0], over.cross_keys[0])
    expected = product if stage == "raw" else product * over.cross_scaling[0]
    np.testing.assert_allclose(plotted(figure)[0], expected.mean(0), atol=1e-5)


def test_without_the_special_tokens_each_step_is_shared_anew():
    _, (trace,), figure = drawn(part="cross", layer=3)
    (shown,) = plotted(figure)
    kept = np.asarray(trace.decoding.cross_attention)[2].mean(0)[:6, 1:7]
    np.testing.assert_allclose(shown, kept / kept.sum(-1, keepdims=True), atol=1e-6)
    assert [row[3:6:2] for row in figure.table.rows()][:2] == [("The", "Der"), ("The", "Mann")]


def test_a_decoder_looks_back_at_what_it_has_written():
    query, (trace,), figure = drawn(part="decoder", special="shown", layer=1)
    assert labels(figure, "xaxis") == labels(figure, "yaxis") == ["[CLS]", *ENGLISH]
    (shown,) = plotted(figure)
    assert (shown[np.triu_indices(7, 1)] == 0).all() and shown.sum(-1) == pytest.approx(np.ones(7))
    assert trace.text == "The man bit the dog." and query.part == "decoder"
    masked = plotted(drawn(part="decoder", special="shown", layer=1, stage="masked")[2])[0]
    assert np.isnan(masked[np.triu_indices(7, 1)]).all()
    assert [trace.text[token.start : token.end] for token in trace.tokens] == ["", *ENGLISH]


def test_two_sentences_across_are_subtracted_where_both_words_have_a_partner():
    _, traces, figure = drawn(part="cross", vs=OTHER, special="shown", layer=3, head=1)
    first, second, change = plotted(figure)
    assert [trace.written.sentence for trace in traces] == ["The man bit the dog.", "The dog bit the man."]
    order_rows, order_columns = [0, 4, 2, 3, 1, 5, 6], [0, 1, 5, 3, 4, 2, 6, 7]
    np.testing.assert_allclose(change, second[np.ix_(order_rows, order_columns)] - first, atol=1e-6)


@pytest.mark.parametrize("part", ["encoder", "decoder", "cross"])
def test_all_heads_of_a_part(part):
    query = AttentionHeadsQuery(model="translator", text=TEXT, part=part)
    (trace,) = [perform(run) for run in query.runs()]
    heads, tiles = surveyed(trace)
    assert len(heads) == len(tiles) == 12
    figure = views.catalogue()["attention_heads"].figure(settled(query, trace), [trace])
    assert {link.query.part for link in figure.links} == {part} and len(figure.links) == 12
    if part == "cross":
        assert {head.kind for head in heads} <= {"first", "broad", "mixed"}
        assert all(np.isnan(head.shares[:3]).all() for head in heads)


def test_only_an_encoder_decoder_has_parts():
    for model in ("encoder", "decoder"):
        assert AttentionMapQuery(model=model, part="cross").runs()[0].experiment == "forward"
        with pytest.raises(QueryError) as caught:
            drawn(model=model, part="cross")
        assert caught.value.code == "no_such_option"
        assert drawn(model=model)[0].part is None


def test_beside_a_model_without_parts_each_shows_what_it_has():
    _, traces, figure = drawn(part="cross", vs_model="encoder")
    assert [trace.attention is None for trace in traces] == [True, False] and len(figure.plot.data) == 3
    query, traces, _ = drawn(model="decoder", vs_model="translator")
    assert query.part is None and fitted(query, traces[1]).part == "encoder"
    assert [len(trace.attention.attention) for trace in traces] == [4, 3]


def test_the_api_writes_only_where_that_is_asked_for(client):
    asked = {"text": TEXT, "model": "translator"}
    whole = client.get("/api/v1/trace", params=asked).json()
    shape = [3, 4, 7, 8]
    for name in ("cross_attention", "cross_scores"):
        assert whole["fields"][name]["shape"] == shape
        assert whole["fields"][name]["axes"] == ["layers", "heads", "target_tokens", "source_tokens"]
    assert [token["text"] for token in whole["target_tokens"]] == [*ENGLISH, "[SEP]"]
    rows = np.array(whole["fields"]["cross_attention"]["data"]).sum(-1)
    np.testing.assert_allclose(rows, 1, atol=1e-5)
    assert "target_tokens" not in client.get("/api/v1/trace", params=asked | {"fields": "attention"}).json()
    archive = client.get("/api/v1/trace", params=asked | {"fields": "cross_scores", "format": "npz"})
    assert archive.status_code == 200
