"""Translation: what the translator writes, token by token, and which German words each step looks at."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import PositiveInt

from app.messages import Message, Strong, percent, say, translate
from app.options import fitted
from app.plotting import Panel, maps
from app.query import Choices, Query
from app.units import panel_title
from app.views import Cell, Figure, Table, View, model_title
from app.words import indexed, shortened, words, written
from models.run import Run
from models.shapes import Array
from models.trace import Trace, Written


def cross(trace: Trace) -> Array:
    """Where the steps of a run looked, [layers, heads, target_tokens, source_tokens]."""
    assert trace.decoding is not None
    return trace.decoding.cross_attention


def layers(trace: Trace) -> Sequence[int]:
    """The decoder's layers, counted from 1."""
    return range(1, len(cross(trace)) + 1)


def heads(trace: Trace) -> Sequence[str | int]:
    """The mean over the heads, and each head of a layer."""
    return ["mean", *range(1, cross(trace).shape[1] + 1)]


class TranslationQuery(Query):
    """How the translation is searched for, and whose look is shown."""

    search: Literal["beams", "greedy"] = "beams"
    layer: Annotated[PositiveInt | None, Choices(layers, standard=-1)] = None
    head: Annotated[Literal["mean"] | PositiveInt, Choices(heads)] = "mean"

    def runs(self) -> list[Run]:
        """The same runs, with the translation that this search finds."""
        return [Run(run.model, run.text, f"translation_{self.search}") for run in super().runs()]

    def idle(self) -> tuple[str, ...]:
        """No difference is drawn: the translations are of different words."""
        return ("align",)


def said(trace: Trace) -> Written:
    """What a run has written."""
    assert trace.written is not None
    return trace.written


def pieces(trace: Trace) -> list[str]:
    """The written tokens as people read them; a piece that goes on with a word begins with ##."""
    return [word.label for word in written(trace)]


def looked(query: TranslationQuery, trace: Trace) -> np.ndarray:
    """The share of each step's look that each token of the text gets, [target_tokens, source_tokens]."""
    fit = fitted(query, trace)
    layer = cross(trace)[(fit.layer or 1) - 1]
    found: np.ndarray = layer.mean(0) if fit.head == "mean" else layer[fit.head - 1]
    return found


def figure(query: TranslationQuery, traces: list[Trace]) -> Figure:
    """German down, English across: a column is a step and what it looked at."""
    hover = translate(query.lang, "translation.hover")
    panels = [
        Panel(
            panel_title(query, trace) if len(traces) == 2 else translate(query.lang, "translation.roles"),
            looked(query, trace).T, [shortened(word.label) for word in words(trace)],
            [shortened(piece) for piece in pieces(trace)], "share", hover, number, (),
        )
        for number, trace in enumerate(traces)
    ]  # fmt: skip
    plot = maps(panels, query.lang, "lanes", {"share": translate(query.lang, "translation.bar")})
    steps = max((pieces(trace) for trace in traces), key=len)
    summary = [message for trace in traces for message in told(query, trace)]
    return Figure(replace(plot, playback=steps), summary, table(query, traces))


def told(query: TranslationQuery, trace: Trace) -> Iterable[Message]:
    """The translation, how it was searched for, the least sure step, and whether it stopped before its end."""
    found = said(trace)
    if trace.model == "translator" and query.vs_model is None:
        yield say(f"translation.summary.{query.search}", text=trace.text, english=Strong(found.sentence))
    else:
        yield say(f"translation.summary.by.{query.search}", text=trace.text, sentence=Strong(found.sentence),
                  model=model_title(trace.model, query.lang))  # fmt: skip
    least = int(found.target_probabilities.argmin())
    most = int(looked(query, trace)[least].argmax())
    yield say(
        "translation.summary.least", written=indexed(written(trace), least),
        share=percent(query.lang, float(found.target_probabilities[least])), source=indexed(words(trace), most),
        look=percent(query.lang, float(looked(query, trace)[least, most])),
    )  # fmt: skip
    if not found.ended:
        yield say("translation.summary.stopped", count=len(found.words))


def table(query: TranslationQuery, traces: list[Trace]) -> Table:
    """Every step with its token, its probability, and what it looked at; in a brief one the most."""
    columns = (
        "column.model", "column.run", "column.writing_step", "column.written", "column.probability", "column.word",
        "column.look",
    )  # fmt: skip
    count = sum(looked(query, trace).size for trace in traces)
    return Table(columns, partial(rows, query, traces, False), count, columns, partial(rows, query, traces, True))


def rows(query: TranslationQuery, traces: list[Trace], brief: bool) -> Iterable[tuple[Cell, ...]]:
    """One row for each step and German token, or for the one it looked at most."""
    for run, trace in enumerate(traces, start=1):
        labels, shares = [word.label for word in words(trace)], said(trace).target_probabilities.tolist()
        for step, (piece, look) in enumerate(zip(pieces(trace), looked(query, trace), strict=True)):
            for place in [int(look.argmax())] if brief else range(len(labels)):
                yield trace.model, run, step + 1, piece, shares[step], labels[place], float(look[place])


VIEW = View(
    name="translation",
    chapter="transformer",
    place=3,
    query=TranslationQuery,
    needs=frozenset({"cross_attention"}),
    figure=figure,
    preferred=("translator",),
)
