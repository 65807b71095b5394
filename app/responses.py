"""The forms that answers go out in: headers and policies, pages and JSON, and an error in the form of its route."""

from typing import Any, Literal

import orjson
from starlette.responses import Response

from app import deck, pages, stills
from app.messages import Lang
from app.query import QueryError
from app.settings import settings

Headers = dict[str, str]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; base-uri 'none'"
)
OWN_FRAMES = "; frame-ancestors 'self'"
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Vary": "Accept-Encoding"}
DATA_HEADERS = HEADERS | {"Access-Control-Allow-Origin": "*"}
PAGE_HEADERS = HEADERS | {"Content-Security-Policy": POLICY.format(styles="") + OWN_FRAMES}
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


def embed_headers() -> Headers:
    """Framed anywhere, also from file://. In a sandboxed frame WebKit takes 'self' for nobody: it needs the name."""
    policy = POLICY.format(styles="").replace("'self'", f"'self' {settings().public_url}".rstrip())
    return DATA_HEADERS | {"Content-Security-Policy": policy}


def html_response(html: str, headers: Headers = PAGE_HEADERS, error: QueryError | None = None) -> Response:
    """A page, with the status of the error that it tells of."""
    status = error.status if error else 200
    return Response(html, status, media_type="text/html", headers=headers | retry(error))


def json_response(content: Any, status: int = 200, headers: Headers = DATA_HEADERS) -> Response:
    """JSON with numpy arrays; NaN becomes null."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status, media_type="application/json", headers=headers)


def retry(error: QueryError | None) -> Headers:
    """When to come back, where the server is only busy."""
    return {"Retry-After": "2"} if error and error.status == 429 else {}


def refusal(path: str, lang: Lang, error: QueryError) -> Response:
    """An error in the form of its route: one JSON shape for data, a page for people."""
    allowed = {"Allow": "GET"} if error.status == 405 else {}
    if path.startswith(("/api/", "/health", "/oembed")) or path.endswith(FILES):
        told = {"code": error.code, "message": error.message.text(lang), "field": error.field}
        return json_response({"error": told}, error.status, DATA_HEADERS | retry(error) | allowed)
    framed = embed_headers() if "/embed/" in path else PAGE_HEADERS
    return html_response(pages.error_page(lang, error.status, error), framed | allowed, error)
