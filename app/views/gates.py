"""Gates: what a recurrent cell lets in, keeps and shows at each word."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from app import units
from app.messages import Message, Strong, decimal, percent, say, translate
from app.options import fitted
from app.plotting import Scale
from app.query import LONG_TEXT, Choices, Layer, Query
from app.views import Figure, View
from app.words import indexed, words
from models.trace import Trace

SIGNED = ("candidate", "new", "cell")  # tanh or sums: not doors between 0 and 1
CLOSED, OPEN = 0.1, 0.9  # a gate below or above counts as saturated, as in LSTMVis


def names(trace: Trace) -> list[str]:
    """What a run has to show: its gates in the order of the formulas, then the cell."""
    assert trace.recurrence is not None
    return [*trace.recurrence.gate_names, *(["cell"] if trace.recurrence.cell is not None else [])]


class GatesQuery(Query):
    """Which layer and which gate: without one forget (LSTM) or update (GRU), the second of either."""

    text: str = Field(LONG_TEXT, description="the sentence")
    layer: Layer = None
    gate: Annotated[str | None, Choices(names, standard=1)] = None
    line: Literal["mean", "closed", "open"] = "mean"

    def idle(self) -> tuple[str, ...]:
        """What has a sign is no gate that could be closed or open."""
        return ("line",) if self.gate in SIGNED else ()


def values(query: GatesQuery, trace: Trace) -> np.ndarray:
    """The gate that the query means for this run over the text, [tokens, units]."""
    assert trace.recurrence is not None
    number = (query.layer or 1) - 1
    if query.gate == "cell":
        assert trace.recurrence.cell is not None
        cell: np.ndarray = trace.recurrence.cell[number]
        return cell
    opened: np.ndarray = trace.recurrence.gates[number, names(trace).index(query.gate or "")]
    return opened


def figure(query: GatesQuery, traces: list[Trace]) -> Figure:
    """One gate over the text: 0 closed, 1 open; words across, units down; the mean of each word as a line above.

    Of what has a sign the line is the mean size, since its mean is about nothing at every word.
    """
    queries = [fitted(query, trace) for trace in traces]
    gates = [values(*run) for run in zip(queries, traces, strict=True)]
    scales: list[Scale] = ["signed" if each.gate in SIGNED else "share" for each in queries]
    lines = [line(*run) for run in zip(queries, gates, strict=True)]
    named = [
        translate(query.lang, "gates.line.size" if each.gate in SIGNED else f"option.line.{each.line}")
        for each in queries
    ]
    peaks = [peaked(*run) for run in zip(queries, gates, strict=True)]
    plot, table = units.drawing(query, traces, gates, lines, scales, named, "gates", peaks=peaks)
    names = [units.run_name(query, traces, number) for number in range(len(traces))]
    sentences = [summary(*run) for run in zip(queries, names, traces, gates, strict=True)]
    return Figure(plot, sentences, table, [(each.layer or 1) - 1 for each in queries])


def peaked(query: GatesQuery, gate: np.ndarray) -> tuple[int, ...]:
    """The words that the summary names, where the line shows what it says of them."""
    if query.gate in SIGNED:
        return (strongest(gate),)
    return extremes(gate) if query.line == "mean" else ()


def extremes(gate: np.ndarray) -> tuple[int, int]:
    """The words at which the gate is most and least open on average; the first token is no word."""
    means = gate[1:].mean(1)
    return int(means.argmax()) + 1, int(means.argmin()) + 1


def strongest(gate: np.ndarray) -> int:
    """The word at which what has a sign is largest on average; the first token is no word."""
    return int(np.abs(gate[1:]).mean(1).argmax()) + 1


def line(query: GatesQuery, gate: np.ndarray) -> np.ndarray:
    """Per word the mean of the units, of their sizes, or the share of them that are saturated, [tokens]."""
    shown: np.ndarray = gate.mean(1)
    if query.gate in SIGNED:
        shown = np.abs(gate).mean(1)
    elif query.line == "closed":
        shown = (gate < CLOSED).mean(1, dtype=np.float32)
    elif query.line == "open":
        shown = (gate > OPEN).mean(1, dtype=np.float32)
    return shown


def summary(query: GatesQuery, name: str, trace: Trace, gate: np.ndarray) -> Message:
    """Where this run's gate was most and least open on average, and how much of it was saturated."""
    labels, means, (high, low) = words(trace), gate.mean(1), extremes(gate)
    title = translate(query.lang, f"option.gate.{query.gate}")
    if query.gate in SIGNED:
        most = strongest(gate)
        size = Strong(decimal(query.lang, float(np.abs(gate[most]).mean()), 2))
        key = "gates.summary.signed" if len(gate) > 2 else "gates.summary.signed.one"
        return say(key, gate=title, model=name, word=Strong(indexed(labels, most)), size=size)
    return say(
        "gates.summary" if len(gate) > 2 else "gates.summary.one",
        gate=title,
        model=name,
        high=Strong(indexed(labels, high)),
        high_share=Strong(percent(query.lang, float(means[high]))),
        low=Strong(indexed(labels, low)),
        low_share=Strong(percent(query.lang, float(means[low]))),
        closed=percent(query.lang, float((gate[1:] < CLOSED).mean())),
        open=percent(query.lang, float((gate[1:] > OPEN).mean())),
    )


VIEW = View(
    name="gates",
    chapter="gates",
    place=1,
    query=GatesQuery,
    needs=frozenset({"gates"}),
    figure=figure,
    preferred=("lstm", "gru"),
)
