"""The files under static/: read once, compressed once, named by their content so that browsers may keep them."""

import gzip
import hashlib
from functools import cache
from pathlib import Path, PurePosixPath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.compress import accepts_gzip

FOLDER = Path(__file__).parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
# Not from the machine's list, which may call scripts plain text: no browser would run them. All others are licences.
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}
# The scripts of pages and embeds are sent as one file, and so is each style: of these parts, in this order. A script
# uses what stands before it; of two rules that weigh the same, the later one holds.
JOINED = {
    "satzblick.js": (
        "figure/frame.js", "figure/text.js", "figure/bars.js", "figure/cells.js", "figure/stack.js", "figure/panels.js",
        "figure/sticky.js", "figure/axes.js", "figure/points.js", "figure/chart.js", "figure/drawn.js",
        "figure/playback.js", "figure/fit.js", "figure/words.js", "figure/places.js", "figure/player.js",
        "figure/draw.js",
        "page/typed.js", "page/swap.js", "page/ask.js", "page/choose.js", "page/form.js", "page/links.js",
        "page/slide.js",
    ),
    "style.css": (
        "style/theme.css", "style/base.css", "style/layout.css", "style/sentence.css", "style/controls.css",
        "style/words.css", "style/figure.css", "style/steps.css", "style/names.css", "style/exports.css",
        "style/notes.css", "style/start.css", "style/models.css", "style/lexicon.css", "style/slides.css",
        "style/embed.css", "style/narrow.css", "style/modes.css",
    ),
    "deck.css": ("style/theme.css", "style/deck.css"),
    "bundle.css": ("style/theme.css", "style/bundle.css"),
}  # fmt: skip


@cache
def names() -> frozenset[str]:
    """Every file under static/ by its one name in addresses (a/../b is no second name for b), and those joined."""
    files = (path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())
    return frozenset((*files, *JOINED))


@cache
def content(name: str) -> tuple[bytes, bytes]:
    """A file, which is text, as it is and gzipped; raises FileNotFoundError for what is not a file under static/."""
    if name not in names():
        raise FileNotFoundError(name)
    data = b"\n".join((FOLDER / part).read_bytes() for part in JOINED.get(name, (name,)))
    return data, gzip.compress(data, 6, mtime=0)


@cache
def stamp(name: str) -> str:
    """What tells one content of a file from another."""
    return hashlib.sha256(content(name)[0]).hexdigest()[:8]


def asset(name: str) -> str:
    """The address of a file, with the stamp of its content."""
    return f"/static/{name}?v={stamp(name)}"


def serve(request: Request, name: str) -> Response:
    """The answer with a file under static/; raises HTTPException for what is not there."""
    try:
        data, compressed = content(name)
    except (OSError, ValueError):
        raise HTTPException(404) from None
    headers = {
        "Cache-Control": FOREVER if request.query_params.get("v") == stamp(name) else "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Access-Control-Allow-Origin": "*",
        "Vary": "Accept-Encoding",
    }
    if accepts_gzip(request):
        data = compressed
        headers["Content-Encoding"] = "gzip"
    return Response(data, media_type=TYPES.get(PurePosixPath(name).suffix, "text/plain"), headers=headers)
