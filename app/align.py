"""Which tokens of two runs belong together, so that a difference compares like with like."""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Literal

Align = Literal["word", "position"]


def pairs(first: Sequence[str], second: Sequence[str], how: Align) -> list[int | None]:
    """For each token of the first run its partner's place in the second, or None.

    By position the n-th token belongs to the n-th; by word to the same word, repeated words in order.
    """
    if how == "position":
        return [place if place < len(second) else None for place in range(len(first))]
    places: dict[str, deque[int]] = defaultdict(deque)
    for place, word in enumerate(second):
        places[word].append(place)
    return [places[word].popleft() if places[word] else None for word in first]
