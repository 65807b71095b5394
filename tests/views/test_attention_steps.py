"""Attention steps: every number against the model's own matrices in float64, and what the sentences say of them."""

import base64
import math

import numpy as np
import pytest
import torch

from app.options import settled
from app.views.attention_steps import VIEW, AttentionStepsQuery, figure, followed
from models import registry, weights
from models.run import Run, perform

TEXT = "Der Mann biss den Hund"


def draw(query, *traces):
    return figure(settled(query, traces[0]), list(traces))


def told(query, *traces):
    return [message.text(query.lang) for message in draw(query, *traces).summary]


def plotted(trace):
    packed = trace["z" if trace["type"] == "heatmap" else "y"]
    return np.frombuffer(base64.b64decode(packed["bdata"]), np.float32)


@pytest.fixture(scope="module")
def encoder():
    return weights.masked_language_model(registry.get("encoder").folder).bert.encoder.layer


@pytest.mark.parametrize(("layer", "head", "word"), [(1, 1, 0), (3, 2, 3), (4, 4, 5)])
def test_each_step_is_what_the_matrices_of_the_model_give(encoder, layer, head, word):
    trace = perform(Run("encoder", TEXT))
    states = trace.states.embeddings if layer == 1 else trace.states.hidden[layer - 2]
    state = torch.from_numpy(np.array(states)).double()
    block = encoder[layer - 1].attention
    with torch.no_grad():
        mine = {name: getattr(block.self, name).double()(state)[:, 48 * (head - 1) : 48 * head] for name in
                ("query", "key", "value")}  # fmt: skip
    for name in mine:
        getattr(block.self, name).float()
    raw = (mine["key"] @ mine["query"][word]).numpy()
    scaled = raw / math.sqrt(48)
    shares = np.exp(scaled) / np.exp(scaled).sum()
    mixture = shares @ mine["value"].numpy()
    matrix = block.output.dense.weight.detach().double().numpy()[:, 48 * (head - 1) : 48 * head]
    way = followed(AttentionStepsQuery(layer=layer, head=head, looking=word), trace)
    for found, expected in ((way.raw, raw), (way.scaled, scaled), (way.masked, scaled), (way.weights, shares),
                            (way.mixed.sum(0), mixture), (way.projected.sum(0), matrix @ mixture)):  # fmt: skip
        assert np.abs(found - expected).max() <= 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("model", ["encoder", "decoder", "translator"])
def test_all_heads_and_the_bias_are_what_the_layer_adds(model):
    trace = perform(Run(model, TEXT))
    ways = [followed(AttentionStepsQuery(layer=2, head=head, looking=3), trace) for head in range(1, 5)]
    rest = ways[0].whole - sum(way.projected.sum(0) for way in ways)
    others = [followed(AttentionStepsQuery(layer=2, head=head, looking=1), trace) for head in range(1, 5)]
    assert np.abs(rest - (others[0].whole - sum(way.projected.sum(0) for way in others))).max() <= 1e-5


def test_the_rows_are_the_steps_in_order(make_attentive):
    trace = make_attentive("[CLS]", "a", "b", "c", "[SEP]")
    query = AttentionStepsQuery(lang="en", layer=2, head=3, looking=2)
    plot = draw(query, trace).plot
    way = followed(query, trace)
    parts = [way.raw, way.scaled, way.masked, way.weights, way.mixed.T, way.mixed.sum(0), way.projected.T,
             way.projected.sum(0)]  # fmt: skip
    assert len(plot.data) == len(parts)
    for drawn, part in zip(plot.data, parts, strict=True):
        assert np.abs(plotted(drawn) - np.ravel(part)).max() <= 1e-6
    assert [drawn["meta"]["from"] for drawn in plot.data] == [0, 1, 2, 3, 4, 4, 5, 5]
    assert plot.playback == ["q·k", "÷ √d", "+ mask", "softmax", "Σ a·v", "W_O"]
    shared = {drawn["coloraxis"] for drawn in plot.data[:3]}
    assert shared == {"coloraxis"}
    assert plot.layout["coloraxis"]["cmax"] == pytest.approx(np.abs(way.raw).max(), rel=1e-6)


