"""Translation: what the translator writes, token by token, and which German words each step looks at."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import PositiveInt

from app.messages import Message, Strong, percent, say, translate
from app.plotting import Panel, maps
from app.query import Choices, Query
from app.views import Cell, Figure, Table, View
from app.words import shortened, word_at, words
from models.run import Run
from models.trace import Trace, Written

SPACE = "▁"  # how the English pieces write the space before them


def layers(trace: Trace) -> Sequence[int]:
    """The decoder's layers, counted from 1."""
    return range(1, len(written(trace).cross_attention) + 1)


def heads(trace: Trace) -> Sequence[str | int]:
    """The mean over the heads, and each head of a layer."""
    return ["mean", *range(1, written(trace).cross_attention.shape[1] + 1)]


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


def written(trace: Trace) -> Written:
    """What a run has written."""
    assert trace.written is not None
    return trace.written


def pieces(trace: Trace) -> list[str]:
    """The English tokens as people read them; a piece that goes on with a word begins with ##, as in German."""
    found = []
    for place, piece in enumerate(written(trace).words):
        goes_on = place and not piece.startswith((SPACE, "[")) and piece.isalpha()
        found.append(f"##{piece}" if goes_on else piece.removeprefix(SPACE) or SPACE)
    return found


def looked(query: TranslationQuery, trace: Trace) -> np.ndarray:
    """The share of each step's look that each German token gets, [target_tokens, tokens]."""
    layer = written(trace).cross_attention[(query.layer or 1) - 1]
    found: np.ndarray = layer.mean(0) if query.head == "mean" else layer[query.head - 1]
    return found


def figure(query: TranslationQuery, traces: list[Trace]) -> Figure:
    """German down, English across: a column is a step and what it looked at."""
    hover = translate(query.lang, "translation.hover")
    panels = [
        Panel(
            trace.text, looked(query, trace).T, [shortened(word.label) for word in words(trace)],
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
    found = written(trace)
    yield say(f"translation.summary.{query.search}", text=trace.text, sentence=Strong(found.sentence))
    least = int(found.target_probabilities.argmin())
    most = int(looked(query, trace)[least].argmax())
    yield say(
        "translation.summary.least", word=pieces(trace)[least],
        share=percent(query.lang, float(found.target_probabilities[least])), source=word_at(trace, most).label,
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
        labels, shares = [word.label for word in words(trace)], written(trace).target_probabilities.tolist()
        for step, (piece, look) in enumerate(zip(pieces(trace), looked(query, trace), strict=True)):
            for place in [int(look.argmax())] if brief else range(len(labels)):
                yield trace.model, run, step + 1, piece, shares[step], labels[place], float(look[place])


VIEW = View(
    name="translation",
    chapter="transformer",
    place=3,
    query=TranslationQuery,
    needs=frozenset({"attention"}),
    figure=figure,
    preferred=("translator",),
    only_preferred=True,
)
