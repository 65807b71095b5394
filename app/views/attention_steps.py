"""Attention steps: one word's way through one head in numbers, from q·k with every word to what W_O makes of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from app import align
from app.messages import Message, Strong, decimal, percent, say, signed, translate
from app.options import fitted
from app.plotting import IN_CELLS, Scale
from app.query import Choices, Layer, Places, Query
from app.stack import Row, Stack, stacks
from app.units import panel_title, run_name
from app.views import Cell, Figure, Table, Term, View
from app.words import Word, indexed, place_label, shortened, usual, words
from models.trace import Attention, Trace

STEPS = ("raw", "scaled", "masked", "softmax", "mixed", "projected")
ROWS = {"keys": "raw", "values": "mixed"} | {step: step for step in STEPS}  # the step that each row comes with
TOTALS = ("keys", "mixed", "projected")  # the rows that add up to something, or are compared with it
OUTLINED = {"word": "attention_steps.row.softmax.word", "position": "attention_steps.row.softmax.position"}
SAME = 1e-3  # relative: a factor that is so near to 1/√d is 1/√d


def attention(trace: Trace) -> Attention:
    """What a run recorded of its attention."""
    assert trace.attention is not None
    return trace.attention


def heads(trace: Trace) -> Sequence[int]:
    """The heads of a layer, counted from 1."""
    return range(1, attention(trace).attention.shape[1] + 1)


def places(trace: Trace) -> Sequence[int]:
    """Every token may look."""
    return range(len(trace.tokens))


Head = Annotated[PositiveInt | None, Choices(heads)]
Looking = Annotated[NonNegativeInt | None, Places(places, lambda trace: usual(trace.tokens), place_label)]


class AttentionStepsQuery(Query):
    """Layer, head, the word that looks, and whether the vectors behind the numbers are shown."""

    layer: Layer = None
    head: Head = None
    looking: Looking = None
    vectors: Literal["hidden", "shown"] = "hidden"


@dataclass(frozen=True)
class Way:
    """The numbers of one word on its way through one head; all arrays are over the words that are looked at."""

    trace: Trace
    words: Sequence[Word]
    place: int  # of the word that looks
    layer: int  # counted from 0, as the head
    head: int
    raw: np.ndarray  # q·k, [tokens]
    scaling: float
    scaled: np.ndarray  # [tokens]
    masked: np.ndarray  # what enters the softmax, NaN where hidden, [tokens]
    weights: np.ndarray  # the softmax, [tokens]
    mixed: np.ndarray  # a·v, [tokens, head_units]
    projected: np.ndarray  # a·v through this head's part of W_O, [tokens, units]
    whole: np.ndarray  # what the layer's attention adds to the word: all heads and the bias, [units]

    @property
    def word(self) -> str:
        """The word that looks."""
        return self.words[self.place].label

    @property
    def width(self) -> int:
        """d: how many numbers a key has."""
        return int(attention(self.trace).keys.shape[-1])

    @property
    def biased(self) -> bool:
        """Whether the model adds something for the distance before the softmax, as T5 does."""
        seen = np.isfinite(self.masked)
        return bool(np.abs(self.masked - self.scaled)[seen].max(initial=0) > 1e-4 * max(1, np.abs(self.scaled).max()))


def followed(query: AttentionStepsQuery, trace: Trace, word: str | None = None) -> Way:
    """The way of the chosen word through the chosen head; of `word` where the text has it."""
    query = fitted(query, trace)
    assert query.looking is not None
    return way(trace, (query.layer or 1) - 1, (query.head or 1) - 1, place_of(trace, word, query.looking))


def place_of(trace: Trace, word: str | None, otherwise: int) -> int:
    """Where a word stands in a text, the place itself if it stands there too."""
    same = [other.position for other in words(trace) if other.label == word]
    return otherwise if otherwise in same or not same else same[0]


def way(trace: Trace, layer: int, head: int, place: int) -> Way:
    """The numbers of the word at a place; layer and head counted from 0."""
    part = attention(trace)
    assert part.output_weights is not None and part.attention_output is not None
    raw = part.keys[layer, head] @ part.queries[layer, head, place]
    scores, weights = part.scores[layer, head, place], part.attention[layer, head, place]
    mixed = weights[:, None] * part.values[layer, head]
    return Way(
        trace, words(trace), place, layer, head, raw, float(part.scaling[layer]), raw * part.scaling[layer],
        np.where(np.isneginf(scores), np.nan, scores), weights, mixed, mixed @ part.output_weights[layer, head],
        part.attention_output[layer, place],
    )  # fmt: skip


def figure(query: AttentionStepsQuery, traces: list[Trace]) -> Figure:
    """Rows of numbers over the same words, from q·k down to W_O; two runs stand beside each other."""
    ways = [followed(query, traces[0])]
    ways += [followed(query, trace, ways[0].word) for trace in traces[1:]]
    top = max(float(way.weights.max()) for way in ways)
    before = [None, *(partners(query, ways[0], way) for way in ways[1:])]
    found = [
        Stack(
            panel_title(query, way.trace, ("looking",)) if len(ways) == 2 else "",
            [shortened(word.label) for word in way.words], rows(query, way, top, before[run]), run,
            [word.position for word in way.words],
        )
        for run, way in enumerate(ways)
    ]  # fmt: skip
    colours: dict[str, tuple[Scale, str]] = {
        name: ("signed", translate(query.lang, f"attention_steps.bar.{name}"))
        for name in ("scores", "added", *(["vectors"] if query.vectors == "shown" else []))
    }
    steps = [translate(query.lang, f"attention_steps.step.{step}") for step in STEPS]
    summary = list(told(query, ways[0]) if len(ways) == 1 else compared(query, ways, before[1]))
    plot = stacks(found, query.lang, colours, steps)
    return Figure(plot, summary, table(ways, before), [way.layer for way in ways])


def partners(query: AttentionStepsQuery, first: Way, second: Way) -> np.ndarray:
    """What the first run's word gives to the partner of each of the second run's tokens, [tokens]; NaN: it has none."""
    pieces = [[token.text for token in way.trace.tokens] for way in (second, first)]
    there = align.pairs(pieces[0], pieces[1], query.align)
    return np.array([np.nan if place is None else first.weights[place] for place in there], np.float32)


def rows(query: AttentionStepsQuery, way: Way, top: float, before: np.ndarray | None = None) -> list[Row]:
    """The steps of one run, and between them the vectors that they are made of; bars reach up to `top`, and outlines
    show the shares `before` of another run."""
    lang, shown = query.lang, query.vectors == "shown"
    head, place = (way.layer, way.head), way.place
    part = attention(way.trace)

    def row(step: str, values: np.ndarray, colours: str, total: np.ndarray | None = None, name: str = "Σ") -> Row:
        hover = translate(lang, f"attention_steps.{step}.hover")
        aside = translate(lang, f"attention_steps.{step}.total.hover") if step in TOTALS else ""
        return Row(title(query, way, step), values, hover, translate(lang, f"attention_steps.step.{step}"), colours,
                   total=total, total_name=name, total_hover=aside, step=STEPS.index(ROWS[step]))  # fmt: skip

    texts = [percent(lang, float(weight)) for weight in way.weights] if len(way.words) <= 2 * IN_CELLS else []
    key = "attention_steps.row.softmax" if before is None else OUTLINED[query.align]
    bars = Row(
        translate(lang, key), way.weights[None],
        translate(lang, "attention_steps.softmax.hover"), translate(lang, "attention_steps.step.softmax"), texts=texts,
        limit=top, step=STEPS.index("softmax"), outlines=before, hovers=changes(query, way, before),
    )  # fmt: skip
    return [
        *([row("keys", part.keys[head].T, "vectors", part.queries[head][place], "q")] if shown else []),
        row("raw", way.raw[None], "scores"),
        row("scaled", way.scaled[None], "scores"),
        row("masked", way.masked[None], "scores"),
        bars,
        *([row("values", part.values[head].T, "vectors")] if shown else []),
        row("mixed", way.mixed.T, "added", way.mixed.sum(0)),
        row("projected", way.projected.T, "added", way.projected.sum(0)),
    ]


def changes(query: AttentionStepsQuery, way: Way, before: np.ndarray | None) -> list[str]:
    """What each word gets beside what its partner gets in the other run; nothing where there is no other."""
    told, lang = [], query.lang
    others = [] if before is None else before.tolist()
    for word, share, other in zip(way.words, way.weights.tolist(), others, strict=False):
        key = "attention_steps.softmax.alone" if np.isnan(other) else "attention_steps.softmax.change"
        told.append(
            translate(lang, key, word=word.label, share=decimal(lang, share, 4), before=decimal(lang, other, 4),
                      change=signed(lang, share - other, 4))
        )  # fmt: skip
    return told


def title(query: AttentionStepsQuery, way: Way, step: str) -> str:
    """What is computed in a row, with this run's own numbers."""
    lang, part = query.lang, attention(way.trace)
    assert part.output_weights is not None
    key, kind = f"attention_steps.row.{step}", ""
    if step == "scaled" and abs(way.scaling * way.width**0.5 - 1) > SAME:
        kind = ".unscaled" if way.scaling == 1 else ".other"
    if step == "masked":
        hidden = int(np.isnan(way.masked).sum())
        kind = ".biased" if way.biased else "" if hidden else ".none"
        return translate(lang, key + kind, count=hidden)
    return translate(
        lang, key + kind, word=way.word, width=way.width, root=decimal(lang, way.width**0.5, 2),
        factor=decimal(lang, way.scaling, 4), units=part.output_weights.shape[-1],
    )  # fmt: skip


