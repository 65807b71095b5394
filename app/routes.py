"""The addresses: each is a thin line from a request to a query, its traces, and the form they are answered in."""

import asyncio
from typing import Annotated, cast

from fastapi import APIRouter, Request
from fastapi import Query as Parameter
from starlette.responses import RedirectResponse, Response

from app import (
    api,
    cards,
    deck,
    lexicon,
    oembed,
    offline,
    openapi,
    pages,
    render,
    slides,
    static,
    stills,
    tables,
    views,
)
from app.accept import preferred
from app.address import read
from app.keeping import kept, packed
from app.messages import LANGUAGES, Lang, say
from app.options import options
from app.outcome import attempt, draw, drawn_apart, framed, known_model, performed, stated
from app.plotting import Theme
from app.query import Query, QueryError
from app.responses import (
    API_PAGE_HEADERS,
    DATA,
    DATA_HEADERS,
    DECK_HEADERS,
    HEADERS,
    PICTURE_HEADERS,
    SLIDES_HEADERS,
    Suffix,
    embed_headers,
    html_response,
    json_response,
)
from app.views import View
from models import registry

router = APIRouter(responses={"default": {"model": openapi.Refusal, "description": openapi.OTHERWISE}})


def view_of(name: str) -> View:
    """The view of this name; raises QueryError with 404."""
    view = views.catalogue().get(name)
    if view is None or not view.models:
        raise pages.not_found("view", name)
    return view


def lang_of(name: str) -> Lang:
    """The language of an address; raises QueryError with 404."""
    if name not in LANGUAGES:
        raise pages.not_found("language", name)
    return name


@router.get("/", include_in_schema=False)
async def root(request: Request) -> Response:
    """To the landing page in the reader's language."""
    return RedirectResponse(f"/{preferred(request)}", 307, headers=HEADERS | {"Vary": "Accept-Language"})


@router.get("/static/{path:path}", include_in_schema=False)
def static_file(request: Request) -> Response:
    """A file of the shipped scripts and styles."""
    return static.serve(request, request.path_params["path"])


@router.get("/robots.txt", include_in_schema=False)
def robots(request: Request) -> Response:
    """What crawlers may ask for: pages, not every sentence in every picture."""
    return static.serve(request, "robots.txt")


@router.get("/health")
async def health() -> Response:
    """Liveness, and how far each model is loaded; never waits."""
    return json_response({"status": "ok", "models": registry.status()})


@router.get("/api/openapi.json", include_in_schema=False)
async def description(request: Request) -> Response:
    """The OpenAPI description."""
    return json_response(request.app.openapi())


@router.get("/api/docs", include_in_schema=False)
async def docs() -> Response:
    """The interactive page of the OpenAPI description."""
    return html_response(pages.api_page(), API_PAGE_HEADERS)


@router.get("/api/v1/models")
async def models() -> Response:
    """Every model: name, title, family, size, the fields of its traces, the views that take it."""
    return json_response({"models": api.models_json()})


@router.get("/api/v1/views")
async def all_views() -> Response:
    """Every view: name, title, the models it takes, its options as a JSON schema."""
    return json_response({"views": api.views_json()})


@router.get("/api/v1/trace")
@kept
async def trace(
    request: Request,
    model: Annotated[str, Parameter(description="a name from /api/v1/models")] = "",  # noqa: ARG001 read from the address below
    text: Annotated[str, Parameter(description="the sentence")] = "",  # noqa: ARG001
    fields: Annotated[str, Parameter(description="names with commas between; empty: all")] = "",  # noqa: ARG001
    format: Annotated[str, Parameter(description="json or npz", json_schema_extra={"enum": ["json", "npz"]})] = "json",  # noqa: A002, ARG001
) -> Response:
    """The arrays of one forward run: hidden states, gates, attention, predictions; with the tokens and the names of
    gates, classes and labels, in npz as arrays of text."""
    query = read(
        api.TraceQuery, api.only(request.scope["query_string"], "model", "text", *options(api.TraceQuery)), "en"
    )
    if not query.model:
        raise QueryError("missing", "model", say("error.missing", field="model"))
    known_model(query.model, "model")
    found = await performed(request, query, api.asked(query))
    body, media = await asyncio.to_thread(api.answer, query, found)
    headers = {"Content-Disposition": f'attachment; filename="{render.file_name(query.model, [found], "npz")}"'}
    return Response(body, media_type=media, headers=DATA_HEADERS | (headers if query.format == "npz" else {}))


@router.get("/oembed")
async def embeddable(
    request: Request,
    url: Annotated[str, Parameter(description="an address of this server")] = "",  # noqa: ARG001 read from the address below
    format: Annotated[str, Parameter(description="json; xml is answered with 501")] = "json",  # noqa: A002, ARG001
    maxwidth: Annotated[str, Parameter(description="greatest width of the frame in pixels")] = "",  # noqa: ARG001
    maxheight: Annotated[str, Parameter(description="greatest height of the frame in pixels")] = "",  # noqa: ARG001
) -> Response:
    """oEmbed 1.0: the frame that shows the figure of an address."""
    raw = api.only(request.scope["query_string"], *options(oembed.OEmbedQuery))
    return json_response(oembed.answer(read(oembed.OEmbedQuery, raw, "en")))


@router.get("/{lang}", include_in_schema=False)
@kept
async def landing(request: Request, lang: str) -> Response:
    """The first page, its example already drawn."""
    return await view_page(request, lang_of(lang), view_of(pages.LANDING_VIEW), landing=True)


