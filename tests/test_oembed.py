"""oEmbed: own addresses only, within the limits asked for; absolute addresses come from the settings alone."""

import html
import re
from urllib.parse import quote

import pytest

from app.settings import settings

BASE = "https://satz.example"
FORGED = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
PAGE = f"{BASE}/de/gates?text=Hund+%26+Katze&gate=forget&bg=transparent"


@pytest.fixture
def public(monkeypatch, make_client):
    """A client of a server that knows its address."""
    settings.cache_clear()
    monkeypatch.setenv("SATZBLICK_PUBLIC_URL", f"{BASE}/")
    yield make_client()
    settings.cache_clear()


def test_a_sandboxed_frame_gets_its_files_from_the_public_address(public):
    policy = public.get("/de/embed/gates", headers=FORGED).headers["content-security-policy"]
    for kind in ("script", "style", "img", "connect"):
        assert f"; {kind}-src 'self' {BASE}" in policy
    assert BASE not in public.get("/de/gates").headers["content-security-policy"]


def ask(client, url, more=""):
    return client.get(f"/oembed?url={quote(url, safe='')}{more}", headers=FORGED)


def test_an_own_address_is_a_frame(public):
    response = ask(public, PAGE)
    told = response.json()
    assert response.status_code == 200 and response.headers["access-control-allow-origin"] == "*"
    assert (told["version"], told["type"], told["provider_name"]) == ("1.0", "rich", "Satzblick")
    assert (told["width"], told["height"]) == (1280, 720)
    source = html.unescape(re.search(r'src="([^"]*)"', told["html"])[1])
    assert source.startswith(f"{BASE}/de/embed/gates?text=Hund+%26+Katze&gate=forget&bg=transparent")
    assert told["thumbnail_url"].startswith(f"{BASE}/de/gates.png?")
    assert public.get(source.removeprefix(BASE)).status_code == 200
    assert "evil" not in response.text
    assert 'frameborder="0"' in told["html"], "consumers that take the style away"


@pytest.mark.parametrize("path", ["/de", "/en", "/de/embed/gates?text=Hund", "/en/slides/gates?text=Hund", "/de/gates"])
def test_other_own_addresses(public, path):
    assert ask(public, BASE + path).status_code == 200


@pytest.mark.parametrize(
    ("more", "size"),
    [("&maxwidth=640", (640, 360)), ("&maxheight=180", (320, 180)), ("&maxwidth=640&maxheight=90", (160, 90)),
     ("&maxwidth=9999", (1280, 720)), ("&maxwidth=1&maxheight=1", (1, 1))],
)  # fmt: skip
def test_limits_are_kept(public, more, size):
    told = ask(public, PAGE, more).json()
    assert (told["width"], told["height"]) == size
    assert f'width="{size[0]}" height="{size[1]}"' in told["html"]
    pictured = (told.get("thumbnail_width"), told.get("thumbnail_height"))
    assert pictured == (size if size[1] >= 120 else (None, None))


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/de/gates", f"{BASE}.evil.example/de/gates", f"{BASE}@evil.example/de/gates", "//evil/de",
     f"{BASE}/fr/gates", f"{BASE}/de/nope", f"{BASE}/de/models", f"{BASE}/de/gates?layer=nope", f"{BASE}/health", "",
     "http://satz.example/de/gates", f"{BASE}//evil/de", f"{BASE}/de/gates.svg", "javascript:alert(1)", "[", BASE],
)  # fmt: skip
def test_others_are_not_there(public, url):
    response = ask(public, url)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_embeddable"


def test_only_json(public):
    assert ask(public, PAGE, "&format=json").status_code == 200
    assert ask(public, PAGE, "&format=xml").status_code == 501
    assert ask(public, PAGE, "&maxwidth=0").status_code == 422
    assert ask(public, PAGE, "&maxwidth=wide").status_code == 422


PICTURED = {"de": "Attention-Karte", "en": "Attention map"}  # by the landing page's figure


