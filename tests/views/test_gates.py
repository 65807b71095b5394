"""Gates: the plotted numbers are the gate's, and the sentence follows them."""

import base64
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from app.messages import percent
from app.options import settled
from app.plotting.colours import colorscale
from app.views.gates import GatesQuery, figure, names

NAMES = {"lstm": ["input", "forget", "candidate", "output", "cell"], "gru": ["reset", "update", "new"]}


def plotted(plot, number):
    packed = [trace for trace in plot.data if trace["type"] == "heatmap"][number]["z"]
    shape = [int(size) for size in packed["shape"].split(",")]
    return np.frombuffer(base64.b64decode(packed["bdata"]), np.float32).reshape(shape)


def with_gate(trace, number, values):
    """The trace with other numbers for one gate of every layer, [tokens, units]."""
    gates = trace.recurrence.gates.copy()
    gates[:, number] = values
    return replace(trace, recurrence=replace(trace.recurrence, gates=gates))


def told(query, *traces):
    return " ".join(message.text(query.lang) for message in figure(settled(query, traces[0]), list(traces)).summary)


def test_what_a_run_has_to_show(make_recurrent):
    for model, expected in NAMES.items():
        assert names(make_recurrent(model=model)) == expected


@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize(("model", "gate"), [(model, gate) for model, gates in NAMES.items() for gate in gates])
def test_plotted_numbers_are_the_gate_of_the_layer(make_recurrent, model, gate, layer):
    trace = make_recurrent(model=model)
    drawn = figure(GatesQuery(model=model, gate=gate, layer=layer), [trace])
    part = trace.recurrence
    expected = part.cell[layer - 1] if gate == "cell" else part.gates[layer - 1, NAMES[model].index(gate)]
    assert np.array_equal(plotted(drawn.plot, 0), expected.T)
    signed = gate in ("candidate", "new", "cell")
    limits = drawn.plot.layout["coloraxis"]["cmin"], drawn.plot.layout["coloraxis"]["cmax"]
    largest = float(np.abs(expected).max())
    assert limits == ((-largest, largest) if signed else (0, 1))
    go.Figure(data=drawn.plot.data, layout=drawn.plot.json()["layout"])


@pytest.mark.parametrize("line, gate", [("mean", "forget"), ("open", "forget"), ("mean", "cell")])
def test_the_words_that_are_named_are_large_points_of_the_line_where_it_shows_what_is_said(make_recurrent, line, gate):
    trace = make_recurrent(model="lstm")
    drawn = figure(GatesQuery(model="lstm", gate=gate, line=line, layer=1), [trace])
    points = [found["x"] for found in drawn.plot.data if found.get("mode") == "markers"]
    means, sizes = trace.recurrence.gates[0, 1, 1:].mean(1), np.abs(trace.recurrence.cell[0, 1:]).mean(1)
    expected = {
        ("mean", "forget"): [[int(means.argmax()) + 1, int(means.argmin()) + 1]],
        ("open", "forget"): [],
        ("mean", "cell"): [[int(sizes.argmax()) + 1]],
    }
    assert points == expected[line, gate]


def test_the_line_over_what_has_a_sign_is_its_mean_size(make_recurrent):
    trace = with_gate(make_recurrent(), 2, np.array([-0.5, 0.5, -0.2, 0.2, 0.1], np.float32))
    drawn = figure(settled(GatesQuery(lang="en", gate="new"), trace), [trace]).plot
    values = np.frombuffer(base64.b64decode(drawn.data[1]["y"]["bdata"]), np.float32)
    assert values == pytest.approx([0.3] * len(trace.tokens))
    assert "mean magnitude" in drawn.json()["layout"]["annotations"][0]["text"]


def test_without_a_choice_it_is_forget_or_update_of_the_last_layer(make_recurrent):
    for model, gate in (("lstm", 1), ("gru", 1)):
        trace = make_recurrent(model=model)
        drawn = figure(settled(GatesQuery(model=model), trace), [trace])
        assert np.array_equal(plotted(drawn.plot, 0), trace.recurrence.gates[1, gate].T)


def test_two_models_each_show_their_own_gate(make_recurrent):
    traces = [make_recurrent(model="lstm"), make_recurrent(model="gru")]
    query = settled(GatesQuery(lang="en", model="lstm", vs_model="gru", gate="output"), traces[0])
    drawn = figure(query, traces)
    assert np.array_equal(plotted(drawn.plot, 0), traces[0].recurrence.gates[1, 3].T)
    assert np.array_equal(plotted(drawn.plot, 1), traces[1].recurrence.gates[1, 1].T)
    said = [message.text("en") for message in drawn.summary]
    assert said[0].startswith("LSTM, output gate o") and said[1].startswith("GRU, update gate z")


