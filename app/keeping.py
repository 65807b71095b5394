"""Answers that are made once and then kept, packed as they are sent: they depend on the address and weights alone."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

from fastapi import Request
from starlette.responses import Response

from app.compress import SMALL, accepts_gzip, gzipped
from app.lru import BytesCache

Answering = Callable[..., Awaitable[Response]]  # from a request and the parts of its address
Address = tuple[str, bytes, bool]  # path, query, and whether the answer is gzipped


def kept(make: Answering) -> Answering:
    """A route whose answer to an address is made once and then kept.

    Who asks while it is being made waits for that one, and it is made for the next though the first one leaves.
    """

    @wraps(make)
    async def answer(request: Request, **parts: str) -> Response:
        cache: BytesCache[Response] = request.app.state.pages
        making: dict[Address, asyncio.Task[Response]] = request.app.state.making
        key = (request.scope["path"], request.scope["query_string"], accepts_gzip(request))
        if (response := cache.get(key)) is not None:
            return response
        if (task := making.get(key)) is None:
            task = making[key] = asyncio.ensure_future(put_by(request, key, lambda: make(request, **parts)))
            task.add_done_callback(lambda _: making.pop(key))
        return await asyncio.shield(task)

    return answer


def packed(make: Answering) -> Answering:
    """A route whose answer is made each time, since it also tells how the server is."""

    @wraps(make)
    async def answer(request: Request, **parts: str) -> Response:
        return pack(await make(request, **parts), accepts_gzip(request))

    return answer


def pack(response: Response, zipped: bool) -> Response:
    """The answer, packed where the client takes it packed."""
    if zipped and len(response.body) > SMALL:
        response.body = gzipped(bytes(response.body))
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response


async def put_by(request: Request, key: Address, make: Callable[[], Awaitable[Response]]) -> Response:
    """The answer, packed, and put by where it is no error."""
    _, query, zipped = key
    response = pack(await make(), zipped)
    if response.status_code == 200:
        request.app.state.pages.put(key, response, len(response.body) + len(query) + 1_000)
    return response
