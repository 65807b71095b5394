"""Every address: its status, its type, its headers, one shape of error, and for bad input a sentence, never a 500."""

import asyncio
import html
import http.client
import itertools
import json
import re
import socket
import threading
import time
from contextlib import suppress
from urllib.parse import quote, urlencode

import httpx2
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import Response
from starlette.routing import Route

from app import offline, stills, views
from app.cli import SERVED
from app.drawings import Drawings
from app.main import create_app
from app.messages import LANGUAGES, say, translate
from app.options import run_choices
from app.query import Places
from app.routes import router
from app.words import place_label
from models import registry
from models.run import perform

VIEWS = list(views.catalogue())
TEXT = "text=Der+Hund"
HTML, JSON, CSV = "text/html; charset=utf-8", "application/json", "text/csv; charset=utf-8"
STILLS = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}

ADDRESSES = [
    ("/", 307, None),
    *((f"/{lang}", 200, HTML) for lang in LANGUAGES),
    *((f"/{lang}/{view}", 200, HTML) for lang in LANGUAGES for view in VIEWS),
    *((f"/{lang}/embed/{view}", 200, HTML) for lang in LANGUAGES for view in VIEWS),
    *((f"/de/{view}.json", 200, JSON) for view in VIEWS),
    *((f"/de/{view}.csv", 200, CSV) for view in VIEWS),
    *((f"/de/{view}.{ending}", 200, media) for view in VIEWS for ending, media in STILLS.items()),
    *((f"/de/{view}.html", 200, HTML) for view in VIEWS),
    *((f"/{lang}/{page}", 200, HTML) for lang in LANGUAGES for page in ("lexicon", "models", "models/gru")),
    ("/fr/lexicon", 404, HTML),
    ("/fr/models", 404, HTML),
    ("/de/models/nope", 404, HTML),
    ("/de/nope.svg", 404, JSON),
    ("/de/gates.svg?width=9999999", 422, JSON),
    ("/de/nope.html", 404, HTML),
    *((f"/{lang}/slides/{view}", 200, HTML) for lang in LANGUAGES for view in VIEWS),
    *((f"/{lang}/deck", 200, HTML) for lang in LANGUAGES),
    ("/fr/deck", 404, HTML),
    ("/de/slides/nope", 404, HTML),
    ("/de/slides/gates?scale=99", 422, HTML),
    ("/oembed?url=/de/gates", 200, JSON),
    ("/oembed?url=/de/nope", 404, JSON),
    ("/oembed?url=/de/gates&format=xml", 501, JSON),
    ("/health", 200, JSON),
    ("/api/docs", 200, HTML),
    ("/api/openapi.json", 200, JSON),
    ("/api/v1/models", 200, JSON),
    ("/api/v1/views", 200, JSON),
    (f"/api/v1/trace?model=gru&{TEXT}", 200, JSON),
    (f"/api/v1/trace?model=gru&{TEXT}&format=npz", 200, "application/zip"),
    ("/static/style.css", 200, "text/css; charset=utf-8"),
    ("/robots.txt", 200, "text/plain; charset=utf-8"),
    ("/static/nope.css", 404, HTML),
    ("/de/", 307, None),
    ("/fr", 404, HTML),
    ("/fr/gates", 404, HTML),
    ("/fr/gates.json", 404, JSON),
    ("/de/nope", 404, HTML),
    ("/de/nope.json", 404, JSON),
    ("/de/nope.csv", 404, JSON),
    ("/de/embed/nope", 404, HTML),
    ("/de/gates.exe", 404, HTML),
    ("/de/gates.json.json", 404, JSON),
    ("/de/a/b/c", 404, HTML),
    ("/api/v1/nope", 404, JSON),
    ("/api/v2/trace", 404, JSON),
    ("/docs", 404, HTML),
    ("/de/gates?layer=99", 422, HTML),
    ("/de/gates.json?layer=99", 422, JSON),
    ("/de/gates.csv?layer=99", 422, JSON),
    ("/de/embed/gates?layer=99", 422, HTML),
    ("/de/embed/gates?scale=99", 422, HTML),
    ("/api/v1/trace", 422, JSON),
    (f"/api/v1/trace?{TEXT}", 422, JSON),
    (f"/api/v1/trace?model=nope&{TEXT}", 422, JSON),
    ("/api/v1/trace?model=gru", 422, JSON),
    (f"/api/v1/trace?model=gru&{TEXT}&format=xml", 422, JSON),
    (f"/api/v1/trace?model=gru&{TEXT}&fields=attention", 422, JSON),
    (f"/api/v1/trace?model=gru&{TEXT}&model=lstm", 422, JSON),
    ("/de/gates.json?text=" + "x" * 9000, 414, JSON),
    ("/de/gates?text=" + "x" * 9000, 414, HTML),
    ("/" + "x" * 9000, 414, HTML),
]


