"""Hidden states: the layer's states and how far they move, and a sentence that follows the numbers."""

import base64
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from app.options import settled
from app.views.hidden_states import HiddenStatesQuery, figure
from models.trace import States


def plotted(plot, kind, part):
    found = []
    for trace in plot.data:
        if trace["type"] == kind:
            flat = np.frombuffer(base64.b64decode(trace[part]["bdata"]), np.float32)
            found.append(flat.reshape([int(size) for size in trace[part].get("shape", str(len(flat))).split(",")]))
    return found


def with_states(trace, values):
    """The trace with other states [tokens, units] in every layer."""
    hidden = np.stack([np.asarray(values, np.float32)] * len(trace.states.hidden))
    return replace(trace, states=replace(trace.states, hidden=hidden))


@pytest.mark.parametrize("layer", [1, 2])
def test_plotted_numbers_are_the_states_of_the_layer(make_recurrent, layer):
    trace = make_recurrent()
    drawn = figure(HiddenStatesQuery(layer=layer), [trace])
    expected = trace.states.hidden[layer - 1]
    (shown,) = plotted(drawn.plot, "heatmap", "z")
    assert np.array_equal(shown, expected.T)
    moved, named = plotted(drawn.plot, "scatter", "y")
    before = np.zeros_like(expected)
    before[1:] = expected[:-1]
    assert moved == pytest.approx(np.sqrt(((expected - before) ** 2).sum(1)))
    assert named.tolist() == [moved[1:].max()]
    go.Figure(data=drawn.plot.data, layout=drawn.plot.json()["layout"])


def test_sorted_units_are_drawn_in_their_order_and_keep_their_numbers(make_recurrent):
    rise, swing = np.array([0, 0.2, 0.4, 0.9]), np.array([0.5, -0.5, 0.5, -0.4])
    states = np.stack([rise, swing, 0.5 * rise, 0.9 * swing, 0.1 * rise], 1)
    trace = with_states(make_recurrent(), states)
    orders = {}
    for sort in ("activity", "similarity"):
        plot = figure(settled(HiddenStatesQuery(sort=sort), trace), [trace]).plot
        names = plot.layout["yaxis"]["labelalias"]
        orders[sort] = [int(names[str(place)]) for place in range(1, 6)]
        (shown,) = plotted(plot, "heatmap", "z")
        assert shown == pytest.approx(states.T[[unit - 1 for unit in orders[sort]]], abs=1e-6)
    assert orders["activity"] == [2, 4, 1, 3, 5]
    alike = "".join("r" if unit % 2 else "s" for unit in orders["similarity"])
    assert "ss" in alike + alike[0] and "rrr" in alike * 2, "what rises and falls together stands together"


def test_without_a_choice_it_is_the_last_layer(make_recurrent):
    trace = make_recurrent()
    (shown,) = plotted(figure(settled(HiddenStatesQuery(), trace), [trace]).plot, "heatmap", "z")
    assert np.array_equal(shown, trace.states.hidden[-1].T)


def test_an_encoder_has_states_too(make_attentive):
    trace = make_attentive()
    (shown,) = plotted(figure(HiddenStatesQuery(layer=1, model="encoder"), [trace]).plot, "heatmap", "z")
    assert np.array_equal(shown, trace.states.hidden[0].T)


STATES = [[0, 0, 0, 0, 0], [3, 4, 0, 0, 0], [3, 4, 1, 0, 0], [3, 4, 1, 0, 2]]


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("de", "GRU: Am weitesten bewegt sich der Zustand bei „a“, um 5,00 (im Mittel um 2,67)."),
        ("en", "GRU: the state moves farthest at “a”, by 5.00 (on average by 2.67)."),
    ],
)
def test_the_sentence_follows_the_numbers(make_recurrent, lang, said):
    trace, query = make_recurrent("[CLS]", "a", "b", "c"), HiddenStatesQuery(lang=lang, layer=2)
    assert figure(query, [with_states(trace, STATES)]).summary[0].text(lang) == said
    later = figure(query, [with_states(trace, [STATES[0], STATES[0], STATES[0], STATES[1]])]).summary[0].text(lang)
    assert "c" in later and later != said


def test_two_sentences_share_one_range(make_recurrent):
    trace = make_recurrent("[CLS]", "a", "b", "c")
    traces = [with_states(trace, STATES), with_states(trace, -2 * np.array(STATES))]
    drawn = figure(HiddenStatesQuery(layer=1, text="a", vs="b"), traces)
    axes = drawn.plot.layout
    assert (axes["coloraxis"]["cmin"], axes["coloraxis"]["cmax"]) == (-8, 8)
    assert (axes["coloraxis2"]["cmin"], axes["coloraxis2"]["cmax"]) == (-12, 12)
    assert len(drawn.summary) == 2


def test_a_unit_that_another_model_does_not_have_leaves_its_usual_line(make_recurrent):
    wide, narrow = make_recurrent(model="lstm"), make_recurrent(model="gru")
    cut = narrow.states.hidden[..., :3]
    thin = narrow.states.inputs[:, :3]
    narrow = replace(narrow, states=States(inputs=thin, embeddings=thin, hidden=cut), recurrence=None)
    query = HiddenStatesQuery(model="lstm", vs_model="gru", unit=5, layer=1)
    drawn = figure(query, [wide, narrow])
    ours, ends, theirs, _ = plotted(drawn.plot, "scatter", "y")
    assert np.array_equal(ours, wide.states.hidden[0][:, 4])
    assert ends.tolist() == [ours.max(), ours.min()]
    assert theirs == pytest.approx(np.linalg.norm(np.diff(cut[0], axis=0, prepend=0), axis=1))
    assert [message.key for message in drawn.summary].count("hidden_states.summary.unit") == 1


def test_one_step_is_not_called_the_farthest(make_recurrent, make_attentive):
    for make, kind in ((make_recurrent, ""), (make_attentive, ".parallel")):
        for pieces, one in ((("[CLS]", "Hund"), ".one"), (("[CLS]", "Der", "Hund"), "")):
            (message,) = figure(HiddenStatesQuery(layer=1), [make(*pieces)]).summary
            assert message.key == f"hidden_states.summary{kind}{one}"
