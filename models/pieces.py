"""The tokenizer of a model from elsewhere: its pieces as people read them, with their places in the text."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import EmptyText, TooManyTokens
from models.trace import Token

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNKNOWN = {"<unk>", "[UNK]"}
SPACES = ("Ġ", "▁", " ")  # how a piece says that a space stands before it
BLANK = "␣"


class Pieces:
    """What a tokenizer makes of a text of at most `longest` tokens; `written` is a piece by its number."""

    def __init__(self, tokenizer: "Tokenizer", longest: int):
        self.tokenizer, self.longest = tokenizer, longest
        self.whole_words = type(tokenizer.model).__name__ != "WordPiece"  # pieces say where a word begins, not goes on
        self.written = cache(self._written)

    def tokenize(self, text: str) -> tuple[Token, ...]:
        """The pieces with their places in the text; raises EmptyText, TooManyTokens."""
        encoding = self.tokenizer.encode(text)
        specials, words = encoding.special_tokens_mask, encoding.word_ids  # each is a copy of the whole
        typed = [place for place, special in enumerate(specials) if not special]
        if not typed or not text.strip():
            raise EmptyText()
        if len(specials) > self.longest:
            spans = encoding.offsets
            kept = self.fitting(text, [spans[place] for place in typed], len(specials) - len(typed))
            raise TooManyTokens(count=len(specials), limit=self.longest, characters=kept)
        tokens, reached = [], 0
        for place, (piece, id_, span) in enumerate(zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True)):
            if specials[place]:
                at = 0 if place < typed[0] else len(text)
                tokens.append(Token(piece, id_, at, at, special=True))
            else:
                same_word = place > typed[0] and words[place] == words[place - 1]
                tokens.append(self.typed(text, piece, id_, span, same_word, span[0] < reached))
                reached = tokens[-1].end
        return tuple(tokens)

    def fitting(self, text: str, spans: Sequence[tuple[int, int]], own: int) -> int:
        """How many characters of the text fit beside the model's own tokens; several pieces may share one character."""
        ends = sorted({end for _, end in spans[: max(0, self.longest - own)]}, reverse=True)
        return next((end for end in ends if len(self.tokenizer.encode(text[:end]).ids) <= self.longest), 0)

    def typed(self, text: str, piece: str, id_: int, span: tuple[int, int], same_word: bool, inside: bool) -> Token:
        """One piece of the text as people read it: as typed, with ## where it goes on with a word, or with a character
        of which it is but some bytes."""
        start, end = span
        while start < end and text[start].isspace() and text[start:end].strip():
            start += 1  # the space before a word belongs to its piece
        if piece in SPACES and not text[start:end].isspace():
            end = start  # put before the text by the tokenizer
        if piece in UNKNOWN:
            piece = "[UNK]"
        elif self.whole_words:
            shown = text[start:end]
            goes_on = inside or (same_word and start and shown[:1].isalnum() and not text[start - 1].isspace())
            piece = f"##{shown}" if goes_on else shown if shown.strip() else BLANK
        return Token(piece, id_, start, end, special=False)

    def _written(self, id_: int) -> str:
        """The piece with this number, as people read it."""
        piece = self.tokenizer.id_to_token(id_) or ""
        if not self.whole_words:
            return piece
        text: str = self.tokenizer.decode([id_], skip_special_tokens=False)
        if piece.startswith(SPACES):
            return text.strip() or BLANK
        return f"##{text}" if text[:1].isalnum() else text or piece


def read(folder: Path) -> "Tokenizer":
    """The model's tokenizer, which cuts nothing off and fills nothing up."""
    from tokenizers import Tokenizer

    if (folder / "tokenizer.json").exists():
        found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:
        from transformers import AutoTokenizer

        made = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        if not made.is_fast:
            raise RuntimeError("its tokenizer does not say where a piece stands in the text")
        found = made.backend_tokenizer
    found.no_truncation()
    found.no_padding()
    return found