def fetch(client, path: str, query: bytes = b"", headers=()):
    """The answer to these very bytes: a client would escape some and refuse the longest."""
    sent: list[dict] = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "", "headers": list(headers),
        "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    client.portal.call(client.app, scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return Response(body, sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]})


def error_of(response) -> dict:
    """The error of a data route, after a look at its shape."""
    told = json.loads(response.body if isinstance(response, Response) else response.content)
    assert list(told) == ["error"] and list(told["error"]) == ["code", "message", "field"]
    assert told["error"]["code"] and told["error"]["message"]
    return told["error"]


@pytest.mark.parametrize(
    "address",
    ["/de/gates.csv?text=Hund", "/en/gates.html", "/api/v1/trace?model=lstm&text=a&format=npz"],
)
def test_a_file_is_named_for_the_weights_it_was_made_with(client, address):
    named = client.get(address).headers["content-disposition"]
    assert re.search(rf'filename="satzblick-(gates|lstm)-{registry.get("lstm").hash}\.(csv|html|npz)"$', named)
    both = client.get("/de/gates.csv?vs_model=gru").headers["content-disposition"]
    assert all(registry.get(name).hash in both for name in ("lstm", "gru"))


@pytest.mark.parametrize(("address", "status", "media"), ADDRESSES, ids=[address[:60] for address, *_ in ADDRESSES])
def test_status_type_and_headers(client, address, status, media):
    response = client.get(address)
    assert (response.status_code, response.headers.get("content-type")) == (status, media)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in response.headers
    if media == HTML and status == 200 and address.endswith(".html"):
        assert response.headers["content-security-policy"] == offline.POLICY
        assert response.headers["content-disposition"].startswith("attachment; filename=")
    elif media == HTML:
        policy = response.headers["content-security-policy"]
        assert (
            "default-src 'none'" in policy
            and "script-src 'self'" in policy
            and "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
        )
        assert ("frame-ancestors 'self'" in policy) != ("/embed/" in address)
    elif media in STILLS.values():
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
    if media != HTML and status != 307 and not address.startswith("/static"):
        assert response.headers["access-control-allow-origin"] == "*"
    if media == JSON and status >= 400:
        error_of(response)
    assert "x-frame-options" not in response.headers


def test_each_route_stands_in_the_table():
    answered = [address.partition("?")[0] for address, status, _ in ADDRESSES if status < 400]
    patterns = [route.path_regex for route in router.routes if isinstance(route, Route)]
    assert len(patterns) == len(router.routes)
    assert [each.pattern for each in patterns if not any(map(each.match, answered))] == []


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "POST", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("address", ["/", "/de", "/de/gates", "/de/gates.json", "/api/v1/models", "/static/style.css"])
def test_addresses_can_only_be_read(client, method, address):
    response = client.request(method, address)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET"
    assert response.headers["x-content-type-options"] == "nosniff"
    if response.headers["content-type"] == JSON and method != "HEAD":
        assert error_of(response)["code"] == "method"


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("de", "de"),
        ("en", "en"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("en;q=0.2, de;q=0.9", "de"),
        ("en;q=0", "de"),
        ("fr, en;q=0.5", "en"),
        ("fr", "de"),
        ("", "de"),
        ("*", "de"),
        (";;,,", "de"),
    ],
)
def test_the_first_address_leads_to_the_readers_language(client, header, lang):
    response = client.get("/", headers={"Accept-Language": header})
    assert (response.status_code, response.headers["location"]) == (307, f"/{lang}")
    assert "Accept-Language" in response.headers["vary"]


def test_a_slash_too_many_leads_to_the_same_address_on_this_server(client):
    response = client.get("/de/gates/?text=%C3%A4+b", headers={"Host": "evil.example"})
    assert (response.status_code, response.headers["location"]) == (307, "/de/gates?text=%C3%A4+b")
    assert fetch(client, "//evil.example/").headers["location"] == "/evil.example"


@pytest.mark.parametrize("host", ["[", "evil.example:x", "a b", ""])
def test_a_senseless_host_is_nobodys_crash(client, host):
    for address in ("/", "/de", "/de/nope", "/de/gates.json?layer=x", "/static/style.css"):
        assert client.get(address, headers={"Host": host}).status_code < 500


