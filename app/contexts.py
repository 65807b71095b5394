"""Draws one word in two sentences: its own vector, its states in an encoder, and the words near them at each layer."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from app import align
from app.messages import Lang, Message, Strong, decimal, quotations, say, translate, visible
from app.plotting import Axis, Curve, Dash, Plot, chart
from app.query import Query, QueryError
from app.views import Cell, Figure, Mark, Marked, Ranked, Table, Term
from app.words import Word, words
from models import nouns
from models.run import Run
from models.trace import Context, Neighbourhood, Trace

ENCODER = "encoder"
LINES = 5  # words in one picture
EQUAL = 0.9995  # from here on a cosine is told as 1


class Shared(NamedTuple):
    """A word of both sentences with its place in the encoder's run of each."""

    word: str
    first: int
    second: int


class Pair(NamedTuple):
    """The two sentences: the tables of word vectors looked up, the encoder's runs, and the words they share."""

    tables: Sequence[Trace]
    runs: Sequence[Trace]
    shared: Sequence[Shared]
    cosines: np.ndarray  # of the two states of each shared word, [stages, words]

    @property
    def main(self) -> int:
        """The number of the shared word whose two states are farthest apart in the end, a noun where there is one."""
        named = [at for at, one in enumerate(self.shared) if one.word[0].isupper() and nouns.known(one.word)]
        return min(named or range(len(self.shared)), key=lambda at: float(self.cosines[-1, at]))

    @property
    def shown(self) -> list[int]:
        """The numbers of the words that have a line, the main one first, then those farthest apart in the end."""
        others = [int(at) for at in np.argsort(self.cosines[-1], kind="stable") if at != self.main]
        return [self.main, *others][:LINES]


def runs(table: str, texts: Sequence[str]) -> list[Run]:
    """Both sentences looked up in a table of word vectors, and read by the encoder."""
    return [Run(table, text, "neighbours") for text in texts] + [Run(ENCODER, text, "contexts") for text in texts]


def context(trace: Trace) -> Context:
    """What the experiment recorded."""
    assert trace.context is not None
    return trace.context


def typed(trace: Trace) -> list[Word]:
    """The words that are one token each; pieces of a word mean nothing by themselves."""
    found = words(trace)
    behind = [*(word.kind == "joint" for word in found[1:]), False]
    return [word for word, cut in zip(found, behind, strict=True)
            if word.kind == "word" and not cut and any(map(str.isalnum, word.label))]  # fmt: skip


def paired(traces: Sequence[Trace]) -> Pair:
    """The words that both sentences have, repeated ones in order; raises QueryError where there is none."""
    first, second = (typed(trace) for trace in traces[2:])
    partners = align.pairs([word.label for word in first], [word.label for word in second], "word")
    shared = [
        Shared(word.label, word.position, second[other].position)
        for word, other in zip(first, partners, strict=True) if other is not None
    ]  # fmt: skip
    if not shared:
        raise QueryError("no_shared_word", "vs", say("error.no_shared_word"))
    ours, theirs = (context(trace).centred for trace in traces[2:])
    pairs = [cosine(ours[:, one.first], theirs[:, one.second]) for one in shared]
    return Pair(traces[:2], traces[2:], shared, np.stack(pairs, 1))


def cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The cosines of vectors [stages, units], [stages]."""
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    found: np.ndarray = (first * second).sum(-1) / np.maximum(lengths, 1e-12)
    return found


def figure(query: Query, traces: Sequence[Trace]) -> Figure:
    """How near the two states of each shared word are, stage by stage, and what is near one of them."""
    pair = paired(traces)
    table = Table(COLUMNS, partial(rows, pair), len(pair.shared) * (len(pair.cosines) + 1) * 2, COLUMNS,
                  partial(rows, pair))  # fmt: skip
    near = list(nearby(query.lang, pair))
    return Figure(drawn(query.lang, pair), list(summary(query.lang, pair)), table, token_runs=(2, 3), marked=near)


def stage_names(lang: Lang, pair: Pair) -> list[str]:
    """The stages: the table of word vectors, the encoder's own, the same with its place, then layer by layer."""
    return [stage.message.text(lang) for stage in stages(pair)]


def stages(pair: Pair) -> list[Term]:
    """The stages for a table."""
    first = [Term(name, say(f"contexts.stage.{name}")) for name in ("table", "inputs", "embeddings")]
    layers = range(1, len(pair.cosines) - 1)
    return first + [Term(f"hidden {layer}", say("contexts.stage.layer", layer=layer)) for layer in layers]


def drawn(lang: Lang, pair: Pair) -> Plot:
    """A line for each shared word, and what is usual for the same word and for different ones."""
    names, usual = stage_names(lang, pair), context(pair.runs[0])
    curves = []
    for series, at in enumerate(pair.shown):
        one = pair.shared[at]
        known = 1.0 if found(pair.tables[0], one.word) is not None else np.nan
        values = np.array([known, *pair.cosines[:, at]], np.float32)
        curves.append(Curve(visible(one.word), values, series=series, hovers=hovers(lang, pair, at, values)))
    elsewhere: tuple[tuple[str, np.ndarray, Dash], ...] = (
        ("same", usual.same_words, "dash"), ("different", usual.different_words, "dot"),
    )  # fmt: skip
    for name, numbers, dash in elsewhere:
        title = translate(lang, f"contexts.usual.{name}")
        told = [f"{title}\n{stage}: {decimal(lang, float(value), 4)}"
                for stage, value in zip(names[1:], numbers, strict=True)]  # fmt: skip
        curves.append(Curve(title, np.array([np.nan, *numbers]), series=5, dash=dash, kind="line", hovers=["", *told]))
    lowest = min(0.0, *(float(np.nanmin(curve.y)) for curve in curves))
    y = Axis(translate(lang, "contexts.axis"), limits=(lowest - 0.05, 1.05))
    return chart(curves, lang, Axis("", ticks=names), y, height=440)