def metas(page: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]*)" content="([^"]*)">', page))


@pytest.mark.parametrize(
    "path", ["/de", "/en/gates?text=Hund", "/de/attention_map?text=Hund&vs=Katze", "/de/models", "/en/deck"]
)
def test_a_shared_page_shows_its_picture_and_tells_how_to_embed_it(public, path):
    page = public.get(path, headers=FORGED).text
    told = metas(page)
    assert html.unescape(told["og:image"]).startswith(f"{BASE}{path[:3]}/")
    assert ".png?" in told["og:image"] and told["twitter:image"] == told["og:image"]
    assert told["og:image:alt"] == told["twitter:image:alt"] != ""
    assert told["twitter:card"] == "summary_large_image"
    assert html.unescape(told["og:url"]).startswith(BASE + path.split("?")[0])
    assert told["og:description"] and told["og:title"]
    found = re.search(r'type="application/json\+oembed" href="([^"]*)"', page)
    assert bool(found) == ("models" not in path and "deck" not in path)
    assert told["og:image:alt"] == (told["og:description"] if found else PICTURED[path[1:3]])
    if found:
        address = html.unescape(found[1])
        assert address.startswith(f"{BASE}/oembed?url=")
        assert public.get(address.removeprefix(BASE)).status_code == 200
    assert "evil" not in page


def test_the_page_that_embeds_names_this_server_only(public):
    page = public.get("/de/slides/gates?text=Hund&bg=transparent&scale=1.5", headers=FORGED).text
    assert f"{BASE}/de/embed/gates?text=Hund&amp;" in html.unescape(page)
    assert "evil" not in page and "SATZBLICK_PUBLIC_URL" not in page
    code = public.get("/de/slides/gates.svg?text=Hund", headers=FORGED)
    assert (code.status_code, code.headers["content-type"]) == (200, "image/svg+xml")
    assert code.text.startswith("<?xml") and "<path" in code.text
    assert public.get("/de/slides/gates.svg?text=" + "Hund+" * 190).status_code == 200
    assert public.get("/de/slides/gates.svg?text=" + "Hund+" * 700).status_code == 422


def test_without_a_public_address_there_is_no_code(client):
    settings.cache_clear()
    page = client.get("/de/slides/gates?text=Hund", headers=FORGED).text
    assert "SATZBLICK_PUBLIC_URL/de/embed/gates?text=Hund" in page and "evil" not in page
    assert client.get("/de/slides/gates.svg?text=Hund").status_code == 404


@pytest.mark.parametrize("path", ["/de/slides/nope", "/fr/slides/gates", "/de/slides/gates.exe", "/de/slides/nope.svg"])
def test_what_is_not_there(client, path):
    assert client.get(path).status_code == 404


def test_what_is_wrong_is_said_beside_it(client):
    response = client.get("/de/slides/gates?text=Hund&scale=99")
    assert response.status_code == 422 and "page-error" in response.text
    assert client.get("/de/slides/gates?text=+").status_code == 422


def test_what_the_page_shows_is_the_embed_it_gives_away(client):
    page = html.unescape(client.get("/de/slides/gates?text=Hund&scale=1.5&caption=0&controls=1&theme=dark").text)
    address = re.search(r'<iframe src="([^"]*)"', page)[1]
    assert address == "/de/embed/gates?text=Hund&model=lstm&theme=dark&scale=1.5&controls=1&caption=0"
    embed = client.get(address).text
    assert "--scale: 1.5" in embed and 'class="controls"' in embed and 'class="summary"' not in embed
    links = re.findall(r'href="(/de/slides/gates\?[^"]*)" data-load', page)
    assert len(links) >= 12 and all(client.get(link).status_code == 200 for link in links)


def test_what_is_copied_of_a_figure_without_a_sentence_is_named(client):
    page = html.unescape(client.get("/de/slides/party").text)
    assert "[Party, Satzblick](" in page and "(Party, Satzblick)" not in page


def test_the_still_of_a_slide_with_a_heading_is_lower(client):
    page = html.unescape(client.get("/de/slides/gates?text=Hund").text)
    address = re.search(r"# \[Gates\]\(.*?\)\n\n!\[Gates\]\(SATZBLICK_PUBLIC_URL(/de/gates\.svg\?[^)]*)\)", page)[1]
    assert "&width=1120&height=450&scale=1.5" in address
    svg = client.get(address).text
    assert 'width="840pt" height="337.5pt"' in svg


def test_the_pdf_fills_what_its_snippet_takes_of_a_slide(client):
    """Beamer's text is 398.3 pt wide and 252.1 pt high at 16 to 9; a still as high as a slide has smaller letters."""
    page = html.unescape(client.get("/de/slides/gates?text=Hund").text)
    assert r"In einem Aufsatz genügt die Zeile mit \includegraphics" in page
    assert r"[width=\textwidth,height=0.75\textheight,keepaspectratio]{satzblick-gates.pdf}" in page
    address = re.search(r'href="(/de/gates\.pdf\?[^"]*)"', page)[1]
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", client.get(address).content)
    wide, high = (float(side) for side in box.groups())
    assert wide / high == pytest.approx(398.3 / (0.75 * 252.1), rel=0.01) and "&scale=1.5" in address


def test_a_slide_is_offered_letters_that_the_last_row_reads(client):
    for asked, scale in (("", "&scale=1.5"), ("&scale=1.0", ""), ("&scale=2", "&scale=2.0")):
        page = html.unescape(client.get(f"/de/slides/gates?text=Hund{asked}").text)
        assert re.search(r'<iframe src="([^"]*)"', page)[1] == f"/de/embed/gates?text=Hund&model=lstm{scale}"
        assert {"1.0", "1.5"} <= set(re.findall(r'href="/de/slides/gates\?[^"]*scale=([\d.]+)', page))


def test_the_caption_names_the_weights(client):
    from models import registry

    for path in ("/de/embed/gates?text=Hund", "/de/gates?text=Hund"):
        assert f"lstm {registry.get('lstm').hash}" in client.get(path).text