@router.get("/{lang}/embed/{name}", include_in_schema=False)
@kept
async def embed(request: Request, lang: str, name: str) -> Response:
    """A view's figure alone, for an iframe."""
    code, view = lang_of(lang), view_of(name)
    frame, outcome = await framed(request, view, code)
    return html_response(pages.embed_page(view, frame, outcome), embed_headers(), outcome.error)


@router.get("/{lang}/deck", include_in_schema=False)
@kept
async def lecture(request: Request, lang: str) -> Response:
    """The lecture as slides, every figure live."""
    return html_response(deck.html_page(read(Query, request.scope["query_string"], lang_of(lang))), DECK_HEADERS)


@router.get("/{lang}/slides/{name}", include_in_schema=False)
@kept
async def into_slides(request: Request, lang: str, name: str) -> Response:
    """How a view's figure gets into slides; with .svg at its end the QR code of its page."""
    stem, dot, suffix = name.partition(".")
    code = lang_of(lang)
    if dot and suffix != "svg":
        raise pages.not_found("suffix", suffix, ["svg"])
    view = view_of(stem)
    if dot:
        body = slides.qr_code(view, read(view.query, request.scope["query_string"], code))
        return Response(body, media_type="image/svg+xml", headers=PICTURE_HEADERS)
    frame, outcome = await framed(request, view, code)
    return html_response(slides.html_page(view, frame, outcome), SLIDES_HEADERS, outcome.error)


@router.get("/{lang}/lexicon", include_in_schema=False)
@kept
async def glossary(request: Request, lang: str) -> Response:
    """The terms of the lecture."""
    return html_response(lexicon.html_page(read(Query, request.scope["query_string"], lang_of(lang))))


@router.get("/{lang}/models", include_in_schema=False)
@packed
async def all_cards(request: Request, lang: str) -> Response:
    """All models in one table."""
    query = read(Query, request.scope["query_string"], lang_of(lang))
    return html_response(await asyncio.to_thread(cards.index_page, query))


@router.get("/{lang}/models/{name}", include_in_schema=False)
@packed
async def card(request: Request, lang: str, name: str) -> Response:
    """The card of one model."""
    query, model = read(Query, request.scope["query_string"], lang_of(lang)), known_model(name, "model", 404)
    return html_response(await asyncio.to_thread(cards.model_page, model, query))


@router.get("/{lang}/{name}", include_in_schema=False)
@kept
async def page(request: Request, lang: str, name: str) -> Response:
    """A view: its page, or its data, a still or an offline file where the name ends in .json, .csv, .svg, .html …"""
    stem, dot, suffix = name.partition(".")
    code = lang_of(lang)
    suffixes = (*DATA, *stills.MEDIA, "html")
    if dot and suffix not in suffixes:
        raise pages.not_found("suffix", suffix, suffixes)
    view = view_of(stem)
    if not dot:
        return await view_page(request, code, view)
    if suffix == "html":
        return await offline_file(request, code, view)
    if suffix in stills.MEDIA:
        return await still(request, code, view, suffix)
    return await view_data(request, code, view, cast(Suffix, suffix))


async def view_page(request: Request, lang: Lang, view: View, landing: bool = False) -> Response:
    """The page with the figure, or with the sentence that says why there is none."""
    raw = request.scope["query_string"]
    outcome = await attempt(request, view, pages.landing_query(view, raw) if landing else raw, lang)
    return html_response(pages.figure_page(view, outcome, landing), error=outcome.error)


async def still(request: Request, lang: Lang, view: View, form: stills.Form) -> Response:
    """The figure as a picture, drawn without a browser."""
    raw = request.scope["query_string"]
    asked = read(api.StillQuery, raw, lang)
    query, traces, figure = await draw(request, view, stated(view, raw, lang))
    theme: Theme = "dark" if query.theme == "dark" else "light"
    style = stills.Style(asked.width, asked.height, asked.scale, theme, asked.bg == "transparent", lang)
    caption = render.source(view, query, traces, figure.plot.standing)
    body = await drawn_apart(request, lambda: stills.still(figure.plot.json(theme), form, style, caption))
    headers = PICTURE_HEADERS | {"Content-Disposition": f'inline; filename="satzblick-{view.name}.{form}"'}
    return Response(body, media_type=stills.MEDIA[form], headers=headers)


async def offline_file(request: Request, lang: Lang, view: View) -> Response:
    """The figure with all it needs in one file, for rooms without network."""
    raw = request.scope["query_string"]
    frame = read(api.EmbedQuery, raw, lang)
    query, traces, figure = await draw(request, view, stated(view, raw, lang))
    html = await drawn_apart(request, lambda: offline.html_page(view, query, frame, traces, figure))
    headers = DATA_HEADERS | {
        "Content-Disposition": f'attachment; filename="{render.file_name(view.name, traces, "html")}"',
        "Content-Security-Policy": offline.POLICY,
    }
    return html_response(html, headers)


async def view_data(request: Request, lang: Lang, view: View, suffix: Suffix) -> Response:
    """The numbers of a view."""
    query, traces, figure = await draw(request, view, stated(view, request.scope["query_string"], lang))
    if suffix == "json":  # hundreds of thousands of numbers as text: not on the event loop
        return await asyncio.to_thread(lambda: json_response(render.data(view, query, traces, figure)))
    headers = DATA_HEADERS | {"Content-Disposition": f'inline; filename="{render.file_name(view.name, traces, "csv")}"'}
    body = await asyncio.to_thread(tables.as_csv, figure.table)
    return Response(body, media_type="text/csv", headers=headers)
