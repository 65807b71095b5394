"""All text that a person reads, in German and English, from the Babel catalogues under app/locale/."""

import gettext
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from markupsafe import Markup, escape

Lang = Literal["de", "en"]
LANGUAGES: tuple[Lang, ...] = get_args(Lang)
LOCALE = Path(__file__).parent / "locale"

# What stands in quotation marks under these names was typed in German, or is what models of German and English say.
SPOKEN = {"english": "en"} | dict.fromkeys(
    "word looking looked_at other loud first second last guess high low asks source text vs".split(), "de"
)
QUOTED = re.compile(r"([„“])\{(\w+)\}([“”])")

# Marks that show nothing by themselves; a joiner inside an emoji is part of a visible sign and stays.
JOINERS = "\u200c\u200d\ufe0e\ufe0f"


class Strong(str):
    """A value in a sentence that the page sets off: a word or number that this run computed."""


@dataclass(frozen=True)
class Message:
    """A sentence by its key in the catalogues, with the values that fill it."""

    key: str
    values: dict[str, "Said"] = field(default_factory=dict)

    def text(self, lang: Lang) -> str:
        """The sentence as plain text; a message among its values is said in the same language."""
        return translate(lang, self.key, **{name: as_text(value, lang) for name, value in self.values.items()})

    def html(self, lang: Lang) -> Markup:
        """The sentence with its strong values marked."""
        marked = {name: as_html(value, lang) for name, value in self.values.items()}
        return Markup(template(lang, self.key)).format(**marked)


@dataclass(frozen=True)
class Listed:
    """Parts of a sentence in a row: what is said of several networks, layers or words."""

    parts: Sequence["Said"]
    between: str = "; "

    def text(self, lang: Lang) -> str:
        """The parts as plain text."""
        return self.between.join(str(as_text(part, lang)) for part in self.parts)

    def html(self, lang: Lang) -> Markup:
        """The parts, each with its strong values marked."""
        return Markup(escape(self.between)).join(as_html(part, lang) for part in self.parts)


Said = str | int | Message | Listed


def as_text(value: Said, lang: Lang) -> str | int:
    """What fills a sentence, as plain text."""
    return value if isinstance(value, str | int) else value.text(lang)


def as_html(value: Said, lang: Lang) -> str:
    """What fills a sentence, with what is strong in it marked; plain text is escaped where it is put in."""
    if isinstance(value, Strong):
        return Markup('<b class="num" dir="auto">{}</b>').format(str(value))
    return str(value) if isinstance(value, str | int) else value.html(lang)


def say(key: str, **values: Said) -> Message:
    """Short for Message, for the sentences that views make."""
    return Message(key, values)


def valued(name: str, value: str) -> Message:
    """A part of a list: whose value it is, and the value, which is strong."""
    return say("listed.named", name=name, value=Strong(value))


@cache
def catalogue(lang: Lang) -> gettext.GNUTranslations:
    """The compiled catalogue of one language, made from its .po file when first needed."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with (LOCALE / lang / "LC_MESSAGES" / "messages.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=lang))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def translate(lang: Lang, key: str, **values: str | int) -> str:
    """The text of a key with its {values} filled in; a key without text stands for itself."""
    text = catalogue(lang).gettext(key)
    return text.format(**values) if values else text


def known(lang: Lang, key: str) -> bool:
    """Whether the catalogue has a text for this key."""
    return catalogue(lang).gettext(key) != key


@cache
def template(lang: Lang, key: str) -> str:
    """A text as HTML, its values still to be filled in; those quoted from another language say which it is."""

    def quotation(found: re.Match[str]) -> str:
        before, name, after = found.groups()
        spoken = SPOKEN.get(name, lang)
        return found[0] if spoken == lang else f'{before}<span lang="{spoken}">{{{name}}}</span>{after}'

    return QUOTED.sub(quotation, str(escape(translate(lang, key))))


def in_quotes(lang: Lang, word: str) -> str:
    """A word in the quotation marks of the page's language: it may be a comma, or one of them itself."""
    before, after = quotation_marks(lang)
    return f"{before}{word}{after}"


@cache
def quotation_marks(lang: Lang) -> tuple[str, str]:
    """What stands before and after a quoted word: looked up once, since a figure may quote hundreds."""
    before, _, after = translate(lang, "quoted").partition("{word}")
    return before, after


def quotations(lang: Lang, words: Sequence[str], most: int | None = None) -> str:
    """Words in quotation marks, between commas; of many the first, and how many more there are: never one alone."""
    more = len(words) - most if most else 0
    told = ", ".join(in_quotes(lang, word) for word in (words[:most] if more > 1 else words))
    return translate(lang, "quoted.more", words=told, count=more) if more > 1 else told