# What people and machines send as a text: the text as it stands in an address, and what comes of it.
TEXTS = {
    "empty": ("", "empty_text"),
    "blanks": ("%20%09%0A", "empty_text"),
    "nothing but controls": ("%01%02%7F", "empty_text"),
    "NUL alone": ("%00", "empty_text"),
    "joiner alone": (quote("\u200d"), "empty_text"),
    "lone surrogate": ("a%ED%A0%80b", "not_utf8"),
    "half a character": ("a%C3", "not_utf8"),
    "10,000 characters": ("x" * 10_000, "address_too_long"),
    "100,000 characters": ("x+" * 50_000, "address_too_long"),
    "60 kB": ("%C3%A4" * 10_000, "address_too_long"),
    "4,000 characters": ("ab+c" * 1_000, "too_many_tokens"),
    "3,900 characters without a space": ("x" * 3_900, "too_many_tokens"),
    "256 words": ("a+" * 256, "too_many_tokens"),
    "250 words": ("a+" * 250, None),
    "256 characters": ("Der+Hund+lacht.+" * 16, None),
    "NUL inside": ("a%00b", None),
    "emoji with joiners": (quote("Hund 👩‍👩‍👧‍👦 👍🏽 ❤️"), None),
    "right to left": (quote("שלום עולם مرحبا"), None),
    "direction marks": (quote("a \u202eb\u202c c"), None),
    "1,000 combining marks": (quote("e" + "\u0301" * 1_000), None),
    "bold": (quote("<b>x</b>"), None),
    "link": (quote('<a href="javascript:alert(1)">x</a>'), None),
    "closing script": (quote("</script><script>alert(1)</script>"), None),
    "formula": (quote("$\\frac$"), None),
    "braces": (quote("{text} {0} %s {{7*7}}"), None),
    "entities": (quote("&lt;b&gt; &amp;"), None),
    "template": (quote("%{x}<br>"), None),
    "plain bytes": ("Süß", None),
    "special tokens": (quote("[CLS] [SEP] [MASK] ##x"), None),
}


# A sentence of an error in either language; what is drawn is the same in both but for words that other tests read.
@pytest.mark.parametrize(
    ("name", "lang"), [(name, lang) for name, (_, code) in TEXTS.items() for lang in (LANGUAGES if code else ("de",))]
)
def test_any_text_is_drawn_or_answered_with_a_sentence(client, name, lang):
    raw = TEXTS[name][0]
    query = f"text={raw}".encode()
    for view in VIEWS:
        code = TEXTS[name][1]
        response = fetch(client, f"/{lang}/{view}.json", query)
        page = fetch(client, f"/{lang}/{view}", query)
        if (code is None or view in ("embedding_space", "party")) and response.status_code == 200:
            assert page.status_code == 200
            continue
        status = 414 if code == "address_too_long" else 422
        assert (response.status_code, page.status_code) == (status, status)
        error = error_of(response)
        if view in ("embedding_space", "translation", "positions"):  # words that have a vector; at most 128 tokens
            assert error["code"] in (code, "no_known_word", "too_many_tokens")
        else:
            assert error["code"] == code
        assert error["field"] == (None if status == 414 else "text")
        sentence = re.sub(r"\d+", r"\\d+", re.escape(error["message"]))  # a page's address has another length
        assert re.search(sentence, html.unescape(page.body.decode()))
    embed = fetch(client, f"/{lang}/embed/{VIEWS[0]}", query)
    assert embed.status_code == page.status_code


@pytest.mark.parametrize("code", sorted({code for _, code in TEXTS.values() if code}))
def test_both_languages_have_a_sentence_of_their_own(client, code):
    raw = next(raw for raw, expected in TEXTS.values() if expected == code)
    german, english = (error_of(fetch(client, f"/{lang}/gates.json", f"text={raw}".encode())) for lang in LANGUAGES)
    assert german["message"] != english["message"]
    assert (german["code"], german["field"]) == (english["code"], english["field"])


@pytest.mark.parametrize("name", [name for name, (_, code) in TEXTS.items() if code is None])
def test_labels_appear_exactly_as_typed(client, name):
    raw, _ = TEXTS[name]
    for view in ("attention_map", "gates"):
        told = json.loads(fetch(client, f"/de/{view}.json", f"text={raw}&special=shown".encode()).body)
        (ticks, *_) = (axis["ticktext"] for key, axis in told["figure"]["layout"].items() if key == "xaxis")
        text = told["query"]["text"]
        labels = [html.unescape(tick.removeprefix("<b>").removesuffix("</b>")) for tick in ticks]
        assert len(labels) == len(told["tokens"])
        for tick, label, token in zip(ticks, labels, told["tokens"], strict=True):
            assert "<" not in tick.removeprefix("<b>").removesuffix("</b>")
            typed = token["text"] if token["special"] else text[token["start"] : token["end"]]
            shown = label.removeprefix("##") if token["text"].startswith("##") else label
            if typed.isprintable() and len(label) < 24:
                assert shown == typed


