"""Refuses, before anything else happens, addresses and bodies that are too large and methods other than GET."""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings

DRAINED = 32 * 2**20  # bytes of a refused body that are still read, so that the client gets to see the answer

Refuse = Callable[[Scope, int, str, dict[str, int]], ASGIApp]


class Limits:
    """ASGI middleware; `refuse` makes the answer from the scope, the status, the error's code and its values."""

    def __init__(self, app: ASGIApp, settings: Settings, refuse: Refuse):
        self.app, self.settings, self.refuse = app, settings, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on or answers 405, 413 or 414."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        body = next(
            (int(value) for name, value in scope["headers"] if name == b"content-length" and value.isdigit()), 0
        )
        if length > self.settings.address_bytes:
            answer = self.refuse(
                scope, 414, "address_too_long", {"limit": self.settings.address_bytes, "count": length}
            )
        elif body > self.settings.body_bytes:
            await drain(receive)
            answer = self.refuse(scope, 413, "body_too_large", {"limit": self.settings.body_bytes, "count": body})
        elif scope["method"] != "GET":
            answer = self.refuse(scope, 405, "method", {})
        else:
            answer = self.app
        await answer(scope, receive, send)


async def drain(receive: Callable[[], Awaitable[Message]]) -> None:
    """Reads and forgets a body, up to DRAINED bytes."""
    read = 0
    while read < DRAINED:
        message = await receive()
        read += len(message.get("body", b""))
        if not message.get("more_body"):
            break
