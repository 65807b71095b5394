"""Writes what an address of this server answers into a file, without a server: for decks, notebooks and scripts."""

import asyncio
from urllib.parse import urlsplit

from starlette.types import Message, Scope

from app.main import create_app


class ExportError(RuntimeError):
    """The address answers with an error; its sentence is the message."""


def export(address: str) -> bytes:
    """The answer to an address such as /de/gates.json?text=Hallo; raises ExportError where there is none."""
    parts = urlsplit(address if address.startswith(("/", "http")) else f"/{address}")
    path = parts.path.encode()
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": parts.path,
        "raw_path": path,
        "root_path": "",
        "query_string": parts.query.encode("utf-8"),
        "headers": [],
        "client": None,
        "server": None,
    }
    status, body = asyncio.run(answer(scope))
    if status != 200:
        raise ExportError(f"{address}: {status} {body.decode('utf-8')[:400]}")
    return body


async def answer(scope: Scope) -> tuple[int, bytes]:
    """Status and body of one request to a fresh application."""
    app = create_app()
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    finally:
        app.state.runs.close()
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
