"""Trajectory: the path of the hidden state through a plane, word by word."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from app import units
from app.messages import Message, Strong, decimal, percent, say, translate
from app.options import fitted
from app.plotting import Axis, Curve, Plot, beside, chart, label_places
from app.query import Layer, Query
from app.views import Cell, Figure, Table, View, model_title
from app.words import indexed, shortened, words
from models.run import Run
from models.trace import Path, Trace

MARGIN = 0.08  # around all points, as a share of the plane
FEW = 40  # points whose labels keep off the lines: more find no room as it is


class TrajectoryQuery(Query):
    """Which layer's states to follow."""

    layer: Layer = None

    def runs(self) -> list[Run]:
        """The same runs, with points of the plane."""
        return [Run(run.model, run.text, "trajectory") for run in super().runs()]

    def idle(self) -> tuple[str, ...]:
        """No difference is drawn here."""
        return ("align",)


def path(trace: Trace) -> Path:
    """What the experiment recorded."""
    assert trace.path is not None
    return trace.path


def points(query: TrajectoryQuery, trace: Trace) -> np.ndarray:
    """The path in the plane of the query's layer, [tokens, axes]."""
    found: np.ndarray = path(trace).points[(query.layer or 1) - 1]
    return found


def figure(query: TrajectoryQuery, traces: list[Trace]) -> Figure:
    """A line from word to word; two sentences share the plane, two models have each their own."""
    queries = [fitted(query, trace) for trace in traces]
    names = [units.run_name(query, traces, number) for number in range(len(traces))]
    if len({trace.model for trace in traces}) > 1:
        plots = [plane([queries[run]], [traces[run]], [names[run]], run) for run in range(2)]
        plot = beside(*plots)
    else:
        plot = plane(queries, traces, [trace.text for trace in traces], 0)
    longest = max(traces, key=lambda trace: len(trace.tokens))
    plot = replace(plot, playback=[word.label for word in words(longest)])
    summary = list(summaries(queries, traces, names))
    if len(traces) == 2 and traces[0].model == traces[1].model:
        summary += list(parting(queries[0], traces))
    return Figure(plot, summary, table(queries, traces), [(each.layer or 1) - 1 for each in queries])


def plane(queries: Sequence[TrajectoryQuery], traces: Sequence[Trace], names: Sequence[str], series: int) -> Plot:
    """The paths of one model."""
    number, lang = (queries[0].layer or 1) - 1, queries[0].lang
    found = [points(*run) for run in zip(queries, traces, strict=True)]
    everything = np.concatenate([path(traces[0]).spread[number], *found])
    low, high = everything.min(0), everything.max(0)
    room = MARGIN * (high - low)
    shares = path(traces[0]).explained[number]
    axes = [
        Axis(translate(lang, "trajectory.axis", number=axis + 1, share=percent(lang, float(shares[axis]))),
             limits=(float(low[axis] - room[axis]), float(high[axis] + room[axis])))
        for axis in range(2)
    ]  # fmt: skip
    labels = [[f"{word.position} {shortened(word.label)}" for word in words(trace)] for trace in traces]
    every = [label for each in labels for label in each]
    ways = found if len(every) <= FEW else ()
    places = label_places(np.concatenate(found), every, low - room, high + room, ways)
    curves, start = [], 0
    for run, (line, texts) in enumerate(zip(found, labels, strict=True)):
        beside_points = places[start : start + len(line)]
        start += len(line)
        hovers = [translate(lang, "trajectory.hover", word=shortened(word.label), step=word.position)
                  for word in words(traces[run])]  # fmt: skip
        shown = [text if place else "" for text, place in zip(texts, beside_points, strict=True)]
        curves.append(Curve(names[run], line[:, 1], line[:, 0], series + run, texts=shown, hovers=hovers, walked=True,
                            places=[place or "top center" for place in beside_points]))  # fmt: skip
    return chart(curves, lang, *axes, height=560, square=True)


def summaries(queries: Sequence[TrajectoryQuery], traces: Sequence[Trace], names: Sequence[str]) -> Iterable[Message]:
    """How much of the variance each plane shows, and the longest step in it of each run."""
    lang, one_plane = queries[0].lang, len({trace.model for trace in traces}) == 1
    for run, (query, trace) in enumerate(zip(queries, traces, strict=True)):
        if not one_plane or run == 0:
            share = float(path(trace).explained[(query.layer or 1) - 1].sum())
            model = model_title(trace.model, lang) if one_plane else names[run]
            yield say("trajectory.summary.plane", model=model, share=Strong(percent(lang, share)))
        steps = np.linalg.norm(np.diff(points(query, trace), axis=0), axis=1)
        yield say(
            f"trajectory.summary{'' if trace.attention is None else '.parallel'}{'.one' if len(steps) == 1 else ''}",
            sentence=translate(lang, f"sentence.{run + 1}") if one_plane and len(traces) > 1 else "",
            word=Strong(indexed(words(trace), int(steps.argmax()) + 1)), distance=decimal(lang, float(steps.max()), 2),
        )  # fmt: skip


def parting(query: TrajectoryQuery, traces: Sequence[Trace]) -> Iterable[Message]:
    """Up to which word the two paths are one, and how far from each other they end."""
    ours, theirs = (points(query, trace) for trace in traces)
    labels = [words(trace) for trace in traces]
    both = min(len(ours), len(theirs))
    apart = np.abs(ours[:both] - theirs[:both]).max(1) > 1e-4
    end = decimal(query.lang, float(np.linalg.norm(ours[-1] - theirs[-1])), 2)
    if not apart.any():
        same = len(ours) == len(theirs)
        yield say("trajectory.summary.same" if same else "trajectory.summary.together", count=str(both), end=end)
        return
    at = int(apart.argmax())
    if labels[0][at].label == labels[1][at].label:  # what comes later has been read already
        yield say("trajectory.summary.apart", word=Strong(labels[0][at].label), end=Strong(end))
        return
    yield say(
        "trajectory.summary.parting",
        position=str(at),
        first=Strong(labels[0][at].label),
        second=Strong(labels[1][at].label),
        end=Strong(end),
    )


def table(queries: Sequence[TrajectoryQuery], traces: Sequence[Trace]) -> Table:
    """Every point."""
    columns = (
        "column.model",
        "column.run",
        "column.position",
        "column.word",
        "column.first_axis",
        "column.second_axis",
    )
    lines = partial(rows, queries, traces)
    return Table(columns, lines, sum(len(trace.tokens) for trace in traces), columns, lines)


def rows(queries: Sequence[TrajectoryQuery], traces: Sequence[Trace]) -> Iterable[tuple[Cell, ...]]:
    """Model, run, position, word, and the two coordinates."""
    for run, (query, trace) in enumerate(zip(queries, traces, strict=True), start=1):
        for word, (first, second) in zip(words(trace), points(query, trace).tolist(), strict=True):
            yield trace.model, run, word.position, word.label, first, second


VIEW = View(
    name="trajectory",
    chapter="rnn",
    place=2,
    query=TrajectoryQuery,
    needs=frozenset({"hidden"}),
    figure=figure,
    preferred=("lstm", "gru", "rnn"),
)
