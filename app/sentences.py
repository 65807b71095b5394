"""Sentences that several networks read: the runs of each, in the order of the lecture."""

from collections.abc import Sequence
from typing import NamedTuple

from app.query import Query
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


def by_sentence(query: Query, traces: Sequence[Trace]) -> list[Sentence]:
    """The traces by sentence, where its networks have run in the opposite order, the encoder first."""
    count = len(traces) // len(query.texts())
    return [
        Sentence(number, list(traces[start : start + count][::-1]), start)
        for number, start in enumerate(range(0, len(traces), count))
    ]
