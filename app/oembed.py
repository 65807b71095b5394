"""oEmbed 1.0: for an address of this server the frame that shows its figure, and nothing for any other address."""

from typing import Any
from urllib.parse import urlsplit

from markupsafe import escape
from pydantic import Field, PositiveInt

from app import pages, views
from app.address import read
from app.api import EmbedQuery
from app.embedding import FRAME_STYLE
from app.messages import LANGUAGES, Lang, say, translate
from app.query import Query, QueryError, Value
from app.settings import settings

WIDTH, HEIGHT = 1280, 720
LEAST = (160, 120)  # of a still


class OEmbedQuery(Query):
    """What a consumer asks for."""

    url: str = Field("", description="an address of this server")
    format: str = Field("json", description="json; the standard's xml is not spoken")
    maxwidth: PositiveInt | None = Field(None, description="the frame's greatest width in pixels")
    maxheight: PositiveInt | None = Field(None, description="the frame's greatest height in pixels")


def foreign() -> QueryError:
    """The error for an address that has no figure here."""
    return QueryError("not_embeddable", "url", say("error.not_embeddable"), status=404)


def own(url: str, base: str) -> tuple[Lang, str, bytes]:
    """Language, view (empty: the landing page) and query string of an address below `base`; raises QueryError."""
    if not url.startswith(f"{base}/") or url.startswith(f"{base}//"):
        raise foreign()
    try:
        parts = urlsplit(url[len(base) :])
    except ValueError:
        raise foreign() from None
    lang, _, name = parts.path.strip("/").partition("/")
    if lang not in LANGUAGES:
        raise foreign()
    for prefix in ("embed/", "slides/"):
        name = name.removeprefix(prefix)
    return lang, name, parts.query.encode()


def size(query: OEmbedQuery) -> tuple[int, int]:
    """The largest frame of 16 to 9 within what is asked for, and never larger than a slide."""
    width = min(WIDTH, query.maxwidth or WIDTH, (query.maxheight or HEIGHT) * WIDTH // HEIGHT)
    return max(1, width), max(1, width * HEIGHT // WIDTH)


def rich(title: str, home: str, embed: str, picture: str, size: tuple[int, int]) -> dict[str, Any]:
    """The answer: all addresses absolute, `picture` a still of that size, where there is room for one."""
    width, height = size
    told: dict[str, Any] = {
        "version": "1.0",
        "type": "rich",
        "provider_name": "Satzblick",
        "provider_url": home,
        "title": title,
        "cache_age": 86_400,
        "html": f'<iframe src="{escape(embed)}" title="{escape(title)}" width="{width}" height="{height}" '
        f'frameborder="0" style="{FRAME_STYLE}"></iframe>',  # WordPress takes the style away
        "width": width,
        "height": height,
    }
    if width >= LEAST[0] and height >= LEAST[1]:
        told |= {"thumbnail_url": picture, "thumbnail_width": width, "thumbnail_height": height}
    return told


def answer(query: OEmbedQuery) -> dict[str, Any]:
    """What /oembed answers; raises QueryError for an address without a figure of ours."""
    if query.format != "json":
        raise QueryError("only_json", "format", say("error.only_json"), status=501)
    lang, name, raw = own(query.url, settings().public_url)
    view = views.catalogue().get(name or pages.LANDING_VIEW)
    if view is None or not view.models:
        raise foreign()
    try:
        if not name:
            raw = pages.landing_query(view, raw)
        frame, asked = read(EmbedQuery, raw, lang), read(view.query, raw, lang)
    except QueryError:
        raise foreign() from None
    width, height = size(query)
    still: dict[str, Value] = {"width": width, "height": height}
    title = f"{translate(lang, f'{view.name}.title')}: {asked.text}"
    return rich(
        title,
        pages.absolute(f"/{lang}"),
        pages.absolute(asked.address(f"/{lang}/embed/{view.name}", **frame.parameters())),
        pages.absolute(asked.address(f"/{lang}/{view.name}.png", **still)),
        (width, height),
    )