def test_what_cannot_be_seen_is_shown_by_its_code_point(client):
    told = client.get("/de/gates.json?text=a%E2%80%AEb").json()
    assert "U+202E" in json.dumps(told["figure"]["layout"], ensure_ascii=False)


def test_a_page_keeps_what_was_typed_and_nothing_in_it_becomes_markup(client):
    text = '<a href="x">&amp;</a> "\'</script>'
    for address in ("/de/attention_map", "/de", "/en/embed/gates"):
        page = client.get(address, params={"text": text}).text
        assert '<a href="x">' not in page and "</a> \"'</script>" not in page
    wrong = client.get("/de/gates", params={"text": text, "layer": "<i>"}).text
    assert html.escape(text, quote=False)[:20] in wrong or "&lt;a href=&#34;x&#34;&gt;" in wrong
    assert "<i>" not in wrong and "&lt;i&gt;" in wrong


@pytest.mark.parametrize("raw", ["text=S%C3%BC%C3%9F&layer=99", "text=Süß&layer=99"])
def test_a_wrong_option_does_not_cost_the_sentence(client, raw):
    response = fetch(client, "/de/gates", raw.encode())
    assert response.status_code == 422
    assert 'value="Süß"' in response.body.decode()


PLACES = {  # a view and its option that names a token, and what an address needs for it to count
    ("attention_steps", "looking"): "",
    ("party", "looking"): "&guests=sentence",
    ("next_word", "after"): "",
    ("next_word", "word"): "&model=encoder",
    ("four_lanes", "first"): "",
    ("four_lanes", "second"): "",
    ("loss_per_step", "reset"): "",
    ("training", "word"): "&show=guesses",
    ("faithfulness", "asked"): "&model=encoder-entities",
}


@pytest.mark.parametrize(("view", "option"), PLACES)
def test_a_place_that_a_shorter_text_does_not_have_falls_back_and_is_told(client, view, option):
    address = f"/en/{view}.json?text=Der+Hund{PLACES[view, option]}"
    beyond, plain = (client.get(f"{address}{more}") for more in (f"&{option}=9", ""))
    assert beyond.status_code == plain.status_code == 200
    told, usual = beyond.json(), plain.json()
    label = translate("en", f"option.{option}")
    assert told["summary"] == f"“{label}”: place 9 is not on offer here. {usual['summary']}"
    assert told["figure"] == usual["figure"]


def test_every_option_that_names_a_token_falls_back():
    found = {
        (view.name, name)
        for view in views.catalogue().values()
        for name, choices in run_choices(view.query).items()
        if isinstance(choices, Places)
    }
    labels = {entry.label for view in views.catalogue().values() for entry in run_choices(view.query).values()
              if not isinstance(entry, Places)}  # fmt: skip
    assert found == PLACES.keys() and place_label not in labels


def test_options_that_no_run_can_hold_are_left_out(client):
    answer = client.get("/de/party.json?layer=99999999999999999999999&looking=7")
    assert answer.status_code == 200 and answer.json()["query"]["layer"] is None


@pytest.mark.parametrize("address", ["/de/hidden_states?text=Hund&unit=", "/de/gradient_flow?text=Hund&sigma=&repeat="])
def test_a_number_field_may_be_left_empty(client, address):
    assert client.get(address).status_code == 200
    assert client.get("/de/hidden_states?text=Hund&layer=").status_code == 422


