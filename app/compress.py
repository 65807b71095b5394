"""Gzip for answers made on the fly: fast rather than small, since a picture's numbers hardly shrink."""

import zlib

from starlette.requests import Request

SMALL = 1_000  # bytes; less is not worth the trouble
LEVEL = 1


def accepts_gzip(request: Request) -> bool:
    """Whether the client says that it reads gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def gzipped(body: bytes) -> bytes:
    """The body as one gzip member."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(body) + packer.flush()
