"""Answers made on the fly are one gzip member."""

import gzip

from starlette.requests import Request

from app.compress import accepts_gzip, gzipped


def asking(header):
    return Request({"type": "http", "headers": [(b"accept-encoding", header)] if header else []})


def test_a_body_comes_back_as_it_was():
    body = bytes(range(256)) * 100
    assert gzip.decompress(gzipped(body)) == body
    assert len(gzipped(body)) < len(body) / 10


def test_only_who_asks_for_it():
    assert accepts_gzip(asking(b"br, gzip;q=0.8"))
    assert not accepts_gzip(asking(b"br"))
    assert not accepts_gzip(asking(b"br, gzip;q=0"))
    assert not accepts_gzip(asking(None))