def translator(lang: Lang) -> Callable[..., str]:
    """`translate` for one language, as templates call it."""

    def _(key: str, **values: str | int) -> str:
        return translate(lang, key, **values)

    return _


def decimal(lang: Lang, value: float, digits: int) -> str:
    """A number with so many decimals and the language's decimal sign; a real minus, and none before 0,00."""
    text = f"{value:z.{digits}f}".replace("-", "−")
    return text.replace(".", ",") if lang == "de" else text


def decimals(lang: Lang, values: Iterable[float], digits: int) -> list[str]:
    """`decimal` of each, for as many as a table has."""
    text = " ".join([f"{value:z.{digits}f}" for value in values]).replace("-", "−")
    return (text.replace(".", ",") if lang == "de" else text).split()


def shortest(lang: Lang, value: float) -> str:
    """A number with no more decimals than it has: 0,1 and 10."""
    return decimal(lang, value, len(f"{value:g}".partition(".")[2]))


def signed(lang: Lang, value: float, digits: int) -> str:
    """A change with its sign; one that is rounded to nothing has none."""
    value = round(value, digits)
    return decimal(lang, value or 0.0, digits) if value <= 0 else f"+{decimal(lang, value, digits)}"


def whole(lang: Lang, value: int) -> str:
    """A whole number with its thousands set apart."""
    text = f"{value:,}"
    return text.replace(",", ".") if lang == "de" else text


def percent(lang: Lang, share: float, digits: int = 0) -> str:
    """A share as a percentage; as a whole one, a trace of something is not 0 and nearly all is not all."""
    if digits:
        return decimal(lang, 100 * share, digits) + ("\u202f%" if lang == "de" else "%")
    if 0 < share <= 0.005:
        return "< 1\u202f%" if lang == "de" else "< 1%"
    if 0.995 <= share < 1:
        return "> 99\u202f%" if lang == "de" else "> 99%"
    return f"{100 * share:.0f}\u202f%" if lang == "de" else f"{100 * share:.0f}%"


def percents(lang: Lang, shares: np.ndarray) -> list[str]:
    """`percent` of each: a figure may have hundreds, and there are some hundred different ones."""
    exact = shares.astype(float)
    places = np.rint(100 * exact)
    places[(0 < exact) & (exact <= 0.005)] = -1
    places[(0.995 <= exact) & (exact < 1)] = -2
    places[np.isnan(exact)] = -3
    found: list[str] = whole_percents(lang)[places.astype(int)].tolist()
    return found


@cache
def whole_percents(lang: Lang) -> np.ndarray:
    """All that `percent` says without decimals: 0 to 100 %, then no number, nearly all and nearly nothing."""
    shares = [*(number / 100 for number in range(101)), math.nan, 0.999, 0.001]
    return np.array([percent(lang, share) for share in shares], dtype=object)


SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def bound(value: float) -> str:
    """The next power-of-ten bound above a small number: 2.7e-08 becomes 3·10⁻⁸."""
    mantissa, exponent = map(int, f"{value:.0e}".split("e"))
    if float(f"{mantissa}e{exponent}") < value:
        mantissa += 1
    if mantissa == 10:
        mantissa, exponent = 1, exponent + 1
    return f"{mantissa}·10{superscript(exponent)}"


@lru_cache(maxsize=512)  # what is pointed at and its row of the table say the same
def power(lang: Lang, number: float) -> str:
    """A positive number over many sizes: 0,42 or 3,1·10⁻⁵."""
    if number == 0 or 0.01 <= number < 1000:
        return decimal(lang, number, 2)
    mantissa, exponent = f"{number:.1e}".split("e")
    return f"{mantissa.replace('.', ',') if lang == 'de' else mantissa}·10{superscript(int(exponent))}"


@cache
def superscript(number: int) -> str:
    """A whole number as an exponent is written."""
    return str(number).translate(SUPERSCRIPT)


def chance(lang: Lang, probability: float) -> str:
    """A probability as it stands behind "p =": a percentage, in powers of ten where that would be under one, and with a
    decimal where it would be rounded to certainty."""
    if 0 < probability < 0.01:
        return power(lang, probability)
    if 0.995 <= probability < 1:
        return percent(lang, min(probability, 0.999), 1)
    return percent(lang, probability)


def visible(text: str) -> str:
    """The text with each character that cannot be seen replaced by its code point, U+0000 for NUL."""
    if text.isprintable():
        return text
    joined = JOINERS if len(text) > 1 else ""
    return "".join(char if char.isprintable() or char in joined else f"U+{ord(char):04X}" for char in text)