def test_a_shorter_second_sentence_keeps_the_memory_that_it_cannot_lose(client):
    answer = client.get("/en/loss_per_step.json?text=Der+Mann+biss+den+Hund&vs=Der+Hund&reset=3")
    assert answer.status_code == 200
    assert "Second sentence: the most surprising word" in answer.json()["summary"]
    assert "too short to wipe the memory after place 3" in answer.json()["summary"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("address", "status", "code", "field"),
    [
        ("/{lang}/nope.json", 404, "unknown_view", "view"),
        ("/{lang}/gates.xyz.csv", 404, "unknown_suffix", "suffix"),
        ("/{lang}/gates.json?model=nope", 422, "unknown_model", "model"),
        ("/{lang}/gates.json?vs_model=nope", 422, "unknown_model", "vs_model"),
        ("/{lang}/gates.json?model=rnn", 422, "unfit_model", "model"),
        ("/{lang}/attention_map.json?vs_model=gru", 422, "unfit_model", "vs_model"),
        ("/{lang}/attention_map.json?layer=99", 422, "out_of_range", "layer"),
        ("/{lang}/attention_map.json?head=99", 422, "out_of_range", "head"),
        ("/{lang}/attention_map.json?head=-1", 422, "wrong_value", "head"),
        ("/{lang}/attention_map.json?head=0", 422, "wrong_value", "head"),
        ("/{lang}/attention_map.json?layer=NaN", 422, "wrong_value", "layer"),
        ("/{lang}/attention_map.json?layer=inf", 422, "wrong_value", "layer"),
        ("/{lang}/attention_map.json?layer=1e3", 422, "wrong_value", "layer"),
        ("/{lang}/attention_map.json?layer=", 422, "wrong_value", "layer"),
        ("/{lang}/attention_map.json?stage=soft", 422, "wrong_value", "stage"),
        ("/{lang}/attention_map.json?special=%00", 422, "wrong_value", "special"),
        ("/{lang}/gates.json?gate=nope", 422, "out_of_range", "gate"),
        ("/{lang}/gates.json?theme=neon", 422, "wrong_value", "theme"),
        ("/{lang}/gates.json?text=a&text=b", 422, "repeated", "text"),
        ("/{lang}/gates.json?layer=1&layer=2", 422, "repeated", "layer"),
        ("/{lang}/gates.json?text=a&vs=", 422, "empty_text", "vs"),
        ("/{lang}/gates.json?text=a&vs=" + "b+" * 300, 422, "too_many_tokens", "vs"),
        ("/{lang}/gates.json?vs=%FF", 422, "not_utf8", "vs"),
    ],
)
def test_wrong_addresses_name_what_is_wrong(client, lang, address, status, code, field):
    response = client.get(address.format(lang=lang))
    error = error_of(response)
    assert (response.status_code, error["code"], error["field"]) == (status, code, field)
    assert "{" not in error["message"] and not error["message"].rstrip(".").endswith((": ", ":"))
    page = client.get(address.format(lang=lang).replace(".json", "").replace(".csv", ""))
    assert page.status_code == status
    if status == 422:
        assert error["message"] in html.unescape(page.text)


def test_an_unknown_language_is_told_in_the_readers_own(client):
    for header, lang in (("en", "en"), ("de", "de"), ("fr", "de")):
        response = client.get("/fr/gates.json", headers={"Accept-Language": header})
        error = error_of(response)
        assert (response.status_code, error["code"], error["field"]) == (404, "unknown_language", "language")
        assert error["message"] == say("error.unknown_language", name="fr").text(lang)


def test_unknown_parameters_are_ignored(client):
    plain = client.get(f"/de/gates.json?{TEXT}").json()
    assert client.get(f"/de/gates.json?{TEXT}&utm_source=a&utm_source=b&x=%FF&lang=fr&%FF=1").json() == plain


def test_with_room_in_the_address_the_text_itself_has_a_limit(make_client):
    client = make_client(address_bytes=2_000_000)
    for count in (4_001, 10_000, 100_000):
        response = fetch(client, "/en/gates.json", b"text=" + b"x" * count)
        error = error_of(response)
        assert (response.status_code, error["code"], error["field"]) == (422, "too_many_characters", "text")
        assert error["message"] == f"{count} characters, at most 4000 are possible."
    page = fetch(client, "/de/gates", urlencode({"text": "ä " * 50_000}).encode())
    assert page.status_code == 422
    assert urlencode({"text": "ä " * 2_000}) in html.unescape(page.body.decode())


@pytest.mark.parametrize("text", ["x" * 3_900, "Hund " * 800, "👩‍👩‍👧‍👦 " * 500, "e" + "\u0301" * 1_000 + " a" * 900])
def test_the_shortened_text_that_is_offered_fits(make_client, text):
    client = make_client(address_bytes=2_000_000)
    page = fetch(client, "/de/attention_map", urlencode({"text": text}).encode())
    assert page.status_code == 422
    offered = html.unescape(page.body.decode().split('class="fix" href="')[1].split('"')[0])
    path, _, query = offered.partition("?")
    assert fetch(client, path, query.encode()).status_code == 200, offered[:200]


def test_busy_says_when_to_come_back(make_client, monkeypatch):
    client = make_client(waiting_seconds=0.01, trace_cache_bytes=0, page_cache_bytes=0)
    asked = threading.Event()  # until then no run ends

    def slow(run):
        asked.wait(60)
        return perform(run)

    monkeypatch.setattr("app.runs.perform", slow)
    for address in ("/de/gates.json", "/de/gates", "/de/embed/gates", "/api/v1/trace?model=gru&text=a"):
        response = client.get(address)
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) >= 1
    assert error_of(client.get("/en/gates.json"))["code"] == "busy"
    asked.set()


