"""The addresses: each is a thin line from a request to a query, its traces, and the form they are answered in."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar, cast

import orjson
from fastapi import APIRouter, Request
from fastapi import Query as Parameter
from starlette.responses import RedirectResponse, Response

from app import api, cards, deck, lexicon, oembed, offline, pages, render, slides, static, stills, views
from app.accept import accepted
from app.compress import SMALL, accepts_gzip, gzipped
from app.drawings import Drawings
from app.lru import BytesCache
from app.messages import LANGUAGES, Lang, say
from app.plotting import Theme
from app.query import Query, QueryError, known_model, parse, read, salvaged, settled, text_error, unavailable
from app.runs import Busy, Runs
from app.views import Figure, View
from models import registry
from models.errors import CaptureError, InputError, ModelUnavailable
from models.run import Run
from models.trace import Trace

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; base-uri 'none'"
)
OWN_FRAMES = "; frame-ancestors 'self'"
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Vary": "Accept-Encoding"}
DATA_HEADERS = HEADERS | {"Access-Control-Allow-Origin": "*"}
PAGE_HEADERS = HEADERS | {"Content-Security-Policy": POLICY.format(styles="") + OWN_FRAMES}
EMBED_HEADERS = DATA_HEADERS | {
    "Content-Security-Policy": POLICY.format(styles="")
}  # framed anywhere, also from file://
SLIDES_HEADERS = HEADERS | {"Content-Security-Policy": POLICY.format(styles="") + "; frame-src 'self'" + OWN_FRAMES}
DECK_HEADERS = SLIDES_HEADERS | {
    "Content-Security-Policy": SLIDES_HEADERS["Content-Security-Policy"]
    .replace("script-src 'self'", f"script-src 'self' {deck.NOTES_SCRIPT}")
    .replace("style-src 'self'", f"style-src 'self' {deck.NOTES_STYLE} {deck.PRINT_STYLES}")
}
API_PAGE_HEADERS = HEADERS | {"Content-Security-Policy": POLICY.format(styles=" 'unsafe-inline'") + OWN_FRAMES}
PICTURE_HEADERS = DATA_HEADERS | {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
Suffix = Literal["json", "csv"]
DATA: tuple[Suffix, ...] = ("json", "csv")
FILES = (*(f".{suffix}" for suffix in DATA), *(f".{form}" for form in stills.MEDIA))

router = APIRouter()
T = TypeVar("T")
Drawn = tuple[Query, list[Trace], Figure]


async def draw(request: Request, view: View, query: Query) -> Drawn:
    """Runs what the view needs and draws it; raises QueryError."""
    for field in ("model", "vs_model"):
        name = getattr(query, field)
        if name and name not in view.models:
            if known_model(name, field).fault:
                raise QueryError("model_unavailable", field, say("error.model_unavailable", model=name), status=503)
            fitting = ", ".join(view.models)
            raise QueryError("unfit_model", field, say("error.unfit_model", model=name, models=fitting))
    wanted = query.runs()
    traces = [await performed(request, query, run) for run in wanted]
    for run, trace in zip(wanted, traces, strict=True):
        if lacking := trace.lacking(view.needs):
            raise unavailable(CaptureError(f"its {', '.join(lacking)} cannot be recorded"), query, run)
    filled = settled(query, traces[0]) if traces else query
    return filled, traces, view.figure(filled, traces)


async def performed(request: Request, query: Query, run: Run) -> Trace:
    """The trace of one run of a query; raises QueryError for the field that is in its way."""
    runs: Runs = request.app.state.runs
    try:
        (trace,) = await runs.traces([run])
    except InputError as error:
        raise text_error(error, query, run) from None
    except (ModelUnavailable, CaptureError) as error:
        raise unavailable(error, query, run) from error
    except Busy:
        raise busy() from None
    return trace


def busy() -> QueryError:
    """The error for who comes while too many wait."""
    return QueryError("busy", None, say("error.busy"), status=429)


def stated(view: View, raw: bytes, lang: Lang) -> Query:
    """The address as a query of this view: its own model filled in where none is named, or where networks stand
    beside each other the one that is named alone; all of them, chosen as such, take the second along."""
    query = read(view.query, raw, lang)
    if query.model:
        return query
    if view.chooses_model:
        return query.changed(model=view.models[0])
    if "model" in parse(raw, ("model",)):
        return query.changed(vs_model=None)
    return query.changed(model=query.vs_model, vs_model=None) if query.vs_model in view.models else query


def rescued(view: View, raw: bytes, lang: Lang) -> Query:
    """What of a wrong address still makes a page of this view."""
    query = salvaged(view.query, raw, lang)
    kept = {name: name if name in view.models else None for name in (query.model, query.vs_model)}
    own = view.models[0] if view.chooses_model else ""
    return query.changed(model=kept[query.model] or own, vs_model=kept[query.vs_model])


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


def preferred(request: Request) -> Lang:
    """The language the reader asks for, German where in doubt."""
    wanted: dict[Lang, float] = {}
    for name, quality in accepted(request, "accept-language").items():
        if (code := name[:2]) in LANGUAGES:
            wanted[code] = max(quality, wanted.get(code, 0.0))
    best = max(wanted, key=lambda code: wanted[code], default=None)  # the first of equals
    return best if best and wanted[best] else "de"


Answer = Callable[[Request], Awaitable[Response]]
Address = tuple[str, bytes, bool]  # path, query, and whether the answer is gzipped


async def kept(request: Request, make: Answer) -> Response:
    """The answer to this address, made once and then kept: it depends on nothing but the address and the weights.

    Who asks while it is being made waits for that one, and it is made for the next though the first one leaves.
    """
    cache: BytesCache[Response] = request.app.state.pages
    making: dict[Address, asyncio.Task[Response]] = request.app.state.making
    key = (request.scope["path"], request.scope["query_string"], accepts_gzip(request))
    if (response := cache.get(key)) is not None:
        return response
    if (task := making.get(key)) is None:
        task = making[key] = asyncio.ensure_future(made(request, make, key))
        task.add_done_callback(lambda _: making.pop(key))
    return await asyncio.shield(task)


async def made(request: Request, make: Answer, key: Address) -> Response:
    """The answer, packed where the client takes it packed, and put by where it is no error."""
    response = await make(request)
    _, query, zipped = key
    if zipped and len(response.body) > SMALL:
        response.body = gzipped(bytes(response.body))
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    if response.status_code == 200:
        request.app.state.pages.put(key, response, len(response.body) + len(query) + 1_000)
    return response


@router.get("/", include_in_schema=False)
async def root(request: Request) -> Response:
    """To the landing page in the reader's language."""
    return RedirectResponse(f"/{preferred(request)}", 307, headers=HEADERS | {"Vary": "Accept-Language"})