def told(query: AttentionStepsQuery, way: Way) -> Iterable[Message]:
    """The word looked at most on its way through the numbers, and what the head adds to the word in the end."""
    lang, best = query.lang, int(way.weights.argmax())
    yield say(
        "attention_steps.summary", layer=way.layer + 1, head=way.head + 1, word=Strong(indexed(way.words, way.place)),
        other=Strong(indexed(way.words, best)), raw=decimal(lang, float(way.raw[best]), 2),
        score=decimal(lang, float(way.masked[best]), 2), share=Strong(percent(lang, float(way.weights[best]))),
    )  # fmt: skip
    count = attention(way.trace).attention.shape[1]
    yield say(
        "attention_steps.summary.added", word=indexed(way.words, way.place),
        own=decimal(lang, length(way.projected.sum(0)), 2), all=decimal(lang, length(way.whole), 2), heads=count,
    )  # fmt: skip
    sizes = np.linalg.norm(way.projected, axis=1)
    if len(sizes) > 1 and (loudest := int(sizes.argmax())) != best:
        yield say(
            "attention_steps.summary.louder", loud=Strong(indexed(way.words, loudest)),
            share=percent(lang, float(way.weights[loudest])), other=indexed(way.words, best),
        )  # fmt: skip


def compared(query: AttentionStepsQuery, ways: Sequence[Way], before: np.ndarray | None) -> Iterable[Message]:
    """Where the word looks in each run, and which share changes most."""
    for number, way in enumerate(ways):
        best = int(way.weights.argmax())
        yield say(
            "attention_steps.summary.run", run=run_title(query, [each.trace for each in ways], number),
            word=Strong(indexed(way.words, way.place)), other=Strong(indexed(way.words, best)),
            raw=decimal(query.lang, float(way.raw[best]), 2),
            share=Strong(percent(query.lang, float(way.weights[best]))),
            own=decimal(query.lang, length(way.projected.sum(0)), 2),
        )  # fmt: skip
    if before is not None and not np.isnan(before).all():
        most = int(np.nanargmax(np.abs(ways[1].weights - before)))
        shares = [percent(query.lang, float(each[most])) for each in (before, ways[1].weights)]
        if shares[0] != shares[1]:
            yield say("attention_steps.summary.change", word=Strong(indexed(ways[1].words, most)), before=shares[0],
                      share=Strong(shares[1]))  # fmt: skip


