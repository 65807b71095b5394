"""Vectors of whole words, learned by skip-gram: how near two words are, and which are nearest to one."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

# A word, with its hyphens ("U-Bahn"), a hyphen at its end ("Bau-"), or a sign by itself.
WORD = re.compile(r"\w+(?:-\w+)*-?|[^\w\s]")


class Neighbour(NamedTuple):
    """A word and the cosine of the angle between its vector and another's."""

    word: str
    cosine: float


@dataclass(frozen=True)
class WordVectors:
    """The words, most frequent first, and their vectors float32[words, units]."""

    words: tuple[str, ...]
    vectors: np.ndarray

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def directions(self) -> np.ndarray:
        """The vectors brought to length 1."""
        directions: np.ndarray = self.vectors / np.linalg.norm(self.vectors, axis=1, keepdims=True)
        return directions

    def row(self, word: str) -> int | None:
        """The row of a word, or else of the same word in lower case or with a capital; None if it is unknown."""
        forms = (word, word.lower(), word.capitalize())
        return next((self.rows[form] for form in forms if form in self.rows), None)

    def cosine(self, one: str, other: str) -> float:
        """How near two words are, between −1 and 1; raises KeyError for an unknown word."""
        ours, theirs = (self.directions[self._known(word)] for word in (one, other))
        return float(ours @ theirs)

    def nearest(self, word: str, count: int = 10) -> list[Neighbour]:
        """The words nearest to this one, itself left out; raises KeyError for an unknown word."""
        row = self._known(word)
        cosines = self.directions @ self.directions[row]
        cosines[row] = -np.inf
        return [Neighbour(self.words[index], float(cosines[index])) for index in np.argsort(-cosines)[:count]]

    def _known(self, word: str) -> int:
        row = self.row(word)
        if row is None:
            raise KeyError(word)
        return row
