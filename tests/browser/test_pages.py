"""Every page in both languages: nothing to complain about, nothing for axe-core to find, nothing beyond 320 pixels.

A page is loaded once; colours and width change on the loaded page.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Literal

import pytest

from app import views
from app.messages import LANGUAGES
from models import registry

from .conftest import OpenWindow
from .screen import HERE, Screen

VIEWS = [name for name, view in views.catalogue().items() if view.models]
WITH_FIGURE = ["", *(f"/{name}" for name in VIEWS), *(f"/embed/{name}" for name in VIEWS)]
CARDS = ["/models", "/models/encoder", "/models/word_vectors"]
WITHOUT_FIGURE = ("/models", "/models/word_vectors")
WRONG = {"/no_such_view": 404, "/attention_map?text=+": 422, "/embed/attention_map?text=+": 422}
PAGES = [f"/{lang}{path}" for lang in LANGUAGES for path in (*WITH_FIGURE, *CARDS, *WRONG)]
WIDTHS = {1280: 900, 320: 640}
FAMILIES = [  # one model of each: the others are drawn alike, and what they tell is read without a browser
    (name, next(model for model in chosen if registry.get(model).family == family))
    for name in VIEWS
    for chosen in [views.catalogue()[name].models[: None if views.catalogue()[name].chooses_model else 1]]
    for family in sorted({registry.get(model).family for model in chosen})
]

AXE = (HERE / "axe-core" / "axe.min.js").read_text()
AXE_LOADED = "'axe' in window"
RULES = "{ resultTypes: ['violations'], preload: false, rules: { 'target-size': { enabled: true } } }"
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"
FOLLOWED = (
    FRAMES
    + """.then(() => [...document.querySelectorAll(".stage")].every(({ offsetWidth, parentNode }) =>
    offsetWidth <= parentNode.clientWidth || parentNode.classList.contains("scrolls")))"""
)
TOO_WIDE = """[...document.body.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > 320.5)
    .map((each) => each.outerHTML.slice(0, 120)).join("\\n")"""


@pytest.fixture(scope="module")
def visitor(open_window: OpenWindow) -> Screen:
    """A window of its own for the round through all pages."""
    return open_window()


@pytest.fixture(scope="module", params=PAGES)
def loaded(request: pytest.FixtureRequest, visitor: Screen) -> Iterator[Screen]:
    """A page with its figure, where it has one; what goes wrong while tests turn it over is told at its end."""
    path: str = request.param
    status = WRONG.get(path[3:], 200)
    with visitor.watched() as screen:
        screen.witness.expect_status(status)
        assert screen.go(path) == status
        if status == 200 and path[3:] not in WITHOUT_FIGURE:
            screen.drawn()
        assert screen.page.evaluate(AXE_LOADED) is False
        screen.page.evaluate(AXE)
        yield screen
        assert screen.witness.requests


def show(screen: Screen, scheme: Literal["light", "dark"], width: int) -> None:
    """Sets colours and width, and waits until the page has followed."""
    screen.page.emulate_media(color_scheme=scheme)
    screen.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    screen.until(lambda: screen.page.evaluate(FOLLOWED), "the page to follow")


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(loaded: Screen, width: int) -> None:
    """Each width in one scheme, in the other language in the other: what a scheme changes is the same in both."""
    show(loaded, "light" if ("/de/" in loaded.page.url) == (width == max(WIDTHS)) else "dark", width)
    found = loaded.page.evaluate(f"axe.run(document, {RULES})")
    assert found["passes"], "axe looked at nothing"
    told = [
        f"{rule['id']}: {rule['help']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert not told, "\n".join(told)


def test_nothing_leaves_a_narrow_screen(loaded: Screen) -> None:
    show(loaded, "light", 320)
    assert loaded.page.evaluate("document.scrollingElement.scrollWidth") <= 320, loaded.page.evaluate(TOO_WIDE)


def test_the_first_screen_of_a_projector_meets_the_figure(loaded: Screen) -> None:
    """Of 720 pixels, on every page with a figure."""
    show(loaded, "light", 1280)
    begins = "stages => stages.map((stage) => stage.getBoundingClientRect().top + scrollY)"
    assert all(top < 640 for top in loaded.page.eval_on_selector_all("#result .stage", begins))


@pytest.mark.parametrize(("view", "lang"), list(zip(VIEWS, itertools.cycle(LANGUAGES), strict=False)))
def test_the_page_speaks_its_language(screen: Screen, view: str, lang: str) -> None:
    screen.open(f"/{lang}/{view}")
    assert screen.page.get_attribute("html", "lang") == lang
    other = "en" if lang == "de" else "de"
    spoken = screen.text("h1")
    screen.page.click(f".languages a[hreflang={other}]")
    screen.page.wait_for_url(f"**/{other}/{view}*")
    screen.drawn()
    assert screen.text("h1") != spoken


@pytest.mark.parametrize(("view", "model"), FAMILIES)
def test_each_view_draws_each_family_of_models(screen: Screen, view: str, model: str) -> None:
    screen.page.emulate_media(color_scheme="dark")
    screen.open(f"/en/{view}", model=model, text="Der Mann biss den Hund", vs="Der Hund biss den Mann")
    if panels := screen.panels():
        assert len(panels) >= 2
        assert any("Der Mann biss den Hund" in " ".join([*panel["across"], panel["title"] or ""]) for panel in panels)
    else:
        assert all(word in screen.text("#result") for word in ("Mann", "biss", "Hund"))


def test_these_are_the_views_of_the_api(screen: Screen) -> None:
    answer = screen.page.request.get(f"{screen.base}/api/v1/views").json()
    assert [view["name"] for view in answer["views"]] == VIEWS


def test_the_api_page(screen: Screen) -> None:
    assert screen.go("/api/docs") == 200
    screen.page.wait_for_selector("[data-path='/api/v1/trace']")
    assert screen.page.locator(".opblock").count() >= 4
    screen.page.click("[data-path='/api/v1/views']")
    screen.page.wait_for_selector(".opblock.is-open")


@pytest.mark.parametrize("landscape", [False, True])
def test_two_sentences_print_side_by_side(open_window: OpenWindow, landscape: bool) -> None:
    """A figure is not cut by the end of a sheet, nor by its side; an embed is one sheet."""
    asked = {"text": "Der Mann biss den Hund", "vs": "Der Hund biss den Mann"}
    with open_window(viewport={"width": 1280, "height": 720}).watched() as screen:
        for path, more in (("/de/attention_map", {}), ("/de/embed/attention_map", {"scale": "1.5"})):
            screen.open(path, **asked, **more)
            printed = screen.page.pdf(format="A4", landscape=landscape)
            sheets = len(re.findall(rb"/Type /Page\b(?!s)", printed))
            assert sheets == 1 if more else sheets <= 3
            screen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
            stage = screen.page.locator(".stage").evaluate("({ style }) => [style.width, style.height].map(parseFloat)")
            assert 500 < stage[0] <= 660 and stage[1] < 420, "a row of three"
            screen.page.evaluate("dispatchEvent(new Event('afterprint'))")


def test_a_figure_begins_on_the_first_sheet(screen: Screen) -> None:
    """Under what is said of it, with the whole of a sentence that its field cuts."""
    screen.open("/de/gates", text="Der Mann, der sehr skeptisch ist und gestern spät gekommen ist, war da.")
    margin = "10mm"
    printed = screen.page.pdf(format="A4", margin={"top": margin, "bottom": margin, "left": margin, "right": margin})
    assert len(re.findall(rb"/Type /Page\b(?!s)", printed)) == 2
    screen.page.emulate_media(media="print")
    assert screen.page.locator(".tokens").is_visible() and not screen.page.locator(".fields").is_visible()
    assert screen.text(".tokens").split()[-3:] == ["war", "da", "."]
