"""Gzip for answers made on the fly: fast rather than small, since a picture's numbers hardly shrink.

By Intel's ISA-L, which packs a page six times as fast as zlib's fastest level, and hardly larger.
"""

from isal import isal_zlib
from starlette.requests import Request

from app.accept import accepted

SMALL = 1_000  # bytes; less is not worth the trouble
LEVEL = 1
GZIP = 31  # window bits: the largest window, in gzip's frame


def accepts_gzip(request: Request) -> bool:
    """Whether the client says that it reads gzip."""
    return accepted(request, "accept-encoding").get("gzip", 0) > 0


def gzipped(body: bytes) -> bytes:
    """The body as one gzip member."""
    return isal_zlib.compress(body, LEVEL, GZIP)