def test_vectors_on_demand(make_attentive):
    trace = make_attentive("[CLS]", "a", "b", "[SEP]")
    plain, shown = (draw(AttentionStepsQuery(vectors=state), trace).plot for state in ("hidden", "shown"))
    assert len(shown.data) == len(plain.data) + 3
    keys, query = shown.data[0], shown.data[1]
    assert np.array_equal(plotted(keys), np.ravel(trace.attention.keys[-1, 0].T))
    assert np.array_equal(plotted(query), trace.attention.queries[-1, 0, 2])
    assert {trace["coloraxis"] for trace in shown.data if "coloraxis" in trace} == {
        "coloraxis", "coloraxis2", "coloraxis3"
    }  # fmt: skip


def test_a_mask_is_told_and_never_a_value(make_attentive):
    trace = make_attentive("[CLS]", "a", "b", "c", causal=True)
    drawn = draw(AttentionStepsQuery(lang="en", looking=1), trace)
    assert np.isnan(plotted(drawn.plot.data[2])).tolist() == [False, False, True, True]
    assert not np.isnan(plotted(drawn.plot.data[1])).any()
    assert plotted(drawn.plot.data[3])[2:].tolist() == [0, 0]
    titles = [note["text"] for note in drawn.plot.layout["annotations"]]
    assert "3 · + mask: 2 hidden (grey)" in titles
    masked = [row for row in drawn.table.rows() if row[4] == "masked"]
    assert [row[-1] is None for row in masked] == [False, False, True, True]


def test_the_divisor_is_the_models_own(make_attentive):
    from dataclasses import replace

    trace = make_attentive("[CLS]", "a", "b")
    titles = [note["text"] for note in draw(AttentionStepsQuery(lang="en"), trace).plot.layout["annotations"]]
    assert "2 · ÷ √d = √2 = 1.41" in titles
    real = draw(AttentionStepsQuery(lang="en"), perform(Run("encoder", TEXT))).plot.layout["annotations"]
    assert "2 · ÷ √d = √48 = 6.93" in [note["text"] for note in real]
    for scaling, said in ((1.0, "2 · no ÷ √d: this model does not divide"), (0.25, "2 · × 0.2500: this model does")):
        part = trace.attention
        scores = (part.queries @ part.keys.swapaxes(-1, -2)) * np.float32(scaling)
        other = replace(trace, attention=replace(part, scaling=np.full(2, scaling, np.float32), scores=scores))
        titles = [note["text"] for note in draw(AttentionStepsQuery(lang="en"), other).plot.layout["annotations"]]
        assert any(title.startswith(said) for title in titles)
        assert "3 · + mask: nothing is hidden here" in titles
    shifted = replace(trace, attention=replace(part, scores=part.scores + np.float32(0.5)))
    titles = [note["text"] for note in draw(AttentionStepsQuery(lang="en"), shifted).plot.layout["annotations"]]
    assert "3 · + mask and an addition for the distance" in titles


def test_the_third_word_looks_unless_another_is_asked():
    assert settled(AttentionStepsQuery(), perform(Run("encoder", TEXT))).looking == 3


def test_the_same_word_looks_in_the_second_sentence(make_attentive):
    first, second = make_attentive("[CLS]", "a", "b", "[SEP]"), make_attentive("[CLS]", "b", "c", "a", "[SEP]")
    query = settled(AttentionStepsQuery(lang="en", looking=2, vs="b c a"), first)
    assert followed(query, second, "b").place == 1 and followed(query, second, "none").place == 2
    sentences = told(query, first, second)
    assert len(sentences) == 3 and all("“b” looks most at" in sentence for sentence in sentences[:2])
    plot = draw(query, first, second).plot
    assert plot.layout["coloraxis"]["cmin"] == -plot.layout["coloraxis"]["cmax"]
    assert len(plot.panels["stacks"]) == 2


