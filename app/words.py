"""How the tokens of a trace are written for people: as typed, with joints, special tokens and the invisible marked."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple
from weakref import WeakKeyDictionary

from app.messages import visible
from app.query import Value
from models.trace import Token, Trace, typed_places

Kind = Literal["word", "joint", "special", "invisible", "unknown"]
USUAL = 2  # the third word of a text: in short German sentences mostly the verb
INDICES = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
LONGEST = 24  # characters of a label in a figure; the whole word stands in the token line


class Word(NamedTuple):
    """One token as a label: its place in the run, the text to show, and what kind of token it is."""

    position: int
    label: str
    kind: Kind
    piece: str


def label(token: Token, text: str) -> str:
    """The token as typed; a piece that continues a word starts with ##."""
    if token.special:
        return token.text
    typed = visible(text[token.start : token.end])
    if not typed.strip():
        return token.text
    return f"##{typed}" if token.text.startswith("##") else typed


def shortened(text: str) -> str:
    """A label short enough for an axis, with … where something is left out."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def words(trace: Trace) -> tuple[Word, ...]:
    """All tokens of a run as labels; the parts of a page ask for them in turn, so they are kept as long as the run."""
    if (found := _words.get(trace)) is None:
        found = _words[trace] = labelled(trace.tokens, trace.text)
    return found


_words: WeakKeyDictionary[Trace, tuple[Word, ...]] = WeakKeyDictionary()


def indexed(found: Sequence[Word], at: int) -> str:
    """A word as a sentence names it: of words that come more than once the how many-th it is, as an index."""
    label = found[at].label
    alike = [place for place, word in enumerate(found) if word.label == label]
    return f"{label}{str(alike.index(at) + 1).translate(INDICES)}" if len(alike) > 1 else label


def distinct(found: Sequence[Word]) -> list[str]:
    """All of them as `indexed` names each."""
    times = Counter(word.label for word in found)
    return [indexed(found, at) if times[word.label] > 1 else word.label for at, word in enumerate(found)]


def place_label(trace: Trace, place: Value) -> str:
    """A token as a control offers it: its place and how it is written."""
    return f"{place} · {shortened(words(trace)[int(place)].label)}"


def usual(tokens: Sequence[Token]) -> int:
    """The place of the third word of a text, or of its last."""
    typed = typed_places(tokens)
    found = [place for place in typed if tokens[place].text.isalpha()] or typed or [0]
    return found[min(USUAL, len(found) - 1)]


def written(trace: Trace) -> tuple[Word, ...]:
    """All tokens that a run has written as labels."""
    assert trace.written is not None
    return labelled(trace.written.words, trace.written.sentence)


def labelled(tokens: Sequence[Token], text: str) -> tuple[Word, ...]:
    """The tokens of a text as labels."""
    return tuple(
        Word(position, label(token, text), kind(token, text), token.text) for position, token in enumerate(tokens)
    )


def kind(token: Token, text: str) -> Kind:
    """What a reader should know about this token."""
    if token.special:
        return "special"
    if token.text.startswith("##"):
        return "joint"
    if not text[token.start : token.end].isprintable():
        return "invisible"
    return "unknown" if token.text == "[UNK]" else "word"