def test_too_many_drawings_are_refused_and_data_is_not(make_client):
    client = make_client()
    client.app.state.drawings = Drawings(0)
    for address in ("/de/gates.svg", "/de/gates.html"):
        response = client.get(address)
        assert (response.status_code, response.headers["retry-after"]) == (429, "2")
    assert client.get("/de/gates.json").status_code == client.get("/de/gates").status_code == 200


def test_equal_addresses_cost_one_run_and_one_drawing(make_client):
    client = make_client()
    first = client.get(f"/de/gates?{TEXT}")
    runs = client.app.state.runs.performed
    for encoding in ("gzip", "identity"):
        again = client.get(f"/de/gates?{TEXT}", headers={"Accept-Encoding": encoding})
        assert again.text == first.text
        assert again.headers.get("content-encoding") == (encoding if encoding == "gzip" else None)
    assert client.app.state.runs.performed == runs


def test_equal_requests_in_flight_cost_one_answer(make_client, monkeypatch):
    client, made = make_client(), []

    def slow(*_):
        made.append(threading.current_thread().name)
        time.sleep(0.2)
        return b"still"

    monkeypatch.setattr(stills, "still", slow)

    async def crowd():
        wire = httpx2.ASGITransport(client.app)
        async with httpx2.AsyncClient(transport=wire, base_url="http://test") as many:
            return await asyncio.gather(*(many.get(f"/de/gates.png?{TEXT}&width=333") for _ in range(5)))

    answers = client.portal.call(crowd)
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"still")] * 5
    assert len(made) == 1 and made[0].startswith("drawing")
    assert client.app.state.making == {}


def test_an_error_in_flight_reaches_all_and_the_next_is_made_anew(make_client):
    client = make_client()

    async def crowd():
        wire = httpx2.ASGITransport(client.app)
        async with httpx2.AsyncClient(transport=wire, base_url="http://test") as many:
            return await asyncio.gather(*(many.get("/de/gates.json?layer=99") for _ in range(3)))

    assert [answer.status_code for answer in client.portal.call(crowd)] == [422] * 3
    assert client.app.state.making == {} and client.get("/de/gates.json?layer=99").status_code == 422


def test_errors_are_not_kept(make_client):
    client = make_client()
    assert client.get("/de/gates?layer=99").status_code == 422
    assert len(client.app.state.pages) == 0


def test_health_answers_at_once_and_names_every_model(client):
    told = client.get("/health").json()
    assert told["status"] == "ok"
    assert set(told["models"]) == set(registry.catalogue())
    assert all(status in ("loaded", "loading", "not loaded") for status in told["models"].values())


def test_a_model_that_cannot_be_loaded_says_so_on_health(client, monkeypatch):
    monkeypatch.setitem(registry._status, "gru", "failed: no such file")
    assert client.get("/health").json()["models"]["gru"] == "failed: no such file"


OPTIONS = st.sampled_from(["", "&layer=1", "&vs=Hund", "&align=position&vs=Hund", "&special=shown", "&stage=masked"])


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.text(st.characters(exclude_categories=[]), max_size=300),
    view=st.sampled_from(VIEWS),
    suffix=st.sampled_from(["", ".json", ".csv"]),
    option=OPTIONS,
)
def test_whatever_is_typed_is_never_a_crash(client, text, view, suffix, option):
    raw = quote(text, errors="surrogatepass")
    response = fetch(client, f"/de/{view}{suffix}", f"text={raw}{option}".encode())
    assert response.status_code in (200, 422)
    if response.status_code == 422 and suffix:
        error_of(response)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(raw=st.binary(max_size=200), view=st.sampled_from(VIEWS))
def test_whatever_stands_in_an_address_is_never_a_crash(client, raw, view):
    response = fetch(client, f"/en/{view}.json", raw.replace(b"x", b"&text="))
    assert response.status_code in (200, 422)