@router.get("/static/{path:path}", include_in_schema=False)
def static_file(request: Request) -> Response:
    """A file of the shipped scripts and styles."""
    return static.serve(request)


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
    return Response(pages.api_page(), media_type="text/html", headers=API_PAGE_HEADERS)


@router.get("/api/v1/models")
async def models() -> Response:
    """Every model: name, title, family, size, the fields of its traces, the views that take it."""
    return json_response({"models": pages.models_json()})


@router.get("/api/v1/views")
async def all_views() -> Response:
    """Every view: name, title, the models it takes, its options as a JSON schema."""
    return json_response({"views": pages.views_json()})


@router.get("/api/v1/trace")
async def trace(
    request: Request,
    model: Annotated[str, Parameter(description="a name from /api/v1/models")] = "",  # noqa: ARG001 read from the address below
    text: Annotated[str, Parameter(description="the sentence")] = "",  # noqa: ARG001
    fields: Annotated[str, Parameter(description="names with commas between; empty: all")] = "",  # noqa: ARG001
    format: Annotated[str, Parameter(description="json or npz")] = "json",  # noqa: A002, ARG001
) -> Response:
    """The arrays of one forward run: tokens, hidden states, gates, attention, predictions."""

    async def make(request: Request) -> Response:
        query = read(api.TraceQuery, request.scope["query_string"], "en")
        if not query.model:
            raise QueryError("missing", "model", say("error.missing", field="model"))
        known_model(query.model, "model")
        found = await performed(request, query, api.asked(query))
        body, media = await asyncio.to_thread(api.answer, query, found)
        return Response(body, media_type=media, headers=DATA_HEADERS)

    return await kept(request, make)


@router.get("/oembed")
async def embeddable(
    request: Request,
    url: Annotated[str, Parameter(description="an address of this server")] = "",  # noqa: ARG001 read from the address below
    format: Annotated[str, Parameter(description="json; xml is answered with 501")] = "json",  # noqa: A002, ARG001
    maxwidth: Annotated[str, Parameter(description="greatest width of the frame in pixels")] = "",  # noqa: ARG001
    maxheight: Annotated[str, Parameter(description="greatest height of the frame in pixels")] = "",  # noqa: ARG001
) -> Response:
    """oEmbed 1.0: the frame that shows the figure of an address."""
    return json_response(oembed.answer(read(oembed.OEmbedQuery, request.scope["query_string"], "en")))


