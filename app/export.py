"""Writes what addresses of this server answer, without a server: for decks, notebooks and scripts."""

import asyncio
import html
import json
import re
from contextlib import closing
from urllib.parse import quote, urlsplit

from starlette.types import Message, Scope

from app.main import close, create_app


class ExportError(RuntimeError):
    """An address answers with an error; its sentence is the message."""

    def __init__(self, address: str, status: int, body: bytes):
        self.sentence = sentence_of(body)
        super().__init__(f"{address}: {status} {self.sentence}")


def sentence_of(body: bytes) -> str:
    """What an answer says is wrong: in the error of a data route, or in the paragraph that a page has for it."""
    try:
        said: str = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        found = re.search(
            r'(?:id="error-message"|class="(?:page|field)-error")[^>]*>([^<]*)', body.decode("utf-8", "replace")
        )
        return html.unescape(found[1]).strip() if found else ""
    return said


class Answers:
    """The application in this process: addresses are answered one after the other, each model loaded once."""

    def __init__(self) -> None:
        self._runner, self._app = asyncio.Runner(), create_app()

    def get(self, address: str) -> bytes:
        """The answer to an address such as /de/gates.json?text=Hallo; raises ExportError where there is none."""
        status, body = self._runner.run(self._answer(scope_of(address)))
        if status != 200:
            raise ExportError(address, status, body)
        return body

    async def _answer(self, scope: Scope) -> tuple[int, bytes]:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    def close(self) -> None:
        """Ends the application's threads."""
        close(self._app)
        self._runner.close()


def scope_of(address: str) -> Scope:
    """A request for an address, with or without the server's name and the first slash."""
    parts = urlsplit(address if address.startswith(("/", "http")) else f"/{address}")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": quote(parts.query, safe="%&=+;:@,/?!$'()*~-._").encode(),
        "headers": [],
        "client": None,
        "server": None,
    }


def export(address: str) -> bytes:
    """The answer to one address; raises ExportError."""
    with closing(Answers()) as answers:
        return answers.get(address)
