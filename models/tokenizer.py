"""The German WordPiece tokenizer that all models trained here share; offsets point into the text as it was typed."""

from functools import cache, lru_cache
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import EmptyText, TooManyTokens
from models.trace import Token

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS = Path(__file__).parent / "weights"
TOKENIZER_FILE = WEIGHTS / "tokenizer" / "tokenizer.json"

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD, UNK, CLS, SEP, MASK = range(5)

# Each word of these is one piece of the vocabulary (asserted in the tests): the pictures of a lecture show words.
EXAMPLE_SENTENCES = [
    "Der Mann biss den Hund. Der Hund biss den Mann.",
    "Die Katze beißt den Hund. Katze beißt Hund. Hund beißt Katze.",
    "Der Mann, der sehr skeptisch ist und gestern spät gekommen ist, war da.",
    "Roboter, Maschine, weil.",
    "Ich sitze auf der Bank am Fluss. Ich bringe mein Geld zur Bank. Bank am Fluss, Bank mit Geld.",
    "Angela Merkel besuchte am Montag Siemens in München. Paris Hilton wohnt in Paris.",
    "Der Lehrer hasst die Schüler. Die Schüler lacht lachen.",
    "Das Haus ist groß, aber der Garten ist klein. Er kommt nicht, weil er krank ist.",
]


@cache
def tokenizer() -> "Tokenizer":
    """The tokenizer, read once; it adds no special tokens by itself."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(TOKENIZER_FILE))


def tokenize(text: str, longest: int, start: bool = True, end: bool = False) -> tuple[Token, ...]:
    """The pieces of a text, with [CLS] before and [SEP] behind where asked for.

    Raises EmptyText, and TooManyTokens where there would be more than `longest`.
    """
    found = pieces(text)
    if not found:
        raise EmptyText()
    room = longest - start - end
    if len(found) > room:
        raise TooManyTokens(count=len(found) + start + end, limit=longest, characters=found[room - 1].end)
    before = (Token("[CLS]", CLS, 0, 0, special=True),) if start else ()
    after = (Token("[SEP]", SEP, len(text), len(text), special=True),) if end else ()
    return before + found + after


@lru_cache(maxsize=16)  # networks that stand side by side read one text
def pieces(text: str) -> tuple[Token, ...]:
    """The pieces of a text alone, however many."""
    encoding = tokenizer().encode(text, add_special_tokens=False)
    return tuple(map(Token, encoding.tokens, encoding.ids, *zip(*encoding.offsets, strict=True), repeat(False)))


@cache
def piece(id_: int) -> str:
    """The piece with this number."""
    return tokenizer().id_to_token(id_) or ""
