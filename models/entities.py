"""Named entities as BIO labels of words: B begins a name, I goes on with it, O is outside of all names."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CLASSES = ("PER", "LOC", "ORG", "OTH")  # persons, places, organisations, others
LABELS = ("O", *(f"{place}-{name}" for name in CLASSES for place in "BI"))


class Span(NamedTuple):
    """A name: the places of its first word and of the word after its last, and its class."""

    start: int
    end: int
    name: str


def words(pieces: Sequence[str]) -> list[tuple[int, int]]:
    """From and to (not included) of the pieces of each word; a piece without ## begins one."""
    starts = [place for place, piece in enumerate(pieces) if not piece.startswith("##")]
    return list(zip(starts, [*starts[1:], len(pieces)], strict=True))


def best_labels(scores: np.ndarray) -> list[str]:
    """The likeliest label of each word from scores [words, labels], from left to right; I- follows its own name only.

    A label depends on nothing to its right, so that a model which reads from left to right keeps to that.
    """
    chosen = ["O"]
    for row in scores:
        allowed = [index for index, label in enumerate(LABELS) if may_follow(label, chosen[-1])]
        chosen.append(LABELS[max(allowed, key=lambda index: float(row[index]))])
    return chosen[1:]


def may_follow(label: str, before: str) -> bool:
    """Whether a label can stand after another: anywhere but for I-, which goes on with a name of its class."""
    return label[0] != "I" or before in (f"B-{label[2:]}", label)


def spans(labels: Sequence[str]) -> list[Span]:
    """The names that these labels mark; an I- that follows no name of its class begins one."""
    found: list[Span] = []
    before = "O"
    for place, label in enumerate(labels):
        if label != "O":
            if label[0] == "I" and may_follow(label, before):
                found[-1] = found[-1]._replace(end=place + 1)
            else:
                found.append(Span(place, place + 1, label[2:]))
        before = label
    return found
