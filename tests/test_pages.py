"""Pages: the sentence goes along, every link leads somewhere, the language of a page is one language."""

import html
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest

from app import pages, views
from app.messages import LANGUAGES, translate
from app.query import Query
from app.settings import Settings, settings
from app.views.gates import GatesQuery

VIEWS = list(views.catalogue())
VOID = {"meta", "link", "input", "br", "img", "hr", "circle", "path"}


class Reader(HTMLParser):
    """Links, ids, text and unbalanced elements of a page."""

    def __init__(self, page: str):
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.handlers: list[str] = []
        self.start = ""  # of the addresses that the options of a list lead to
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.links += [given[name] for name in ("href", "src", "action") if given.get(name)]
        self.start = given.get("data-start", self.start)
        self.links += [self.start + given["data-rest"]] if "data-rest" in given else []
        self.ids += [given["id"]] if "id" in given else []
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Nothing stays open."""

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag


ADDRESSES = [
    "/{lang}",
    *(f"/{{lang}}/{view}" for view in VIEWS),
    *(f"/{{lang}}/embed/{view}?controls=1&scale=1.5&bg=transparent" for view in VIEWS),
    "/{lang}/attention_map?text=Der+Hund&vs=Der+Mann&layer=1&head=2&special=shown",
    "/{lang}/hidden_states?model=lstm&vs_model=gru",
    "/{lang}/gates?layer=99",
    "/{lang}/gates?text=",
    "/{lang}/gates?text=a&vs=",
    "/{lang}/models",
    "/{lang}/models/encoder?text=Der+Hund&theme=dark",
    "/{lang}/models/nope",
    "/{lang}/nope",
]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_is_whole(client, address, lang):
    page = client.get(address.format(lang=lang)).text
    found = Reader(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert found.handlers == [] and "javascript:" not in page
    assert f'<html lang="{lang}"' in page
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in found.links)
    assert not re.search(r">\s*[a-z_]+(\.[a-z_0-9]+)+\s*<", re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.S))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_link_of_the_landing_page_leads_somewhere(client, lang):
    for link in set(Reader(client.get(f"/{lang}").text).links):
        if not link.startswith("#"):
            assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_landing_page_has_its_example_drawn(client, lang):
    page = client.get(f"/{lang}").text
    assert 'class="figure-data"' in page and "Der Mann biss den Hund" in page
    for view in VIEWS:
        assert f'href="/{lang}/{view}"' in page  # with the sentence that makes the view's own point
        assert html.escape(translate(lang, f"{view}.question")) in page


def test_the_sentence_goes_along_to_every_view(client):
    page = client.get("/de/attention_map?text=Katze+beißt&vs=Hund&theme=dark&layer=2").text
    linked = [urlsplit(link) for link in Reader(page).links if urlsplit(link).path == "/de/gates"]
    assert linked
    for link in linked:
        stated = parse_qs(link.query)
        assert (stated["text"], stated["vs"], stated["theme"]) == (["Katze beißt"], ["Hund"], ["dark"])
        assert "layer" not in stated and stated.get("model") != ["encoder"]


@pytest.mark.parametrize("name", VIEWS)
def test_the_sentence_that_a_view_comes_with_stays_there(client, name):
    """With a second one beside it, both go along."""
    own = views.catalogue()[name].query.model_fields["text"].default
    for query, stated in (("", {}), ("&vs=Tom", {"text": [own], "vs": ["Tom"]})):
        links = map(urlsplit, Reader(client.get(f"/de/{name}?theme=dark{query}").text).links)
        asked = {link.path: parse_qs(link.query) for link in links}
        for path in ("/de", "/de/lexicon", "/de/models", *({"/de/order", "/de/party"} - {f"/de/{name}"})):
            assert asked[path] == stated | {"theme": ["dark"]}


def test_the_landing_pages_pair_stays_there_and_another_goes_along(client):
    views_linked = re.compile(r'<li><a href="/de/(\w+)([^"]*)"><span class="entry-title">')
    for address, asked in (("/de", ""), ("/de?text=Der+Mann+biss+den+Hund&vs=Der+Hund+biss+den+Mann&layer=2", ""),
                           ("/de?text=Hallo&vs=Tom", "?text=Hallo&amp;vs=Tom")):  # fmt: skip
        found = dict(views_linked.findall(client.get(address).text))
        assert list(found) == VIEWS and set(found.values()) == {asked}


@pytest.mark.parametrize("name", VIEWS)
def test_the_wordmark_leads_home_whatever_the_model(client, name):
    for query in ("", "?text=Hallo+Welt", "?text=Hallo+Welt&vs_model=gru"):
        page = client.get(f"/de/{name}{query}").text
        home = html.unescape(re.search(r'class="wordmark" href="([^"]*)"', page)[1])
        assert client.get(home).status_code == 200, home


@pytest.mark.parametrize("name", VIEWS)
def test_views_walk_in_the_order_of_the_lecture(client, name):
    page = client.get(f"/de/{name}").text
    place = VIEWS.index(name)
    for rel, neighbour in (("prev", place - 1), ("next", place + 1)):
        found = re.search(rf'rel="{rel}" href="/de/(\w+)"', page)
        assert (found[1] if found else None) == ([*VIEWS, "lexicon"][neighbour] if neighbour >= 0 else None)


def test_the_language_can_be_changed_and_keeps_the_query(client):
    page = client.get("/de/gates?text=Hund&model=gru&layer=1").text
    links = [link for link in Reader(page).links if link.startswith("/en/gates?")]
    assert links
    assert parse_qs(urlsplit(links[0]).query) == {"text": ["Hund"], "model": ["gru"], "layer": ["1"]}


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_a_theme_is_the_pages_and_the_figures(client, theme):
    page = client.get(f"/de/gates?theme={theme}").text
    assert f'<html lang="de" data-theme="{theme}"' in page


def test_what_is_compared_with_is_a_sentence_here_and_a_model_there(client):
    page = client.get("/de/attention_map?vs_from=swap").text
    labels = [re.sub(r"<.*?>", "", label) for label in re.findall(r"<label[^>]*>(.*?)</label>", page)]
    assert labels == ["Satz", "verglichen mit (zweiter Satz)", "Modell", "Verglichen mit (zweites Modell)"]


def test_the_hint_promises_words_only_where_keys_walk_through_them(client):
    for name, walked in (("hidden_states", True), ("trajectory", False), ("tokens", False)):
        hint = re.search(r'class="word-line"[^>]*>(.*?)</p>', client.get(f"/de/{name}").text)[1]
        assert ("Pfeiltasten" in hint) == walked, name


def test_german_words_are_german_on_an_english_page_too(client):
    page = client.get("/en/attention_map").text
    assert re.search(r'<input id="field-text"[^>]* lang="de"', page)
    toolbar, words = re.search(r'(<div class="token-line"[^>]*>)\s*(<span class="words"[^>]*>)', page).groups()
    assert 'lang="de"' in words and 'lang="de"' not in toolbar, "its name is English"
    assert re.search(r'<th scope="row" lang="de">biss</th>', page)
    assert re.search(r'id="summary".*“<span lang="de"><b[^>]*>biss</b></span>”', page)


def test_an_error_stands_beside_its_field_and_keeps_the_text(client):
    page = client.get("/de/gates?text=" + "Hund+" * 300).text
    error = re.search(r'<div id="text-error".*?</div>', page, re.S)[0]
    assert "301 Tokens, höchstens 256 möglich." in error and 'class="fix"' in error
    assert 'value="Hund Hund' in page and 'aria-invalid="true"' in page
    assert 'class="figure-data"' not in page
    second = client.get("/de/gates?text=Hund&vs=+").text
    assert "Hier fehlt ein Satz" in re.search(r'<div id="vs-error".*?</div>', second, re.S)[0]
    assert "Hier fehlt ein Satz" not in re.search(r'<div id="text-error".*?</div>', second, re.S)[0]


def test_an_error_of_an_option_stands_on_the_page(client):
    page = client.get("/de/gates?text=Hund&layer=99").text
    error = re.search(r'<div id="page-error".*?</div>', page, re.S)[0]
    assert "Schicht" in error and "möglich: 1, 2)" in error
    way_out = re.search(r'<a class="fix" href="([^"]*)" data-load>Ohne diese Angabe zeigen</a>', error)[1]
    assert client.get(html.unescape(way_out)).status_code == 200
    assert 'value="Hund"' in page


def test_too_many_repeats_come_with_the_most_that_fit(client):
    page = client.get("/en/gradient_flow?text=Der+Hund+bellt+laut+und+lange&repeat=64").text
    way_out, most = re.search(r'<a class="fix" href="([^"]*)" data-load>Show with (\d+)</a>', page).groups()
    assert f"repeat={most}" in way_out and client.get(html.unescape(way_out)).status_code == 200


def test_the_public_address_stands_in_permalinks_only(monkeypatch, make_client):
    monkeypatch.setattr(pages, "settings", lambda: Settings(public_url="https://satzblick.example/"))
    page = make_client().get("/de/gates?text=Hund", headers={"Host": "evil.example"}).text
    assert "https://satzblick.example/de/gates?text=Hund" in page
    assert "evil.example" not in page


def test_no_address_is_made_from_the_request(client):
    assert settings().public_url == ""
    for address in ("/de", "/de/gates", "/de/embed/gates", "/de/gates.json", "/api/v1/views", "/api/openapi.json"):
        assert "evil.example" not in client.get(address, headers={"Host": "evil.example"}).text


def test_models_go_along_only_where_they_fit():
    catalogue = views.catalogue()
    query = GatesQuery(text="a", model="gru", vs_model="lstm", gate="new")
    assert "model=gru" in pages.link(catalogue["hidden_states"], query)
    assert "model" not in pages.link(catalogue["attention_map"], query)
    assert "gate" not in pages.link(catalogue["hidden_states"], query)


def test_a_pair_of_models_goes_along_and_one_alone_does_not_narrow_what_stands_beside_each_other():
    catalogue = views.catalogue()
    pair = Query(text="a", model="rnn", vs_model="gru")
    for name in ("trajectory", "gradient_flow", "order", "four_lanes"):
        assert pages.link(catalogue[name], pair).endswith("?text=a&model=rnn&vs_model=gru")
        assert pages.link(catalogue[name], pair.changed(vs_model="nope")).endswith(
            "?text=a&model=rnn" if name == "trajectory" else "?text=a"
        )
    assert pages.link(catalogue["gates"], pair).endswith("/gates?text=a&model=gru")
    assert pages.link(catalogue["classification"], pair).endswith("?text=a")
    assert pages.link(catalogue["next_word"], Query(text="a", model="decoder")).endswith("?text=a")


@pytest.mark.parametrize("name", ["hidden_states", "gradient_flow"])
def test_a_page_hands_both_of_its_models_on_though_one_is_its_own_choice(client, name):
    page = client.get(f"/de/{name}?text=a&model=rnn&vs_model=gru").text
    assert "/de/trajectory?text=a&model=rnn&vs_model=gru" in {link.replace("&amp;", "&") for link in Reader(page).links}


def test_what_is_shared_is_no_views_own():
    shared = pages.shared(GatesQuery(text="a", gate="new", layer=2))
    assert shared == {"text": "a"}


def test_the_error_page_leads_on(client):
    for lang in LANGUAGES:
        page = client.get(f"/{lang}/nope").text
        for link in Reader(page).links:
            assert client.get(link).status_code == 200 or link.startswith("#")