@pytest.mark.parametrize("align", ["word", "position"])
def test_outlines_are_the_shares_of_the_partners(make_attentive, align):
    first, second = (
        make_attentive("[CLS]", "Der", "Hund", "biss"),
        make_attentive("[CLS]", "biss", "Der", "Bär", causal=True),
    )
    query = AttentionStepsQuery(vs="biss Der Bär", layer=1, head=1, looking=1, align=align, lang="en")
    drawn = draw(query, first, second)
    bars = [trace for trace in drawn.plot.data if trace["type"] == "bar"]
    ways = [followed(query, first), followed(query, second, "Der")]
    there = {"word": [0, 3, 1, None], "position": [0, 1, 2, 3]}[align]
    before = np.array([np.nan if place is None else ways[0].weights[place] for place in there], np.float32)
    assert len(bars) == 3 and "line" not in bars[1]["marker"]
    np.testing.assert_array_equal(plotted(bars[1]), ways[1].weights)
    np.testing.assert_array_equal(plotted(bars[2]), before)
    for own, other, *texts in zip(ways[1].weights, before, bars[1]["text"], bars[2]["text"], strict=True):
        assert bool(texts[1]) == (other > own) and bool(texts[0]) != bool(texts[1])
    assert ("no counterpart" in bars[1]["hovertext"][3]) == (align == "word")
    changes = [row[7] for row in drawn.table.brief()]
    assert drawn.table.brief_columns[7] == "column.look_change" and changes[:4] == [None] * 4
    expected = ways[1].weights - before
    np.testing.assert_allclose(np.array(changes[4:], float), expected, rtol=1e-6)
    most = second.tokens[int(np.nanargmax(np.abs(expected)))].text
    assert f"The share of “{most}” changes most" in " ".join(message.text("en") for message in drawn.summary)


def test_sentences_follow_the_numbers(make_attentive):
    trace = make_attentive("[CLS]", "a", "b", "[SEP]")
    query = AttentionStepsQuery(lang="en", layer=1, head=2, looking=1)
    way = followed(query, trace)
    best = int(way.weights.argmax())
    sentences = told(query, trace)
    assert f"“a” looks most at “{trace.tokens[best].text}”: q·k = {way.raw[best]:.2f}".replace("-", "−") in sentences[0]
    assert f"{100 * way.weights[best]:.0f}%" in sentences[0]
    own, whole = np.linalg.norm(way.projected.sum(0)), np.linalg.norm(way.whole)
    assert f"length {own:.2f} to “a”; all 3 heads and the bias together add one of length {whole:.2f}." in sentences[1]
    loudest = int(np.linalg.norm(way.projected, axis=1).argmax())
    assert any("longest contribution" in sentence for sentence in sentences) == (loudest != best)


def test_the_table_has_every_number(make_attentive):
    trace = make_attentive("[CLS]", "a", "[SEP]")
    drawn = draw(AttentionStepsQuery(looking=1), trace)
    rows = list(drawn.table.rows())
    assert len(rows) == drawn.table.count == 3 * (4 + 2 + 5)
    way = followed(settled(AttentionStepsQuery(looking=1), trace), trace)
    assert [row[-1] for row in rows if row[4] == "projected" and row[2] == 2] == way.projected[2].tolist()
    brief = list(drawn.table.brief())
    assert len(brief) == 3 and len(brief[0]) == len(drawn.table.brief_columns)
    assert brief[1][6] == pytest.approx(float(way.weights[1]))


def test_every_transformer_is_offered():
    assert {"encoder", "decoder", "translator", "encoder-entities", "encoder@0"} <= set(VIEW.models)
    assert not {"lstm", "word_vectors"} & set(VIEW.models)
