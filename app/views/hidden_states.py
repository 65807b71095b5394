"""Hidden states: what each unit of a layer holds after each word."""

from typing import Annotated, Literal

import numpy as np
from pydantic import PositiveInt

from app import tuning, units
from app.messages import Message, Strong, decimal, say, translate
from app.options import fitted
from app.plotting import Scale
from app.query import Choices, Layer, Query
from app.views import Figure, View
from app.words import indexed, words
from models.trace import Trace


def numbers(trace: Trace) -> range:
    """The units of a layer, counted from 1."""
    return range(1, units.hidden(trace).shape[-1] + 1)


class HiddenStatesQuery(Query):
    """Which layer to look at, in which order its units stand, and perhaps the curve of one of them."""

    layer: Layer = None
    sort: Literal["none", "activity", "similarity"] = "none"
    unit: Annotated[PositiveInt | None, Choices(numbers, listed=False)] = None


def values(query: HiddenStatesQuery, trace: Trace) -> np.ndarray:
    """The layer's states [tokens, units]."""
    chosen: np.ndarray = units.hidden(trace)[(query.layer or 1) - 1]
    return chosen


def figure(query: HiddenStatesQuery, traces: list[Trace]) -> Figure:
    """Units down, words across, signed; above, how far the state moved at each word, or the curve of one unit."""
    queries = [fitted(query, trace) for trace in traces]
    states = [values(*run) for run in zip(queries, traces, strict=True)]
    moved = [np.linalg.norm(np.diff(state, axis=0, prepend=0), axis=1).astype(np.float32) for state in states]
    lines = [
        move if each.unit is None else state[:, each.unit - 1]  # another model may have fewer units
        for each, state, move in zip(queries, states, moved, strict=True)
    ]
    named = [
        translate(
            query.lang, "hidden_states.line" if each.unit is None else "hidden_states.line.unit", unit=str(each.unit)
        )
        for each in queries
    ]
    scales: list[Scale] = ["signed"] * len(traces)
    peaks = [
        [farthest(move)] if each.unit is None else [int(line.argmax()), int(line.argmin())]
        for each, move, line in zip(queries, moved, lines, strict=True)
    ]
    plot, table = units.drawing(
        query, traces, states, lines, scales, named, "hidden_states", order(query.sort, states), peaks
    )
    names = [units.run_name(query, traces, number) for number in range(len(traces))]
    sentences = [summary(query, *run) for run in zip(names, traces, moved, strict=True)]
    sentences += [unit_summary(*run) for run in zip(queries, names, traces, lines, strict=True) if run[0].unit]
    sentences += tuning.states(query, traces)
    return Figure(plot, sentences, table, [(each.layer or 1) - 1 for each in queries])


def order(sort: Literal["none", "activity", "similarity"], states: list[np.ndarray]) -> np.ndarray | None:
    """The units from top to bottom, one order for all runs.

    By activity: the largest mean |h| first. By similarity: by their angle in the plane of the two main directions of
    all units (singular vectors), so that units that rise and fall together stand together (Friendly 2002).
    """
    if sort == "none" or len({state.shape[1] for state in states}) > 1:
        return None
    together = np.concatenate(states)  # [all tokens, units]
    if sort == "activity":
        return np.argsort(-np.abs(together).mean(0), kind="stable")
    _, sizes, directions = np.linalg.svd(together - together.mean(0), full_matrices=False)
    if len(sizes) < 2:
        return np.argsort(-together[0], kind="stable")
    angles = np.arctan2(directions[1] * sizes[1], directions[0] * sizes[0])
    return np.argsort(angles, kind="stable")


def farthest(steps: np.ndarray) -> int:
    """The word at which the state moved farthest; the first token starts from nothing."""
    return int(steps[1:].argmax()) + 1


def summary(query: HiddenStatesQuery, name: str, trace: Trace, steps: np.ndarray) -> Message:
    """At which word the state of this run moved farthest."""
    largest, one = farthest(steps), ".one" if len(steps) == 2 else ""
    return say(
        f"hidden_states.summary{'' if trace.attention is None else '.parallel'}{one}",
        word=Strong(indexed(words(trace), largest)),
        model=name,
        distance=Strong(decimal(query.lang, float(steps[largest]), 2)),
        mean=decimal(query.lang, float(steps[1:].mean()), 2),
    )


def unit_summary(query: HiddenStatesQuery, name: str, trace: Trace, curve: np.ndarray) -> Message:
    """Where the chosen unit of this run was largest and smallest."""
    labels, (low, high) = words(trace), (int(curve.argmin()), int(curve.argmax()))
    return say(
        "hidden_states.summary.unit",
        model=name,
        unit=str(query.unit),
        high=Strong(indexed(labels, high)),
        most=decimal(query.lang, float(curve[high]), 2),
        low=Strong(indexed(labels, low)),
        least=decimal(query.lang, float(curve[low]), 2),
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
