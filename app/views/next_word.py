"""Next word: what a language model expects to come, or an encoder in place of a hidden word, at a temperature.

A click goes on with the text, or puts the word in.
"""

from collections.abc import Container, Iterable, Sequence
from functools import partial
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from app import units
from app.messages import Lang, Message, Strong, decimal, percent, say, translate, whole
from app.plotting import Axis, Curve, chart
from app.query import Places, Query
from app.views import Cell, Figure, Link, Table, View
from app.words import place_label, shortened, usual, words
from models import registry, tokenizer
from models.errors import InputError
from models.run import Change, Run
from models.trace import Expectation, Token, Trace, typed_places

LEAST_SHARE = 0.0005  # bars lower than this cannot be pointed at
DECIDED = 0.1  # bits of entropy under which there is no talk of being undecided
NUMBERED = 12  # more bars have no room for their numbers
STEPS = (0.2, 0.5, 1, 2)  # of an axis, in powers of ten
MOST_STEPS = 7
CLOSING = tuple(".,;:!?…)”“»'")  # stand without a space before them
MOST = 20  # pieces of one typed character, at most
HIDDEN = "[MASK]"


def reads_both_ways(model: str) -> bool:
    """Whether a model fills hidden words in, and does not guess next ones."""
    return registry.get(model).family == "encoder"


def places(trace: Trace) -> Sequence[int]:
    """After which tokens one can ask; none of an encoder."""
    return () if reads_both_ways(trace.model) else range(len(trace.tokens))


def hidden_places(trace: Trace) -> Sequence[int]:
    """Which tokens can be hidden from an encoder."""
    return typed_places(trace.tokens) if reads_both_ways(trace.model) else ()


def usual_choice(trace: Trace) -> int:
    """Which of the places that can be hidden is, where none is chosen."""
    found = hidden_places(trace)
    return found.index(usual(trace.tokens)) if found else 0


class NextWordQuery(Query):
    """After which word, or which word hidden from an encoder; at which temperature, and among how many."""

    after: Annotated[NonNegativeInt | None, Places(places, lambda trace: len(trace.tokens) - 1, place_label)] = None
    word: Annotated[PositiveInt | None, Places(hidden_places, usual_choice, place_label)] = None
    temperature: float = Field(1.0, ge=0.1, le=3, description="what the logits are divided by")
    k: int = Field(10, ge=1, le=25, description="how many of the likeliest pieces are shown and drawn from")

    def runs(self) -> list[Run]:
        """The same runs, with all that is expected."""
        return [self.asking(run) for run in super().runs()]

    def asking(self, run: Run) -> Run:
        """A run with what is expected: of an encoder at one place, of the others after every token."""
        known = run.model in registry.catalogue() and reads_both_ways(run.model)
        return Run(run.model, run.text, "expectations", Change("masked", self.place(run.text)) if known else None)

    def place(self, text: str) -> int:
        """Which token of a text is hidden from an encoder: the chosen one, the same word in a second sentence.

        Beside a model that is asked after a word it is the word that follows, for both to say the same.
        """
        first, own = tokens(self.text), tokens(text)
        if not reads_both_ways(self.model):
            place = len(first) - 1 if self.after is None else self.after + 1
            return len(own) - 1 if place >= len(first) - 1 else min(place, len(own) - 2)
        place = self.word if self.word in typed_places(first) else usual(first)
        if text == self.text or place >= len(first) - 1:
            return place
        same = [number for number in typed_places(own) if own[number].id == first[place].id]
        return same[0] if same else min(place, len(own) - 2)

    def idle(self) -> Container[str]:
        """No difference is drawn here; an encoder is asked for a word, the others after one."""
        return ("align", "after") if reads_both_ways(self.model) else ("align", "word")


def tokens(text: str) -> tuple[Token, ...]:
    """The text as an encoder reads it, however long; nothing but its own two where there is nothing to read."""
    try:
        return tokenizer.tokenize(text, MOST * len(text) + 2, end=True)
    except InputError:
        return tokenizer.tokenize(".", 3, end=True)[::2]


class Guess(NamedTuple):
    """A piece: its id, how it is written, and its probability at the temperature."""

    id: int
    written: str
    share: float


