"""Which German words are nouns, names included, by how they are written in the middle of a sentence.

The table nouns.txt.gz is counted by models/training/nouns.py, where source and licence are named; it knows nothing of
grammar: "Essen" is a noun where it has its capital.
"""

import gzip
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "nouns.txt.gz"

# Capitals of politeness: written like nouns in the middle of a sentence.
POLITE = frozenset(
    "sie ihr ihre ihrem ihren ihrer ihres ihnen du dein deine deinem deinen deiner dich dir euch euer eure".split()
)


@cache
def table() -> frozenset[str]:
    """The words that are mostly written with a capital in the middle of a sentence, in lower case."""
    with gzip.open(TABLE, "rt", encoding="utf-8") as file:
        return frozenset(line.rstrip("\n") for line in file if not line.startswith("#"))


def known(word: str) -> bool:
    """Whether the table has this word, however it is written."""
    return word.lower() in table()


def places(words: list[str], starts: list[bool]) -> list[int]:
    """Which of the words of a text are nouns; `starts` are those at the start of a sentence.

    A capital in the middle of a sentence makes a noun, except those of politeness. At the start of a sentence, and
    everywhere in a text without such capitals (or with nothing else), the table decides.
    """
    middle = [word for word, start in zip(words, starts, strict=True) if not start and word[:1].isalpha()]
    capitals = [word[:1].isupper() for word in middle if word.lower() not in POLITE]
    telling = any(capitals) and not (len(capitals) > 1 and all(word.isupper() for word in middle))
    return [
        place
        for place, (word, start) in enumerate(zip(words, starts, strict=True))
        if (word[:1].isupper() and word.lower() not in POLITE if telling and not start else known(word))
    ]
