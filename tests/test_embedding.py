"""What is to be pasted into slides says the same in every deck's own notation, whatever the sentence."""

import ast
import html
import json
import re
from html.parser import HTMLParser

import pytest

from app.embedding import SNIPPETS, Picture, latex, latex_address, markdown

NASTY = """Süße "Bank" & <b>Geld</b> 100 % von a_b's $x^2$ {#} ~ \\ „äh“ | `c` [d](e) *f*"""
QUERY = "text=S%C3%BC%C3%9Fe+%22Bank%22+%26+%3Cb%3E&bg=transparent&scale=1.5"
BASE = "https://slides.example"
PICTURE = Picture(
    title=NASTY, caption=NASTY, file="satzblick-gates", page=f"{BASE}/de/gates?{QUERY}",
    embed=f"{BASE}/de/embed/gates?{QUERY}", svg=f"{BASE}/de/gates.svg?{QUERY}",
    banner=f"{BASE}/de/gates.svg?{QUERY}&width=1120&height=450", pdf=f"{BASE}/de/gates.pdf?{QUERY}",
)  # fmt: skip


class Tags(HTMLParser):
    """The elements of a piece of HTML with their attributes, and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", ["iframe", "reveal", "reveal_preload", "reveal_background", "quarto", "moodle"])
def test_html_holds_the_address_and_nothing_of_the_sentence_becomes_markup(name):
    text = SNIPPETS[name](PICTURE)
    elements = Tags(text.split("```{=html}")[-1]).found
    assert {tag for tag, _ in elements} <= {"iframe", "section", "h2"}
    tag, attributes = elements[-1]
    held = [value for key, value in attributes.items() if key in ("src", "data-src", "data-background-iframe")]
    assert held == [PICTURE.embed]
    if tag == "iframe":
        assert attributes["title"] == NASTY
        assert "color-scheme: light" in attributes["style"]


def test_reveal_loads_late_early_or_behind():
    assert "data-preload" not in SNIPPETS["reveal"](PICTURE) and " src=" not in SNIPPETS["reveal"](PICTURE)
    assert "data-preload" in SNIPPETS["reveal_preload"](PICTURE)
    assert "data-background-interactive" in SNIPPETS["reveal_background"](PICTURE)


def test_a_notebooks_cell_is_python_with_that_address():
    tree = ast.parse(SNIPPETS["jupyter"](PICTURE))
    assert [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)][1] == PICTURE.embed or (
        PICTURE.embed in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    )


def test_markdown_reads_back_as_typed():
    text = SNIPPETS["markdown"](PICTURE)
    picture, link = text.split("\n\n")
    for part, address in ((picture.removeprefix("!"), PICTURE.svg), (link, PICTURE.page)):
        label, _, target = part[1:-1].rpartition("](")
        assert target == address and not set("()[] ") & set(target)
        assert re.sub(r"\\(.)", r"\1", label) == NASTY
        assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]<*_`$&]", label)
    assert markdown("Mann_in & <b>") == r"Mann\_in \& \<b\>"


def test_latex_escapes_every_special_character():
    assert latex('50 % & a_b #1 $x$ {y} ~ ^ \\ "z"') == (
        r"50 \% \& a\_b \#1 \$x\$ \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{} {\char34}z{\char34}"
    )
    assert latex("Süße „Bank“ ↔ “Bank” −1") == (
        r"Süße {,,}Bank{``} \ensuremath{\leftrightarrow} {``}Bank{''} \ensuremath{-}1"
    ), "what pdflatex cannot read in the usual encoding"
    assert latex_address("a?b=%C3%BC#c") == r"a?b=\%C3\%BC\#c"
    text = SNIPPETS["beamer"](PICTURE)
    assert "{satzblick-gates.pdf}" in text
    assert re.search(r"\\href\{([^{}]*)\}", text)[1].replace("\\%", "%") == PICTURE.page
    assert not re.search(r"(?<!\\)%", text), "the rest of a line would be a comment"


@pytest.mark.parametrize("name", SNIPPETS)
def test_every_snippet_holds_an_absolute_address(name):
    assert f"{BASE}/de/" in html.unescape(SNIPPETS[name](PICTURE))


def test_latex_stops_at_no_letter():
    """pdflatex was asked about each: it ends at an emoji, other scripts, and Latin letters of other encodings."""
    assert latex("Süße Kaffees, „łódź“ – 5 €") == r"Süße Kaffees, {,,}łódź{``} – 5 €"
    assert latex("Der 🐕 ist я, ą und «so»") == (
        r"Der U+1F415 ist U+044F, U+0105 und \ensuremath{\ll}so\ensuremath{\gg}"
    )


def test_a_slide_of_marp_has_room_for_its_heading():
    heading, picture = SNIPPETS["marp"](PICTURE).split("\n\n")
    assert heading == f"# [{markdown(NASTY)}]({PICTURE.page})"
    assert picture == f"![{markdown(NASTY)}]({PICTURE.banner})"


def test_a_slide_of_slidev_is_a_frame():
    first, layout, url, last = SNIPPETS["slidev"](PICTURE).split("\n")
    assert (first, layout, last) == ("---", "layout: iframe", "---")
    assert json.loads(url.removeprefix("url: ")) == PICTURE.embed
