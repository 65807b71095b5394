"""Hidden states: what each unit of a layer holds after each word."""

import numpy as np

from app import units
from app.messages import Message, Strong, decimal, say
from app.query import Layer, Query, fitted
from app.views import Figure, View
from app.words import words
from models.trace import Trace


class HiddenStatesQuery(Query):
    """Which layer to look at."""

    layer: Layer = None


def values(query: HiddenStatesQuery, trace: Trace) -> np.ndarray:
    """The layer's states [tokens, units]."""
    assert trace.states is not None and trace.states.hidden is not None
    chosen: np.ndarray = trace.states.hidden[(query.layer or 1) - 1]
    return chosen


def figure(query: HiddenStatesQuery, traces: list[Trace]) -> Figure:
    """Units down, words across, signed; above, how far the state moved at each word."""
    states = [values(fitted(query, trace), trace) for trace in traces]
    moved = [np.linalg.norm(np.diff(state, axis=0, prepend=0), axis=1).astype(np.float32) for state in states]
    plot, table = units.drawing(query, traces, states, moved, "signed", "hidden_states")
    names = [units.run_name(query, traces, number) for number in range(len(traces))]
    shown = [(fitted(query, trace).layer or 1) - 1 for trace in traces]
    return Figure(plot, [summary(query, *run) for run in zip(names, traces, moved, strict=True)], table, shown)


def summary(query: HiddenStatesQuery, name: str, trace: Trace, steps: np.ndarray) -> Message:
    """At which word the state of this run moved farthest."""
    largest = int(steps[1:].argmax()) + 1
    return say(
        "hidden_states.summary" if trace.attention is None else "hidden_states.summary.parallel",
        word=Strong(words(trace)[largest].label),
        model=name,
        distance=Strong(decimal(query.lang, float(steps[largest]), 2)),
        mean=decimal(query.lang, float(steps[1:].mean()), 2),
    )


VIEW = View(
    name="hidden_states",
    chapter="rnn",
    place=1,
    query=HiddenStatesQuery,
    needs=frozenset({"hidden"}),
    figure=figure,
    preferred=("lstm", "gru", "rnn"),
)
