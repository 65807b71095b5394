"""Gzip for answers made on the fly: fast rather than small, since a picture's numbers hardly shrink.

Markup is packed at the fastest level that looks for repetitions; in the base64 numbers of a figure there are none to
find, so those are only coded by frequency, which takes half the time and gives the same size.
"""

import re
import zlib

from starlette.requests import Request

SMALL = 1_000  # bytes; less is not worth the trouble
LEVEL = 1
NUMBERS = re.compile(rb'"bdata":"([^"]{2000,})')
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"  # RFC 1952: deflate, no name, no time, fastest, unknown system


def accepts_gzip(request: Request) -> bool:
    """Whether the client says that it reads gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def gzipped(body: bytes) -> bytes:
    """The body as one gzip member: each stretch of numbers, and what lies between, deflated for itself."""
    view, packed, place = memoryview(body), [HEAD], 0
    for numbers in NUMBERS.finditer(body):
        start, end = numbers.span(1)
        packed.append(deflated(view[place:start], zlib.Z_DEFAULT_STRATEGY, zlib.Z_SYNC_FLUSH))
        packed.append(deflated(view[start:end], zlib.Z_HUFFMAN_ONLY, zlib.Z_SYNC_FLUSH))
        place = end
    packed.append(deflated(view[place:], zlib.Z_DEFAULT_STRATEGY, zlib.Z_FINISH))
    packed.append(zlib.crc32(body).to_bytes(4, "little") + (len(body) % 2**32).to_bytes(4, "little"))
    return b"".join(packed)


def deflated(part: memoryview, strategy: int, ending: int) -> bytes:
    """A stretch of a deflate stream that ends at a whole byte, so that another may follow."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, strategy=strategy)
    return packer.compress(part) + packer.flush(ending)