def run_title(query: Query, traces: Sequence[Trace], run: int) -> str:
    """What a summary calls a run: its model and head, or which of two sentences it read."""
    return panel_title(query, traces[run], ("looking",)) if query.one_sentence else run_name(query, traces, run)


def length(vector: np.ndarray) -> float:
    """The Euclidean length of a vector."""
    return float(np.linalg.norm(vector))


def table(ways: Sequence[Way], before: Sequence[np.ndarray | None]) -> Table:
    """Every number of every step; in a brief one a line for each word, vectors by their length."""
    sizes = [4 * len(way.words) + way.mixed.size + way.projected.size for way in ways]
    return Table(
        ("column.model", "column.run", "column.position", "column.word", "column.stage", "column.unit", "column.value"),
        partial(all_rows, ways),
        sum(sizes),
        ("column.model", "column.run", "column.word", "column.qk", "column.scaled", "column.masked", "column.look",
         *(["column.look_change"] if len(ways) > 1 else []), "column.mixed", "column.projected"),
        partial(word_rows, ways, before),
    )  # fmt: skip


def term(step: str) -> Term:
    """A step for a table."""
    return Term(step, say(f"attention_steps.step.{step}"))


def all_rows(ways: Sequence[Way]) -> Iterable[tuple[Cell, ...]]:
    """For each word: the four numbers up to its share, then its part of the mixture and of what W_O makes of it."""
    for run, way in enumerate(ways, start=1):
        for word in way.words:
            label, at = (way.trace.model, run, word.position, word.label), word.position
            for step, array in zip(STEPS, (way.raw, way.scaled, way.masked, way.weights), strict=False):
                yield *label, term(step), None, number(array[at])
            for step, vectors in (("mixed", way.mixed), ("projected", way.projected)):
                for unit, value in enumerate(vectors[at].tolist(), start=1):
                    yield *label, term(step), unit, value


def word_rows(ways: Sequence[Way], before: Sequence[np.ndarray | None]) -> Iterable[tuple[Cell, ...]]:
    """A line for each word that is looked at; of two runs with the change of its share."""
    for run, (way, others) in enumerate(zip(ways, before, strict=True), start=1):
        for word in way.words:
            at = word.position
            numbers: list[Cell] = [
                float(way.raw[at]),
                float(way.scaled[at]),
                number(way.masked[at]),
                float(way.weights[at]),
            ]
            if len(ways) > 1:
                numbers.append(None if others is None else number(way.weights[at] - others[at]))
            yield way.trace.model, run, word.label, *numbers, length(way.mixed[at]), length(way.projected[at])


def number(value: float) -> float | None:
    """A value for a table; None where there is none."""
    return None if np.isnan(value) else float(value)


VIEW = View(
    name="attention_steps",
    chapter="attention",
    place=2,
    query=AttentionStepsQuery,
    needs=frozenset({"queries", "keys", "values", "scores", "attention", "attention_output"}),
    figure=figure,
    preferred=("encoder", "decoder"),
)
