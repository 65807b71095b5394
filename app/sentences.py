"""Sentences that several networks read: the runs of each, in the order of the lecture."""

from collections.abc import Sequence
from typing import NamedTuple

from app.messages import translate
from app.query import Query
from app.views import network_title
from models.trace import Trace


class Sentence(NamedTuple):
    """The runs of one sentence in the order of the lecture, its number, and the place of its first run among all."""

    number: int
    traces: list[Trace]
    start: int

    @property
    def text(self) -> str:
        """What was typed."""
        return self.traces[0].text


def begin(query: Query, number: int) -> str:
    """Says which sentence is meant, counted from 0, where there are two."""
    return "" if query.vs is None else translate(query.lang, f"sentence.{number + 1}")


def reader(query: Query, number: int, model: str) -> str:
    """What a summary calls a network, and which sentence it read where there are two."""
    title = network_title(model, query.lang)
    return title if query.vs is None else translate(query.lang, f"run.{number + 1}", model=title)


def by_sentence(query: Query, traces: Sequence[Trace]) -> list[Sentence]:
    """The traces by sentence, where its networks have run in the opposite order, the encoder first."""
    count = len(traces) // len(query.texts())
    return [
        Sentence(number, list(traces[start : start + count][::-1]), start)
        for number, start in enumerate(range(0, len(traces), count))
    ]