class Asked(NamedTuple):
    """One run, asked after the token at `place`, or what stands there where that is hidden from the model.

    `logs` are log p at the temperature of all pieces, [pieces]. At the place of [SEP] a hidden word is put before it.
    """

    number: int
    trace: Trace
    place: int
    hides: bool
    logs: np.ndarray

    def best(self, count: int) -> list[Guess]:
        """The likeliest pieces that can be written."""
        likely = np.argpartition(-self.logs, count)[: count + 1]
        likely = np.flatnonzero(self.logs >= self.logs[likely].min())  # those with equal chances too
        ranked = likely[np.argsort(-self.logs[likely], kind="stable")][:count]
        return [self.guess(int(piece)) for piece in ranked]

    def guess(self, piece: int) -> Guess:
        """A piece as this run expects it."""
        return Guess(piece, tokenizer.piece(piece), float(np.exp(self.logs[piece])))

    @property
    def word(self) -> str:
        """The word after which is asked, or the hidden one."""
        return words(self.trace)[self.place].label

    @property
    def behind(self) -> bool:
        """Whether the hidden word stands behind the text."""
        return self.hides and self.trace.tokens[self.place].special

    @property
    def key(self) -> str:
        """How the texts about this way of asking begin."""
        return "next_word.behind" if self.behind else "next_word.hidden" if self.hides else "next_word"

    @property
    def ends(self) -> bool:
        """Whether the text is likeliest to end here, where the model writes on."""
        return not self.hides and self.best(1)[0].written == "[SEP]"

    @property
    def real(self) -> int | None:
        """The place of the word that the text itself has, if it has one."""
        place = self.place if self.hides else self.place + 1
        return None if self.behind or place >= len(self.trace.tokens) else place


def asked(query: NextWordQuery, number: int, traces: list[Trace]) -> Asked:
    """A run at the chosen place; a second sentence of another length is asked at its own end where the first is."""
    trace, first = traces[number], traces[0]
    hides = reads_both_ways(trace.model)
    if hides or reads_both_ways(first.model):
        place = query.place(trace.text) - (not hides)
    else:
        end = len(trace.tokens) - 1
        assert query.after is not None
        place = end if query.after == len(first.tokens) - 1 else min(query.after, end)
    return Asked(number, trace, place, hides, tempered(expectation(trace).log_probabilities[place], query))


def expectation(trace: Trace) -> Expectation:
    """What a run expects."""
    assert trace.expectation is not None
    return trace.expectation


def tempered(logs: np.ndarray, query: NextWordQuery) -> np.ndarray:
    """log softmax(log p / T) over all pieces, [pieces]; dividing logits or log p by T gives the same."""
    scaled = logs.astype(np.float64) / query.temperature
    highest = scaled.max()
    found: np.ndarray = scaled - highest - np.log(np.exp(scaled - highest).sum())
    return found


def figure(query: NextWordQuery, traces: list[Trace]) -> Figure:
    """A bar for each likely piece; two runs stand beside each other at the same pieces."""
    found = [asked(query, number, traces) for number in range(len(traces))]
    shown = list(dict.fromkeys(guess.id for run in found for guess in run.best(query.k)))
    room = len(shown) * len(found) <= NUMBERED
    curves = [curve(query, run, shown, room) for run in found]
    labels = [shortened(tokenizer.piece(piece)) for piece in shown]
    title = translate(query.lang, "next_word.axis", temperature=decimal(query.lang, query.temperature, 1))
    top = max(float(np.exp(run.logs[shown]).max()) for run in found)
    begun = " / ".join(dict.fromkeys(map(gap, found)))
    plot = chart(curves, query.lang, Axis(begun, ticks=labels), shares(query.lang, title, top * 1.12), height=400)
    links = [link for run in found[:1] for link in onward(query, run, shown, top)]
    summary = [message for run in found for message in summaries(query, run, traces)]
    if any(run.ends for run in found):
        summary.append(say("next_word.summary.end", option=translate(query.lang, "option.after")))
    return Figure(plot, summary, table(found, shown), links=links)


def shares(lang: Lang, title: str, top: float) -> Axis:
    """An axis of probabilities from 0, in percent as over the bars."""
    power = 10.0 ** np.floor(np.log10(top))
    step = next(step for part in STEPS if top / (step := part * power) < MOST_STEPS)
    at = np.arange(0, top, step).tolist()
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)) - 2)
    return Axis(title, [percent(lang, share, digits) for share in at], limits=(0, top), at=at)


def gap(run: Asked) -> str:
    """The text that goes on, or that has a gap."""
    token, text = run.trace.tokens[run.place], run.trace.text
    if run.behind:
        return f"{text} {HIDDEN}"
    if run.hides:
        return f"{text[: token.start]}{HIDDEN}{text[token.end :]}"
    return "…" if token.special else f"{text[: token.end]} …"


def curve(query: NextWordQuery, run: Asked, shown: list[int], numbered: bool) -> Curve:
    """A run's bars, with their numbers where there is room."""
    guesses = [run.guess(piece) for piece in shown]
    hover = [
        translate(query.lang, f"{run.key}.hover", last=run.word, word=guess.written,
                  share=percent(query.lang, guess.share))
        for guess in guesses
    ]  # fmt: skip
    texts = [percent(query.lang, guess.share) for guess in guesses] if numbered else []
    return Curve(units.run_title(query, run.trace), np.array([guess.share for guess in guesses]), series=run.number,
                 kind="bar", hovers=hover, texts=texts)  # fmt: skip


