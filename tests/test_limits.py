"""What is too large or not a GET is refused before anything else happens."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse

from app.limits import DRAINED, Limits
from app.settings import Settings

SETTINGS = Settings(address_bytes=300, body_bytes=10)


def ask(scope=None, body=()):
    """What Limits answers, and how many bytes of the body it read."""
    read, sent = [], []
    pieces = list(body)

    async def receive():
        piece = pieces.pop(0) if pieces else b""
        read.append(len(piece))
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message):
        sent.append(message)

    def refuse(_scope, status, code, values):
        return PlainTextResponse(f"{code} {values}", status)

    defaults = {"type": "http", "method": "GET", "raw_path": b"/de", "query_string": b"", "headers": []}
    middleware = Limits(PlainTextResponse("passed"), SETTINGS, refuse)
    asyncio.run(middleware(defaults | (scope or {}), receive, send))
    told = b"".join(message.get("body", b"") for message in sent).decode()
    return sent[0]["status"], told, sum(read)


def test_an_ordinary_request_passes():
    assert ask() == (200, "passed", 0)


def test_path_and_query_together_make_the_address():
    assert ask({"query_string": b"x" * 297})[:2] == (200, "passed")
    status, told, _ = ask({"query_string": b"x" * 298})
    assert (status, told) == (414, "address_too_long {'limit': 300, 'count': 301}")
    assert ask({"raw_path": b"/" + b"x" * 300})[0] == 414


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"])
def test_anything_but_get_is_refused(method):
    assert ask({"method": method})[:2] == (405, "method {}")


def test_a_large_body_is_read_and_forgotten_so_that_the_answer_arrives():
    headers = [(b"content-length", b"30")]
    status, told, read = ask({"method": "POST", "headers": headers}, [b"x" * 10] * 3)
    assert (status, told, read) == (413, "body_too_large {'limit': 10, 'count': 30}", 30)


def test_an_endless_body_is_not_read_to_its_end():
    headers = [(b"content-length", b"999999999")]
    _, _, read = ask({"method": "POST", "headers": headers}, [bytes(2**20)] * 50)
    assert DRAINED <= read < DRAINED + 2**21


@pytest.mark.parametrize("length", [b"-1", b"x", b""])
def test_a_senseless_length_is_none(length):
    assert ask({"headers": [(b"content-length", length)]})[0] == 200


def test_the_body_of_a_get_counts_too():
    assert ask({"headers": [(b"content-length", b"11")]})[0] == 413


def test_what_is_not_http_passes():
    seen = []

    async def inner(scope, _receive, _send):
        seen.append(scope["type"])

    async def nothing(*_):
        raise AssertionError

    asyncio.run(Limits(inner, SETTINGS, nothing)({"type": "lifespan"}, nothing, nothing))
    assert seen == ["lifespan"]