@router.get("/{lang}", include_in_schema=False)
async def landing(request: Request, lang: str) -> Response:
    """The first page, its example already drawn."""
    return await kept(
        request, lambda request: view_page(request, lang_of(lang), view_of(pages.LANDING_VIEW), landing=True)
    )


@router.get("/{lang}/embed/{name}", include_in_schema=False)
async def embed(request: Request, lang: str, name: str) -> Response:
    """A view's figure alone, for an iframe."""

    async def make(request: Request) -> Response:
        code = lang_of(lang)
        view, raw = view_of(name), request.scope["query_string"]
        frame = api.EmbedQuery(lang=code)
        try:
            frame = read(api.EmbedQuery, raw, code)  # first: it stays though an option of the view is wrong
            query = stated(view, raw, code)
            drawn, error = await draw(request, view, query), None
        except QueryError as wrong:
            query, drawn, error = rescued(view, raw, code), None, wrong
        html = pages.embed_page(view, query, frame, drawn, error)
        status = error.status if error else 200
        return Response(html, status, media_type="text/html", headers=EMBED_HEADERS | retry(error))

    return await kept(request, make)


@router.get("/{lang}/deck", include_in_schema=False)
async def lecture(request: Request, lang: str) -> Response:
    """The lecture as slides, every figure live."""

    async def make(request: Request) -> Response:
        html = deck.html_page(read(Query, request.scope["query_string"], lang_of(lang)))
        return Response(html, media_type="text/html", headers=DECK_HEADERS)

    return await kept(request, make)


@router.get("/{lang}/slides/{name}", include_in_schema=False)
async def into_slides(request: Request, lang: str, name: str) -> Response:
    """How a view's figure gets into slides; with .svg at its end the QR code of its page."""
    stem, dot, suffix = name.partition(".")

    async def make(request: Request) -> Response:
        code = lang_of(lang)
        if dot and suffix != "svg":
            raise pages.not_found("suffix", suffix)
        view, raw = view_of(stem), request.scope["query_string"]
        if dot:
            body = slides.qr_code(view, read(view.query, raw, code))
            return Response(body, media_type="image/svg+xml", headers=PICTURE_HEADERS)
        frame = api.EmbedQuery(lang=code)
        try:
            frame = read(api.EmbedQuery, raw, code)
            query = stated(view, raw, code)
            (_, traces, figure), error = await draw(request, view, query), None
        except QueryError as wrong:
            query, traces, figure, error = rescued(view, raw, code), [], None, wrong
        html = slides.html_page(view, query, frame, figure, traces, error)
        status = error.status if error else 200
        return Response(html, status, media_type="text/html", headers=SLIDES_HEADERS | retry(error))

    return await kept(request, make)


@router.get("/{lang}/lexicon", include_in_schema=False)
async def glossary(request: Request, lang: str) -> Response:
    """The words of the course."""

    async def make(request: Request) -> Response:
        html = lexicon.html_page(read(Query, request.scope["query_string"], lang_of(lang)))
        return Response(html, media_type="text/html", headers=PAGE_HEADERS)

    return await kept(request, make)


@router.get("/{lang}/models", include_in_schema=False)
async def all_cards(request: Request, lang: str) -> Response:
    """All models in one table."""

    async def make(request: Request) -> Response:
        html = await asyncio.to_thread(cards.index_page, read(Query, request.scope["query_string"], lang_of(lang)))
        return Response(html, media_type="text/html", headers=PAGE_HEADERS)

    return await kept(request, make)


@router.get("/{lang}/models/{name}", include_in_schema=False)
async def card(request: Request, lang: str, name: str) -> Response:
    """The card of one model."""

    async def make(request: Request) -> Response:
        query, model = read(Query, request.scope["query_string"], lang_of(lang)), known_model(name, "model", 404)
        html = await asyncio.to_thread(cards.model_page, model, query)
        return Response(html, media_type="text/html", headers=PAGE_HEADERS)

    return await kept(request, make)