def hovers(lang: Lang, pair: Pair, at: int, values: np.ndarray) -> list[str]:
    """What is said of each point of a line: the cosine, and what is near in each sentence."""
    one = pair.shared[at]
    near = [neighbours(pair, run, place, one.word) for run, place in enumerate((one.first, one.second))]
    return [
        translate(lang, "contexts.hover", word=visible(one.word), stage=stage,
                  cosine="–" if np.isnan(value) else decimal(lang, float(value), 4), first=listed(first),
                  second=listed(second))
        for stage, value, first, second in zip(stage_names(lang, pair), values, *near, strict=True)
    ]  # fmt: skip


def listed(row: Sequence[tuple[str, float]]) -> str:
    """Neighbours in a line."""
    return ", ".join(name for name, _ in row) or "–"


def nearby(lang: Lang, pair: Pair) -> Iterable[Marked]:
    """The words near the main word in each sentence, stage by stage."""
    one = pair.shared[pair.main]
    near = [neighbours(pair, run, place, one.word) for run, place in enumerate((one.first, one.second))]
    for stage, first, second in zip(stage_names(lang, pair), *near, strict=True):
        if first or second:
            same = listed(first) if first == second else f"1  {listed(first)}   ·   2  {listed(second)}"
            yield Marked(stage, [Mark(same)])


def found(table: Trace, word: str) -> int | None:
    """The place of a word that the table of word vectors knows."""
    return next((at for at, token in enumerate(table.tokens) if token.id >= 0 and token.text == word), None)


def neighbours(pair: Pair, run: int, place: int, word: str) -> list[list[tuple[str, float]]]:
    """For each row of the figure the words near one word in one sentence with their cosines, nearest first."""
    part, count = context(pair.runs[run]), context(pair.runs[run]).context_cosines.shape[-1]
    table, near = found(pair.tables[run], word), pair.tables[run].neighbourhood
    assert isinstance(near, Neighbourhood)
    first = [] if table is None else list(
        zip(near.neighbours[table], near.neighbour_cosines[table].tolist(), strict=True)
    )[:count]  # fmt: skip
    return [first] + [
        list(zip(names[place], shares[place].tolist(), strict=True))
        for names, shares in zip(part.context_near, part.context_cosines, strict=True)
    ]


def summary(lang: Lang, pair: Pair) -> Iterable[Message]:
    """How near the two states of the main word are, what its place alone does, what is usual, and what is near."""
    at, usual = pair.main, context(pair.runs[0])
    one, cosines = pair.shared[at], pair.cosines[:, at]
    word, last = Strong(visible(one.word)), float(cosines[-1])
    if last >= EQUAL:
        yield say("contexts.summary.equal", word=word)
    else:
        yield say("contexts.summary", word=word, first=decimal(lang, float(cosines[2]), 2), layers=len(cosines) - 2,
                  last=Strong(decimal(lang, last, 2)))  # fmt: skip
        if cosines[1] < EQUAL:
            yield say("contexts.summary.place", cosine=decimal(lang, float(cosines[1]), 2))
        same, different = float(usual.same_words[-1]), float(usual.different_words[-1])
        key = "farther" if last < same else "nearer"
        yield say(f"contexts.summary.{key}", same=decimal(lang, same, 2), different=decimal(lang, different, 2))
    near = [neighbours(pair, run, place, one.word)[-1] for run, place in enumerate((one.first, one.second))]
    first, second = (quotations(lang, [name for name, _ in row[:3]]) for row in near)
    yield say("contexts.summary.near", first=first, second=second)
    if len(pair.shared) > LINES:
        yield say("contexts.summary.shown", shown=LINES, count=len(pair.shared))


COLUMNS = ("column.model", "column.run", "column.position", "column.word", "column.layer_stage", "column.cosine",
           "column.neighbours")  # fmt: skip


def rows(pair: Pair) -> Iterable[tuple[Cell, ...]]:
    """For each shared word, stage and sentence the cosine of its two vectors, and the words near it there."""
    names = stages(pair)
    for at, one in enumerate(pair.shared):
        for run, place in enumerate((one.first, one.second)):
            near = neighbours(pair, run, place, one.word)
            known = found(pair.tables[run], one.word) is not None
            cosines: list[float | None] = [1.0 if known else None, *pair.cosines[:, at].tolist()]
            for stage, (share, row) in enumerate(zip(cosines, near, strict=True)):
                trace = pair.runs[run] if stage else pair.tables[run]
                yield (trace.model, run + 1, place, one.word, names[stage], share, Ranked(row) if row else None)