@pytest.mark.parametrize("lang", ["de", "en"])
def test_the_sentence_follows_the_numbers(make_recurrent, lang):
    trace = make_recurrent("[CLS]", "a", "b", "c")
    query = GatesQuery(lang=lang, model="gru")
    values = np.full((4, 5), 0.3, np.float32)
    values[2, 0] = 0.8
    values[0], values[1], values[3] = 1, 0.95, 0.05
    said = told(query, with_gate(trace, 1, values))
    for part in ("“a”", "“c”") if lang == "en" else ("„a“", "„c“"):
        assert part in said
    assert percent(lang, 0.95) in said and percent(lang, 0.05) in said
    assert said.count(percent(lang, 1 / 3)) == 2  # as many are nearly shut as are nearly open
    swapped = told(query, with_gate(trace, 1, values[[0, 3, 2, 1]]))
    assert swapped != said and swapped.index("c") != said.index("c")


def test_the_state_before_the_first_word_is_not_talked_about(make_recurrent):
    trace = make_recurrent("[CLS]", "a", "b")
    values = np.array([[1.0] * 5, [0.4] * 5, [0.6] * 5], np.float32)
    assert "“[CLS]”" not in told(GatesQuery(), with_gate(trace, 1, values))


def test_a_signed_quantity_is_strong_in_both_directions(make_recurrent):
    trace = make_recurrent("[CLS]", "a", "b")
    values = np.array([[0.9] * 5, [0.2] * 5, [-0.5] * 5], np.float32)
    query = GatesQuery(lang="en", gate="new")
    assert told(query, with_gate(trace, 2, values)) == "GRU, candidate n: strongest at “b” (mean magnitude 0.50)."
    assert (
        told(query, with_gate(trace, 2, values[[0, 2, 1]]))
        == "GRU, candidate n: strongest at “a” (mean magnitude 0.50)."
    )


def test_two_sentences_get_a_sentence_each(make_recurrent):
    traces = [make_recurrent("[CLS]", "a", "b"), make_recurrent("[CLS]", "b", "a")]
    drawn = figure(settled(GatesQuery(text="a b", vs="b a"), traces[0]), traces)
    assert ["erster Satz" in drawn.summary[0].text("de"), "Zweiter Satz" in drawn.summary[1].text("de")] == [True, True]


@pytest.mark.parametrize(("line", "expected"), [("mean", 0.6), ("closed", 0.2), ("open", 0.4)])
def test_the_line_is_the_mean_or_the_share_of_closed_or_open_units(make_recurrent, line, expected):
    trace = with_gate(make_recurrent(), 1, np.array([0.05, 0.1, 0.9, 0.95, 1], np.float32))
    above = figure(settled(GatesQuery(line=line), trace), [trace]).plot.data[1]
    values = np.frombuffer(base64.b64decode(above["y"]["bdata"]), np.float32)
    assert values == pytest.approx([expected] * len(trace.tokens))


def test_what_has_a_sign_is_not_counted_as_closed_or_open(make_recurrent):
    trace = make_recurrent(model="lstm")
    for gate, same in (("candidate", True), ("cell", True), ("output", False)):
        queries = [settled(GatesQuery(gate=gate, line=line), trace) for line in ("mean", "closed")]
        drawn = [figure(query, [trace]).plot.json() for query in queries]
        assert (drawn[0] == drawn[1]) == same == ("line" in queries[0].idle())


def test_a_gate_beside_a_cell_keeps_its_own_colours(make_recurrent):
    traces = [make_recurrent(model="lstm"), make_recurrent(model="gru")]
    query = settled(GatesQuery(model="lstm", vs_model="gru", gate="cell", lang="de"), traces[0])
    plot = figure(query, traces).plot
    axes = [plot.layout[drawn["coloraxis"]] for drawn in plot.data if drawn["type"] == "heatmap"]
    assert axes[0]["cmin"] == -axes[0]["cmax"] and (axes[1]["cmin"], axes[1]["cmax"]) == (0, 1)
    assert [axis["colorbar"]["x"] for axis in axes] == [0, 1]
    assert axes[0]["colorbar"]["title"]["text"] != axes[1]["colorbar"]["title"]["text"]
    dark = plot.json("dark")["layout"]
    assert dark["coloraxis2"]["colorscale"] == colorscale("share", "dark") != dark["coloraxis"]["colorscale"]


@pytest.mark.parametrize("gate", ["forget", "candidate"])
def test_one_word_is_neither_most_nor_least_open(make_recurrent, gate):
    trace = make_recurrent("[CLS]", "Hund", model="lstm")
    said = told(GatesQuery(model="lstm", gate=gate, layer=1, lang="en"), trace)
    assert said.count("“Hund”") == 1 and "most" not in said