@router.get("/{lang}/{name}", include_in_schema=False)
async def page(request: Request, lang: str, name: str) -> Response:
    """A view: its page, or its data, a still or an offline file where the name ends in .json, .csv, .svg, .html …"""
    stem, dot, suffix = name.partition(".")

    async def make(request: Request) -> Response:
        code = lang_of(lang)
        if dot and suffix not in DATA and suffix not in stills.MEDIA and suffix != "html":
            raise pages.not_found("suffix", suffix)
        view = view_of(stem)
        if not dot:
            return await view_page(request, code, view)
        if suffix == "html":
            return await offline_file(request, code, view)
        if suffix in stills.MEDIA:
            return await still(request, code, view, suffix)
        return await view_data(request, code, view, cast(Suffix, suffix))

    return await kept(request, make)


async def view_page(request: Request, lang: Lang, view: View, landing: bool = False) -> Response:
    """The page with the figure, or with the sentence that says why there is none."""
    raw = request.scope["query_string"]
    try:
        raw = pages.landing_query(view, raw) if landing else raw
        query = stated(view, raw, lang)
        drawn, error = await draw(request, view, query), None
    except QueryError as wrong:
        query, drawn, error = rescued(view, raw, lang), None, wrong
    html = pages.figure_page(view, query, drawn, error, landing)
    return Response(html, error.status if error else 200, media_type="text/html", headers=PAGE_HEADERS | retry(error))


async def still(request: Request, lang: Lang, view: View, form: stills.Form) -> Response:
    """The figure as a picture, drawn without a browser."""
    raw = request.scope["query_string"]
    asked = read(api.StillQuery, raw, lang)
    query, traces, figure = await draw(request, view, stated(view, raw, lang))
    theme: Theme = "dark" if query.theme == "dark" else "light"
    style = stills.Style(asked.width, asked.height, asked.scale, theme, asked.bg == "transparent", lang)
    caption = render.source(view, query, traces)
    body = await drawn_apart(request, lambda: stills.still(figure.plot.json(theme), form, style, caption))
    headers = PICTURE_HEADERS | {"Content-Disposition": f'inline; filename="satzblick-{view.name}.{form}"'}
    return Response(body, media_type=stills.MEDIA[form], headers=headers)


async def drawn_apart(request: Request, make: Callable[[], T]) -> T:
    """What takes seconds to draw; raises QueryError where too many wait for that."""
    drawings: Drawings = request.app.state.drawings
    try:
        return await drawings.made(make)
    except Busy:
        raise busy() from None


async def offline_file(request: Request, lang: Lang, view: View) -> Response:
    """The figure with all it needs in one file, for rooms without network."""
    raw = request.scope["query_string"]
    frame = read(api.EmbedQuery, raw, lang)
    query, traces, figure = await draw(request, view, stated(view, raw, lang))
    html = await drawn_apart(request, lambda: offline.html_page(view, query, frame, traces, figure))
    headers = DATA_HEADERS | {
        "Content-Disposition": f'attachment; filename="satzblick-{view.name}.html"',
        "Content-Security-Policy": offline.POLICY,
    }
    return Response(html, media_type="text/html", headers=headers)


async def view_data(request: Request, lang: Lang, view: View, suffix: Suffix) -> Response:
    """The numbers of a view."""
    stated_query = stated(view, request.scope["query_string"], lang)
    query, traces, figure = await draw(request, view, stated_query)
    if suffix == "json":  # hundreds of thousands of numbers as text: not on the event loop
        return await asyncio.to_thread(lambda: json_response(render.data(view, query, traces, figure)))
    headers = DATA_HEADERS | {"Content-Disposition": f'inline; filename="{view.name}.csv"'}
    body = await asyncio.to_thread(render.as_csv, figure.table)
    return Response(body, media_type="text/csv", headers=headers)


def json_response(content: Any, status: int = 200) -> Response:
    """JSON with numpy arrays; NaN becomes null."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status, media_type="application/json", headers=DATA_HEADERS)


def retry(error: QueryError | None) -> dict[str, str]:
    """When to come back, where the server is only busy."""
    return {"Retry-After": "2"} if error and error.status == 429 else {}


def refusal(path: str, lang: Lang, error: QueryError) -> Response:
    """An error in the form of its route: one JSON shape for data, a page for people."""
    headers = retry(error) | ({"Allow": "GET"} if error.status == 405 else {})
    if path.startswith(("/api/", "/health", "/oembed")) or path.endswith(FILES):
        told = {"code": error.code, "message": error.message.text(lang), "field": error.field}
        response = json_response({"error": told}, error.status)
        response.headers.update(headers)
        return response
    framed = EMBED_HEADERS if "/embed/" in path else PAGE_HEADERS
    return Response(
        pages.error_page(lang, error.status, error), error.status, media_type="text/html", headers=framed | headers
    )