def onward(query: NextWordQuery, run: Asked, shown: list[int], top: float) -> Iterable[Link]:
    """The text with one of the pieces behind it, or in place of the hidden word, which stays the one asked for."""
    puts = run.hides and not run.behind
    group = translate(query.lang, "next_word.put" if puts else "next_word.append")
    for place, guess in enumerate(map(run.guess, shown)):
        text = replaced(run, guess.written) if puts else joined(run, guess.written)
        if text is None or guess.share < LEAST_SHARE:
            continue
        share = percent(query.lang, guess.share)
        label = say("next_word.put.link" if puts else "next_word.link", word=guess.written, share=share)
        kept = run.place if puts and run.place in typed_places(tokens(text)) else None
        on = query.changed(text=text, after=None, word=kept)
        yield Link("next_word", on, label, group, ("x", "y"), (place - 0.5, 0, place + 0.5, top * 1.12))


def joined(run: Asked, piece: str) -> str | None:
    """The text up to the place with a piece behind it; None for what ends a text or is no word."""
    if piece.startswith("["):
        return None
    token = run.trace.tokens[run.place]
    before = run.trace.text[: token.end] if run.behind or not token.special else ""
    if piece.startswith("##"):
        return before + piece[2:]
    return before + piece if piece in CLOSING or not before else f"{before} {piece}"


def replaced(run: Asked, piece: str) -> str | None:
    """The text with a piece in place of the hidden token; None for what is no word."""
    if piece.startswith("["):
        return None
    token, text = run.trace.tokens[run.place], run.trace.text
    before, behind = text[: token.start], text[token.end :]
    if piece.startswith("##"):
        return before.rstrip() + piece[2:] + behind
    if piece in CLOSING:
        return before.rstrip() + piece + behind
    letter = piece[0].isalnum()
    glued = letter and (before[-1:].isalnum() or before[-1:] in tuple(".,;:!?…"))  # a sign or a joint stood there
    goes_on = run.place + 1 < len(run.trace.tokens) and run.trace.tokens[run.place + 1].text.startswith("##")
    apart = letter and behind[:1].isalnum() and not goes_on
    return f"{before}{' ' * bool(glued and before)}{piece}{' ' * apart}{behind}"


def entropy(logs: np.ndarray) -> float:
    """−Σ p·log₂ p in bits."""
    return float(-(np.exp(logs) * logs).sum() / np.log(2))


def summaries(query: NextWordQuery, run: Asked, traces: list[Trace]) -> Iterable[Message]:
    """The likeliest piece, how undecided the model is, what the k together have, and what stands in the text."""
    best = run.best(query.k)
    bits = entropy(run.logs)
    together = sum(guess.share for guess in best)
    yield say(
        f"{run.key}.summary", model=units.run_name(query, traces, run.number), last=run.word,
        word=Strong(best[0].written), share=Strong(percent(query.lang, best[0].share)),
    )  # fmt: skip
    yield say(
        "next_word.entropy.none" if bits < DECIDED else "next_word.entropy", bits=decimal(query.lang, bits, 1),
        words=whole(query.lang, round(2**bits)) if bits > 3.3 else decimal(query.lang, 2**bits, 1),
    )  # fmt: skip
    if not run.ends and len(best) > 1 and query.vs is None:  # two sentences are long
        yield say(
            "next_word.summary.k", k=len(best), together=percent(query.lang, together), word=best[0].written,
            share=percent(query.lang, best[0].share / together),
        )  # fmt: skip
    if run.real is not None:
        token = run.trace.tokens[run.real]
        share = float(np.exp(run.logs[token.id]))
        rank = int((run.logs > run.logs[token.id]).sum()) + 1
        yield say(
            "next_word.hidden.real" if run.hides else "next_word.summary.real",
            word=Strong(words(run.trace)[run.real].label), share=percent(query.lang, share),
            rank=whole(query.lang, rank),
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
        logs = expectation(run.trace).log_probabilities[run.place]
        for piece in shown:
            guess, plain = run.guess(piece), float(np.exp(logs[piece]))
            yield run.trace.model, run.number + 1, run.word, guess.written, piece, guess.share, plain


VIEW = View(
    name="next_word",
    chapter="transformer",
    place=2,
    query=NextWordQuery,
    needs=frozenset({"hidden"}),
    figure=figure,
    experiment="expectations",
    preferred=("decoder", "gru", "lstm", "rnn", "encoder"),
)
