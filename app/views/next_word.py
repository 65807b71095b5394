"""Next word: what a language model expects to come, at a temperature, and the text that goes on with a click."""

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field, NonNegativeInt

from app import units
from app.messages import Message, Strong, decimal, percent, say, translate
from app.plotting import Axis, Curve, chart
from app.query import Choices, Query, Value
from app.views import Cell, Figure, Link, Table, View, model_title
from app.words import shortened, word_at
from models import tokenizer
from models.run import Run
from models.trace import Trace

LEAST_SHARE = 0.0005  # bars lower than this cannot be pointed at
CLOSING = tuple(".,;:!?…)”“»'")  # stand without a space before them


def places(trace: Trace) -> Sequence[int]:
    """After which tokens one can ask."""
    return range(len(trace.tokens))


def place_label(trace: Trace, place: Value) -> str:
    """A word and its place."""
    return f"{place} · {shortened(word_at(trace, int(place)).label)}"


class NextWordQuery(Query):
    """After which word, at which temperature, and among how many."""

    after: Annotated[NonNegativeInt | None, Choices(places, lambda trace: len(trace.tokens) - 1, place_label)] = None
    temperature: float = Field(1.0, ge=0.1, le=3, description="what the logits are divided by")
    k: int = Field(10, ge=1, le=25, description="how many of the likeliest pieces are shown and drawn from")

    def runs(self) -> list[Run]:
        """The same runs, with all that is expected."""
        return [Run(run.model, run.text, "expectations") for run in super().runs()]

    def idle(self) -> Container[str]:
        """No difference is drawn here."""
        return ("align",)


class Guess(NamedTuple):
    """A piece: its id, how it is written, and its probability at the temperature."""

    id: int
    written: str
    share: float


class Asked(NamedTuple):
    """One run, asked after the token at `place`; log p at the temperature of all pieces, [pieces]."""

    number: int
    trace: Trace
    place: int
    logs: np.ndarray

    def best(self, count: int) -> list[Guess]:
        """The likeliest pieces that can be written."""
        ranked = np.argsort(-self.logs, kind="stable")[:count]
        return [self.guess(int(piece)) for piece in ranked]

    def guess(self, piece: int) -> Guess:
        """A piece as this run expects it."""
        return Guess(piece, tokenizer.piece(piece), float(np.exp(self.logs[piece])))

    @property
    def last(self) -> str:
        """The word after which is asked."""
        return word_at(self.trace, self.place).label


def asked(query: NextWordQuery, number: int, trace: Trace) -> Asked:
    """A run at the chosen place; a second sentence of another length is asked at its own end where the first is."""
    assert trace.expectation is not None and query.after is not None
    return Asked(number, trace, query.after, tempered(trace.expectation.log_probabilities[query.after], query))


def tempered(logs: np.ndarray, query: NextWordQuery) -> np.ndarray:
    """log softmax(log p / T) over all pieces, [pieces]; dividing logits or log p by T gives the same."""
    scaled = logs.astype(np.float64) / query.temperature
    highest = scaled.max()
    found: np.ndarray = scaled - highest - np.log(np.exp(scaled - highest).sum())
    return found


def figure(query: NextWordQuery, traces: list[Trace]) -> Figure:
    """A bar for each likely piece; two runs stand beside each other at the same pieces."""
    assert query.after is not None
    at_end = query.after == len(traces[0].tokens) - 1
    found = []
    for number, trace in enumerate(traces):
        end = len(trace.tokens) - 1
        place = end if at_end else min(query.after, end)
        found.append(asked(query.changed(after=place), number, trace))
    shown = list(dict.fromkeys(guess.id for run in found for guess in run.best(query.k)))
    curves = [curve(query, run, shown) for run in found]
    labels = [shortened(tokenizer.piece(piece)) for piece in shown]
    title = translate(query.lang, "next_word.axis", temperature=decimal(query.lang, query.temperature, 1))
    top = max(float(np.exp(run.logs[shown]).max()) for run in found)
    begun = " / ".join(map(beginning, found))
    plot = chart(curves, query.lang, Axis(begun, ticks=labels), Axis(title, limits=(0, top * 1.12)), height=400)
    links = [link for run in found[:1] for link in onward(query, run, shown, top)]
    summary = [message for run in found for message in summaries(query, run, traces)]
    return Figure(plot, summary, table(found, shown), links=links)


