"""A sentence made into its partner: its words turned round, or its first and last noun swapped.

Nothing else is changed: no case form, no article is mended.
"""

import unicodedata
from typing import Literal

from models import nouns

Transform = Literal["reverse", "swap"]
TRANSFORMS: tuple[Transform, ...] = ("reverse", "swap")
END = frozenset(".!?…:")  # a sentence begins after these


def split(text: str) -> tuple[list[str], list[str]]:
    """The words of a text and what stands before, between and behind them: one more than words.

    A word is what lies between blanks, without the punctuation at its edges; a sign by itself is no word.
    """
    words: list[str] = []
    between = [""]
    for blank, chunk in chunks(text):
        between[-1] += blank
        core = chunk.strip("".join({sign for sign in chunk if unicodedata.category(sign).startswith("P")}))
        if not core:
            between[-1] += chunk
            continue
        before, _, behind = chunk.partition(core)
        between[-1] += before
        words.append(core)
        between.append(behind)
    return words, between


def chunks(text: str) -> list[tuple[str, str]]:
    """The text as blanks and what is none, by turns."""
    found: list[tuple[str, str]] = []
    start = 0
    for chunk in text.split():
        at = text.index(chunk, start)
        found.append((text[start:at], chunk))
        start = at + len(chunk)
    return [*found, (text[start:], "")] if start < len(text) else found


def joined(words: list[str], between: list[str]) -> str:
    """The text that `split` took apart."""
    return between[0] + "".join(word + behind for word, behind in zip(words, between[1:], strict=True))


def reversed_words(text: str) -> str:
    """The words in the opposite order: "Der Mann biss den Hund." becomes "Hund den biss Mann Der."

    What begins and ends the text stays there; a comma stays between the same two words. Twice gives the text again.
    """
    words, between = split(text)
    return joined(words[::-1], [between[0], *between[-2:0:-1], between[-1]]) if words else text


def swapped_nouns(text: str) -> str | None:
    """The text with its first and last noun swapped, and nothing else; None where it has no two that differ."""
    words, between = split(text)
    starts = [not place or not END.isdisjoint(between[place]) for place in range(len(words))]
    places = nouns.places(words, starts)
    if len(places) < 2:
        return None
    first, last = places[0], places[-1]
    words[first], words[last] = capital(words[last], words[first]), capital(words[first], words[last])
    found = joined(words, between)
    return found if found != text else None


def capital(word: str, like: str) -> str:
    """The word with its first letter as large as that of the other."""
    letter = word[0].upper() if like[0].isupper() else word[0].lower()
    return letter + word[1:] if len(letter) == 1 and letter.lower() == word[0].lower() else word


def transformed(text: str, how: Transform) -> str | None:
    """The partner of a text; None where there is none."""
    return reversed_words(text) if how == "reverse" else swapped_nouns(text)


def made_by(text: str, vs: str | None) -> Transform | None:
    """How a second sentence follows from the first, if it does."""
    return next((how for how in TRANSFORMS if vs is not None and vs != text and vs == transformed(text, how)), None)


def same_words(first: str, second: str) -> bool:
    """Whether a text holds the words and signs of another, in whatever order."""
    return inventory(first) == inventory(second)


def inventory(text: str) -> tuple[list[str], list[str]]:
    """The words of a text and its signs outside of words, sorted."""
    words, between = split(text)
    return sorted(words), sorted("".join("".join(between).split()))
