"""Shipped files: typed, compressed, kept by browsers, and nothing outside their folder."""

import gzip
import hashlib
import json
import mimetypes
import re

import pytest

from app.static import FOLDER, JOINED, asset, content

FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_as_it_is(client, name):
    response = client.get(f"/static/{name}")
    assert response.status_code == 200
    assert response.content == (FOLDER / name).read_bytes()
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "media"),
    [("style.css", "text/css"), ("satzblick.js", "text/javascript"), ("favicon.svg", "image/svg+xml")],
)
def test_types_that_browsers_insist_on(client, monkeypatch, name, media):
    monkeypatch.setitem(mimetypes.types_map, ".js", "text/plain")  # as programs have written into Windows' registry
    assert client.get(f"/static/{name}").headers["content-type"].startswith(media)


def test_text_is_sent_compressed_to_those_who_read_it(client):
    plain = client.get("/static/style.css", headers={"Accept-Encoding": "identity"})
    packed = client.get("/static/style.css", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert "Accept-Encoding" in packed.headers["vary"] and "Accept-Encoding" in plain.headers["vary"]
    data, compressed = content("style.css")
    assert gzip.decompress(compressed) == data


@pytest.mark.parametrize("name", JOINED)
def test_what_a_page_needs_is_one_file_of_its_parts(client, name):
    assert client.get(f"/static/{name}").text == "\n".join((FOLDER / part).read_text("utf-8") for part in JOINED[name])


def test_no_part_is_forgotten():
    parts = {part for name in JOINED for part in JOINED[name]}
    assert sorted(parts) == [name for name in FILES if name.startswith(("figure/", "page/", "style/"))]


def test_a_script_takes_only_what_stands_before_it():
    given: set[str] = set()
    for name in JOINED["satzblick.js"]:
        source = (FOLDER / name).read_text("utf-8")
        taken = re.findall(r"^  const {.*} = Satzblick\.(\w+);$", source, flags=re.M)
        assert set(taken) <= given, name
        given |= set(re.findall(r"^  Satzblick\.(\w+) = ", source, flags=re.M))


def test_an_address_with_the_stamp_of_its_content_is_kept_forever(client):
    address = asset("style.css")
    assert re.fullmatch(r"/static/style\.css\?v=[0-9a-f]{8}", address)
    assert "immutable" in client.get(address).headers["cache-control"]
    for other in ("", "?v=", "?v=00000000"):  # asked of a server that is about to be updated
        assert client.get(f"/static/style.css{other}").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        "nope.js",
        "%00",
        "..%2fapp%2fmain.py",
        "%2e%2e/pyproject.toml",
        "vendor",
        "",
        "x" * 5000,
        "/etc/passwd",
        "%5c..%5c",
        "~",
    ],
)
def test_nothing_else_is_there(client, name):
    response = client.get(f"/static/{name}")
    assert response.status_code in (307, 404)
    assert b"fastapi" not in response.content.lower()


def test_vendored_files_are_those_of_their_releases():
    vendor = FOLDER / "vendor"
    stated = json.loads((vendor / "vendor.json").read_text())
    text = json.dumps(stated)
    for path in vendor.rglob("*"):
        if path.is_file() and path.suffix in (".js", ".css"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() in text, path


def test_crawlers_are_told_to_leave_sentences_alone(client):
    answer = client.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.splitlines()[1:] == ["User-agent: *", "Disallow: /*?", "Disallow: /api/"]


def test_every_class_of_a_template_has_a_rule_or_a_script():
    ours = [(FOLDER / name).read_text("utf-8") for name in FILES if not name.startswith("vendor/")]
    known = set(re.findall(r"\.([\w-]+)", "\n".join(ours))) | {"no-inline-styles"}  # that one is Plotly's
    for template in sorted((FOLDER.parent / "templates").glob("*.html")):
        plain = re.sub(r"{%.*?%}|{{.*?}}", " ", template.read_text("utf-8"))
        given = {name for each in re.findall(r'class="([^"]*)"', plain) for name in each.split()}
        assert given <= known, template.name