def beginning(run: Asked) -> str:
    """The text that goes on."""
    token = run.trace.tokens[run.place]
    return "…" if token.special else f"{run.trace.text[: token.end]} …"


def curve(query: NextWordQuery, run: Asked, shown: list[int]) -> Curve:
    """A run's bars."""
    guesses = [run.guess(piece) for piece in shown]
    name = f"{model_title(run.trace.model, query.lang)} · {run.trace.text}" if query.vs_model else run.trace.text
    hover = [
        translate(query.lang, "next_word.hover", last=run.last, word=guess.written,
                  share=percent(query.lang, guess.share))
        for guess in guesses
    ]  # fmt: skip
    texts = [percent(query.lang, guess.share) for guess in guesses] if len(shown) <= 12 else []
    return Curve(name, np.array([guess.share for guess in guesses]), series=run.number, kind="bar", hovers=hover,
                 texts=texts)  # fmt: skip


def onward(query: NextWordQuery, run: Asked, shown: list[int], top: float) -> Iterable[Link]:
    """The text with one of the pieces behind it."""
    group = translate(query.lang, "next_word.append")
    for place, guess in enumerate(map(run.guess, shown)):
        text = joined(run, guess.written)
        if text is None or guess.share < LEAST_SHARE:
            continue
        label = say("next_word.link", word=guess.written, share=percent(query.lang, guess.share))
        on = query.changed(text=text, after=None)
        yield Link("next_word", on, label, group, ("x", "y"), (place - 0.5, 0, place + 0.5, top * 1.12))


def joined(run: Asked, piece: str) -> str | None:
    """The text up to the place with a piece behind it; None for what ends a text or is no word."""
    if piece.startswith("["):
        return None
    token = run.trace.tokens[run.place]
    before = "" if token.special else run.trace.text[: token.end]
    if piece.startswith("##"):
        return before + piece[2:]
    return before + piece if piece in CLOSING or not before else f"{before} {piece}"


def entropy(logs: np.ndarray) -> float:
    """−Σ p·log₂ p in bits."""
    return float(-(np.exp(logs) * logs).sum() / np.log(2))


def summaries(query: NextWordQuery, run: Asked, traces: list[Trace]) -> Iterable[Message]:
    """The likeliest piece, how undecided the model is, what the k together have, and what came in the text."""
    best = run.best(query.k)
    bits = entropy(run.logs)
    together = sum(guess.share for guess in best)
    yield say(
        "next_word.summary", model=units.run_name(query, traces, run.number), last=run.last,
        word=Strong(best[0].written), share=Strong(percent(query.lang, best[0].share)),
        bits=decimal(query.lang, bits, 1), words=decimal(query.lang, 2**bits, 0),
    )  # fmt: skip
    if len(best) > 1:
        yield say(
            "next_word.summary.k", k=len(best), together=percent(query.lang, together), word=best[0].written,
            share=percent(query.lang, best[0].share / together),
        )  # fmt: skip
    if run.place + 1 < len(run.trace.tokens):
        token = run.trace.tokens[run.place + 1]
        share = float(np.exp(run.logs[token.id]))
        rank = int((run.logs > run.logs[token.id]).sum()) + 1
        yield say(
            "next_word.summary.real", word=Strong(word_at(run.trace, run.place + 1).label),
            share=percent(query.lang, share), rank=rank,
        )  # fmt: skip


def table(found: list[Asked], shown: list[int]) -> Table:
    """Each shown piece in each run, at the temperature, and at 1 as the model has it."""
    columns = ("column.model", "column.run", "column.after", "column.word", "column.id", "column.probability",
               "column.untempered")  # fmt: skip
    lines = partial(rows, found, shown)
    return Table(columns, lines, len(found) * len(shown), columns, lines)


def rows(found: list[Asked], shown: list[int]) -> Iterable[tuple[Cell, ...]]:
    """One row for each piece and run."""
    for run in found:
        part: Any = run.trace.expectation
        for piece in shown:
            guess = run.guess(piece)
            plain = float(np.exp(part.log_probabilities[run.place, piece]))
            yield run.trace.model, run.number + 1, run.last, guess.written, piece, guess.share, plain


VIEW = View(
    name="next_word",
    chapter="transformer",
    place=2,
    query=NextWordQuery,
    needs=frozenset({"predictions"}),
    figure=figure,
    preferred=("decoder", "gru", "lstm", "rnn"),
    only_preferred=True,  # those with the shared pieces
)
