"""Guesses: after which word a model is asked, or in place of which hidden one, and what it finds likely there."""

from collections.abc import Container, Sequence
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from app.query import Places, Query
from app.words import place_label, usual, words
from models import registry, tokenizer
from models.errors import InputError
from models.run import Change, Run
from models.trace import Expectation, Token, Trace, typed_places

MOST = 20  # pieces of one typed character, at most


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
