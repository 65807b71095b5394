"""A lecture for a room without network: a list of addresses becomes offline files, stills and a page to show them."""

import re
import tomllib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import pages, static
from app.export import Answers, ExportError
from app.messages import LANGUAGES, Lang, say, translate, translator
from app.query import Theme, quoted

Form = Literal["svg", "html", "pdf"]
SIZE: dict[str, Any] = {"width": 1280, "height": 720}  # of the stills: a slide
HEADING = "[[entries]]"


class Listed(BaseModel):
    """An address of a deck's file, what it is called there and what the lecturer says of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    title: str = ""
    note: str = ""


class Deck(BaseModel):
    """A deck's file; `language`, `theme` and `scale` count for the addresses that say nothing of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = "Satzblick"
    language: Lang = "de"
    theme: Theme = "light"
    scale: float = Field(1.5, ge=0.5, le=4)
    pdf: bool = False
    entries: list[Listed] = Field(min_length=1)


@dataclass(frozen=True)
class Wrong:
    """What is wrong in a deck's file: the line (0: none in particular), the address if it is about one, the reason."""

    line: int
    address: str
    sentence: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"{self.line}" * bool(self.line), self.address, self.sentence) if part)


class DeckError(ValueError):
    """A deck's file that cannot be read at all; `wrong` says why."""

    def __init__(self, wrong: list[Wrong]):
        super().__init__("\n".join(map(str, wrong)))
        self.wrong = wrong


@dataclass(frozen=True)
class Item:
    """A figure of a bundle: its number, what it is called and the names of its files."""

    number: int
    title: str
    note: str
    files: dict[Form, str] = field(default_factory=dict)


def read(text: str) -> Deck:
    """The deck of a TOML file; raises DeckError with everything that is wrong in it."""
    try:
        stated = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeckError([Wrong(getattr(error, "lineno", 0), "", f"TOML: {error}")]) from None
    language: Lang = stated["language"] if stated.get("language") in LANGUAGES else "en"
    try:
        return Deck.model_validate(stated, strict=True)
    except ValidationError as error:
        found = [wrong_key(each["loc"], each["type"], text, stated, language) for each in error.errors()]
        raise DeckError(found) from None


REASONS = {"missing": "bundle.missing", "extra_forbidden": "bundle.unknown_key", "too_short": "bundle.no_entries"}


def wrong_key(place: tuple[int | str, ...], kind: str, text: str, stated: dict[str, Any], lang: Lang) -> Wrong:
    """What pydantic says of a key, as a sentence about a line."""
    reason = say(REASONS.get(kind, "bundle.wrong_value"), name=str(place[-1]))
    if place == ("entries",):
        reason = say("bundle.no_entries")
    if len(place) < 2:
        return Wrong(line_of(text, str(place[0])), "", reason.text(lang))
    number = int(place[1])
    entry = stated["entries"][number]
    address = entry.get("address", "") if isinstance(entry, dict) else ""
    return Wrong(line_of_entry(text, number, str(address)), str(address), reason.text(lang))


def line_of(text: str, key: str) -> int:
    """The first line that gives this key a value, counted from 1; 0 where none does."""
    stated = re.compile(rf"\s*{re.escape(key)}\s*=")
    return next((number for number, line in enumerate(text.splitlines(), 1) if stated.match(line)), 0)


def line_of_entry(text: str, number: int, address: str) -> int:
    """The line of an entry's address, counted from 1, else of its heading; 0 where it cannot be told."""
    lines = text.splitlines()
    headings = [place for place, line in enumerate(lines) if line.replace(" ", "").startswith(HEADING)]
    if number < len(headings):
        end = headings[number + 1] if number + 1 < len(headings) else len(lines)
        own = line_of("\n".join(lines[headings[number] : end]), "address")
        return headings[number] + max(own, 1)
    return next((place for place, line in enumerate(lines, 1) if address and address in line), 0)


def resolved(deck: Deck, address: str) -> tuple[Lang, str, str]:
    """Language, view and query of an address of a page, embed or file; raises ValueError where it is no view's."""
    parts = urlsplit(address if address.startswith(("/", "http://", "https://")) else f"/{address}")
    path = [part for part in parts.path.split("/") if part]
    lang: Lang = path.pop(0) if path and path[0] in LANGUAGES else deck.language  # type: ignore[assignment]
    if path[:1] in (["embed"], ["slides"]):
        path = path[1:]
    if len(path) != 1:
        raise ValueError(address)
    stated = parse_qs(parts.query, keep_blank_values=True)
    common = {"theme": deck.theme, "scale": deck.scale}
    query = "&".join(
        [parts.query] * bool(parts.query) + [f"{key}={common[key]}" for key in common if key not in stated]
    )
    return lang, path[0].partition(".")[0], query


def write(deck: Deck, text: str, folder: Path, pdf: bool, told: Callable[[int, str], None]) -> list[Wrong]:
    """Writes the bundle, leaving out the entries that are wrong, and gives those; `text` is the deck's file.

    `told` hears of each step: how many of all steps it makes, and what is done now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    forms: tuple[Form, ...] = ("svg", "html", "pdf") if pdf or deck.pdf else ("svg", "html")
    items: list[Item] = []
    wrong: list[Wrong] = []
    with closing(Answers()) as answers:
        for number, entry in enumerate(deck.entries):
            told(0, entry.title or entry.address)
            try:
                items.append(written(answers, deck, entry, len(items) + 1, folder, forms))
            except (ExportError, ValueError) as error:
                reason = (
                    error.sentence if isinstance(error, ExportError) else translate(deck.language, "bundle.no_view")
                )
                wrong.append(Wrong(line_of_entry(text, number, entry.address), entry.address, reason))
            told(1, entry.title or entry.address)
    if items:
        (folder / "index.html").write_text(index_page(deck, items), encoding="utf-8")
    return wrong


def written(answers: Answers, deck: Deck, entry: Listed, number: int, folder: Path, forms: tuple[Form, ...]) -> Item:
    """Writes the files of one entry; raises ExportError and ValueError."""
    lang, view, query = resolved(deck, entry.address)
    stated = parse_qs(query, keep_blank_values=True)
    size = "".join(f"&{key}={value}" for key, value in SIZE.items() if key not in stated)
    made: dict[Form, bytes] = {}
    for form in forms:  # a still first: what is wrong is said of it in a sentence
        made[form] = answers.get(f"/{quoted(lang)}/{quoted(view)}.{form}?{query}{size if form != 'html' else ''}")
    files: dict[Form, str] = {form: f"{number:02}-{view}.{form}" for form in forms}
    for form, body in made.items():
        (folder / files[form]).write_bytes(body)
    return Item(number, entry.title or translate(lang, f"{view}.title"), entry.note, files)


def index_page(deck: Deck, items: list[Item]) -> str:
    """The page that lists the figures and shows them one after the other; it needs nothing but the files beside it."""
    lang = deck.language
    return pages.environment().get_template("bundle.html").render(
        lang=lang,
        theme=deck.theme,
        _=translator(lang),
        title=deck.title,
        items=items,
        style=Markup(static.content("bundle.css")[0].decode()),
        script=Markup(pages.inline("bundle.js")),
    )  # fmt: skip
