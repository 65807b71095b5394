"""The lexicon: the terms of the lecture in a few sentences each, with the view that shows what they mean."""

import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from app import pages, views
from app.messages import Lang, translate
from app.query import Query

TERMS = Path(__file__).parent / "terms.toml"

Json = dict[str, Any]


@cache
def terms() -> dict[str, Json]:
    """Every entry by its name, which is also its anchor: `view`, and in each language `term` and `text`."""
    return tomllib.loads(TERMS.read_text("utf-8"))


def sorting(term: str) -> str:
    """How a dictionary sorts a term: umlauts as their vowels, capitals as small letters."""
    return unicodedata.normalize("NFKD", term).encode("ascii", "ignore").decode().casefold()


def entries(query: Query) -> list[Json]:
    """The entries in the alphabet of the language; the sentence goes along to the views."""
    lang, found = query.lang, []
    for name, entry in terms().items():
        view = views.catalogue().get(entry["view"])
        shown = pages.neighbour(view, query) if view and view.models else None
        found.append({"name": name, **entry[lang], "initial": sorting(entry[lang]["term"])[0].upper(), "view": shown})
    return sorted(found, key=lambda entry: sorting(entry["term"]))


def html_page(query: Query) -> str:
    """The page with all entries, and a line of initials that leads to them."""
    lang: Lang = query.lang
    found = entries(query)
    first: dict[str, str] = {}
    for entry in found:
        first.setdefault(entry["initial"], entry["name"])
    return pages.page(
        "lexicon.html", lang, "/lexicon", query, page_title=translate(lang, "lexicon.title"), entries=found,
        initials=list(first.items()), chapter="lexicon", described=translate(lang, "lexicon.opening"),
    )  # fmt: skip
