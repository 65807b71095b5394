"""Letters of a still: labels as they were typed, and the fonts of this system that can draw them."""

import html
import re
from functools import cache
from unicodedata import category

FONT = "DejaVu Sans"  # comes with matplotlib
ELSEWHERE = b", Verdana, sans-serif"  # Verdana's letters are as wide
UNUSABLE = ("emoji", "color", "last resort")  # glyphs that are pictures, or boxes for what is missing


def plain(text: str) -> str:
    """A label as it was typed: Plotly's tags away, its entities undone."""
    return html.unescape(re.sub(r"</?(?:b|i|sub|sup|span)(?: [^>]*)?>", "", text.replace("<br>", "\n")))


@cache
def family_of(letter: str) -> str | None:
    """The first font of this system that has a glyph; None where no font has one."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    ours = font_manager.findfont(FONT)
    if FT2Font(ours).get_char_index(ord(letter)):
        return FONT
    for entry in sorted(font_manager.fontManager.ttflist, key=lambda entry: (entry.weight != 400, entry.name)):
        if any(word in f"{entry.name}{entry.fname}".lower() for word in UNUSABLE):
            continue
        try:
            if FT2Font(entry.fname).get_char_index(ord(letter)):
                return str(entry.name)
        except (RuntimeError, OSError):  # a file that FreeType does not read
            continue
    return None


def fonts(*texts: str) -> list[str]:
    """The families that these texts need, the usual one first."""
    needed = (family_of(letter) for text in texts for letter in dict.fromkeys(text) if letter.isprintable())
    return list(dict.fromkeys([FONT, *(family for family in needed if family)]))


def seen(letter: str) -> bool:
    """Whether a character can be drawn and seen."""
    return letter.isprintable() and family_of(letter) is not None


def drawable(text: str) -> str:
    """The text, with the code point of a character that no font has or nobody can see."""
    return "".join(
        " " if category(letter) == "Zs" else letter if letter == "\n" or seen(letter) else f"U+{ord(letter):04X}"
        for letter in text
    )