@pytest.fixture(scope="module")
def server():
    """A real server on loopback; gives its port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(), log_level="critical", **SERVED)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        while not running.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield listening.getsockname()[1]
        running.should_exit = True
        thread.join(30)


def ask(port: int, method: str, address: str, body: bytes | None = None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, address, body)
        response = connection.getresponse()
        return response.status, response.getheader("content-type"), response.read().decode()
    finally:
        connection.close()


def test_a_real_server_answers(server):
    assert ask(server, "GET", "/health")[0] == 200


@pytest.mark.parametrize("size", [9_000, 60_000])
def test_a_real_server_tells_that_an_address_is_too_long(server, size):
    status, media, told = ask(server, "GET", "/de/gates.json?text=" + "x" * size)
    assert (status, media) == (414, JSON)
    assert json.loads(told)["error"]["code"] == "address_too_long"
    status, media, told = ask(server, "GET", "/en/gates?text=" + "x" * size)
    assert (status, media) == (414, HTML)
    assert "The address is" in told


def test_so_it_does_where_the_address_comes_in_parts(server):
    with socket.create_connection(("127.0.0.1", server)) as connection:
        connection.sendall(b"GET /de/gates.json?text=" + b"x" * 30_000)
        time.sleep(0.2)
        connection.sendall(b"x" * 30_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n")
        assert connection.recv(99).startswith(b"HTTP/1.1 414 ")


@pytest.mark.parametrize("endless", [b"X-Long: " + b"x" * 2**20, b"X-Many: x\r\n" * 2**17])
def test_headers_that_do_not_end_are_not_collected(server, endless):
    with socket.create_connection(("127.0.0.1", server), timeout=30) as connection:
        with suppress(ConnectionError):  # it may hang up before all is sent
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n" + endless)
        assert connection.recv(99).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(("size", "status"), [(20 * 2**20, 413), (100, 405)])
def test_a_real_server_answers_a_body_instead_of_hanging_up(server, size, status):
    found, media, told = ask(server, "POST", "/api/v1/models", bytes(size))
    assert (found, media) == (status, JSON)
    assert json.loads(told)["error"]["code"] == {413: "body_too_large", 405: "method"}[status]
    found, media, _ = ask(server, "POST", "/de", bytes(size))
    assert (found, media) == (status, HTML)


def test_a_real_server_survives_what_is_hardly_http(server):
    for line in (
        b"OPTIONS * HTTP/1.1",
        b"GET //evil.example/ HTTP/1.1",
        b"GET /%ED%A0%80/%00 HTTP/1.1",
        b"GET http://x/de/gates HTTP/1.1",
    ):
        with socket.create_connection(("127.0.0.1", server), timeout=30) as wire:
            wire.sendall(line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda wire=wire: wire.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 ") and not answer.startswith(b"HTTP/1.1 5"), (line, answer[:100])
        location = [entry for entry in answer.split(b"\r\n") if entry.lower().startswith(b"location:")]
        assert not any(b"//" in entry for entry in location), location


def test_a_real_server_takes_the_text_as_plain_bytes_or_refuses_it(server):
    with socket.create_connection(("127.0.0.1", server), timeout=60) as wire:
        wire.sendall("GET /de/gates.json?text=Süß HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: wire.recv(65_536), b""))
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))


def test_every_view_has_every_route():
    listed = {address for address, *_ in ADDRESSES}
    for lang, view in itertools.product(LANGUAGES, VIEWS):
        assert {f"/{lang}/{view}", f"/{lang}/embed/{view}"} <= listed


@pytest.mark.parametrize(("how", "vs"), [("reverse", "Hund den biss Mann Der."), ("swap", "Der Hund biss den Mann.")])
def test_a_pair_made_of_one_sentence_is_carried_by_links_and_data(client, how, vs):
    pair = urlencode({"text": "Der Mann biss den Hund.", "vs": vs})
    page = client.get(f"/de/gates?text=Der+Mann+biss+den+Hund.&vs_from={how}&layer=1").text
    links = [html.unescape(link) for link in re.findall(r'href="(/[^"]*)"', page)]
    assert "vs_from" not in "".join(links) and f'value="{html.escape(vs)}"' in page
    for path in ("/de/gates.csv?", "/de/gates.json?", "/de/hidden_states?", "/de/party?"):
        assert any(link.startswith(path) and pair in link for link in links), path
    found = client.get(f"/de/gates.json?text=Der+Mann+biss+den+Hund.&vs_from={how}").json()
    assert found["query"]["vs"] == vs and [run["text"] for run in found["runs"]][1] == vs
    assert "lstm,2," in client.get(f"/de/gates.csv?text=Der+Mann+biss+den+Hund.&vs_from={how}").text


def test_the_page_says_what_a_button_made_and_that_it_needs_two_nouns(client):
    assert "Artikel und Fälle nicht angepasst" in client.get("/de/hidden_states?vs_from=swap").text
    assert "in reverse order" in client.get("/en/hidden_states?vs=Hund+den+biss+Mann+Der").text
    assert "nicht angepasst" not in client.get("/de/gates?vs=weil").text
    answer = client.get("/de/gates?text=weil&vs_from=swap")
    assert answer.status_code == 422 and "zwei Nomen" in answer.text and 'value="weil"' in answer.text
    error = error_of(client.get("/en/gates.csv?text=weil&vs_from=swap"))
    assert (error["code"], error["field"]) == ("too_few_nouns", "text")
    buttons = re.findall(r'<button id="transform-[12]"[^>]*name="vs_from" value="(.*?)">([^<]+)<', answer.text)
    assert buttons == [("reverse", "Wortfolge umkehren"), ("swap", "Nomen tauschen")]


def test_no_second_model_is_no_comparison(client):
    """What the form sends where the menu says "no other"."""
    (only,) = client.get(f"/de/gates.json?{TEXT}&vs_model=").json()["runs"]
    assert only["model"] == "lstm"


def test_the_json_names_what_is_drawn(client):
    query = client.get(f"/de/gates.json?{TEXT}").json()["query"]
    assert (query["model"], query["layer"], query["gate"]) == ("lstm", 2, "forget")


def test_a_wrong_address_keeps_what_is_right_in_it(client):
    page = client.get("/de/gates?text=&model=gru&layer=1&theme=nonsense").text
    assert '<option value="gru"' in page and re.search(r'<option value="gru"[^>]* selected', page)
    assert 'name="layer" value="1"' in page and "nonsense" not in page


def test_a_wrong_option_does_not_cost_a_frame_its_look(client):
    asked = "gates?layer=x&bg=transparent&scale=1.5"
    embed, slides = (client.get(f"/de/{kind}/{asked}") for kind in ("embed", "slides"))
    assert embed.status_code == slides.status_code == 422
    assert 'data-bg="transparent" style="--scale: 1.5"' in embed.text
    assert "bg=transparent&amp;scale=1.5" in slides.text


def test_a_model_that_cannot_be_read_is_told(client, monkeypatch):
    def broken(_):
        raise OSError("no such file")

    model = registry.Model(
        name="broken", title="broken", family="none", fields=registry.get("lstm").fields, load=broken
    )
    monkeypatch.setattr(registry.Model, "hash", "0" * 8)
    monkeypatch.setitem(registry.catalogue(), "broken", model)
    monkeypatch.setitem(views.catalogue()["gates"].__dict__, "models", ["lstm", "broken"])
    for address in (f"/de/gates.json?{TEXT}&model=broken", f"/api/v1/trace?{TEXT}&model=broken"):
        response = client.get(address)
        assert response.status_code == 503
        assert error_of(response)["code"] == "model_unavailable"
    page = client.get(f"/de/gates?{TEXT}&model=broken")
    assert page.status_code == 503 and "„broken“ lässt sich" in page.text


def test_a_static_file_has_one_name(client):
    assert fetch(client, "/static/style.css").status_code == 200
    assert fetch(client, "/static/a/../style.css").status_code == 404


@pytest.mark.parametrize("query", ["", "?theme=dark", "?utm_source=mail"])
def test_the_landing_page_draws_its_example_until_a_sentence_is_stated(client, query):
    page = client.get(f"/de{query}").text
    assert "schauen vor allem auf das Token direkt davor" in page and 'value="Der Hund biss den Mann"' in page
    assert "Der Hund biss den Mann" not in client.get("/de?text=Katze").text.split('id="result"')[1].split("lecture")[0]


def test_all_networks_chosen_as_such_take_the_second_one_along(client):
    """As the form says it without scripts: "all side by side" beside what was compared with before."""
    every = ["rnn", "lstm", "gru"]
    for asked, expected in (
        ("", every), ("&model=", every), ("&model=&vs_model=gru", every), ("&vs_model=gru", ["gru"]),
        ("&model=gru&vs_model=rnn", ["rnn", "gru"]), ("&model=gru&vs_model=", ["gru"]),
    ):  # fmt: skip
        told = client.get(f"/de/gradient_flow.json?text=Der+Hund+bellt{asked}").json()
        assert [run["model"] for run in told["runs"]] == expected, asked
    page = client.get("/de/gradient_flow?text=Der+Hund+bellt&model=&vs_model=gru").text
    assert 'id="control-model"' in page and 'id="control-vs_model"' not in page
    assert '/de/gradient_flow?text=Der+Hund+bellt"' in page  # the permalink has dropped both


def test_a_network_that_a_picture_does_not_have_is_refused_though_the_view_has_it(client):
    told = client.get("/de/classification.json?text=Hund&show=progress&model=encoder-intent").json()
    assert (told["error"]["code"], told["error"]["field"]) == ("unfit_model", "model")
    assert "rnn-intent, lstm-intent, gru-intent" in told["error"]["message"]
    assert client.get("/de/classification?text=Hund&show=progress&model=encoder-intent").status_code == 422
