"""Every figure inside somebody else's slides, all at once: another origin and a sandbox, a file, a frame in a frame."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Frame

from app import views

from .conftest import OpenWindow
from .screen import HERE, Screen
from .test_embed import elsewhere  # noqa: F401 the fixture is used by name

VIEWS = [name for name, view in views.catalogue().items() if view.models]
TEXT = "Anna mag München"  # two names, for the view that colours nothing else
ROOM = {"width": 2400, "height": 1900}  # so that no frame is out of sight, which browsers draw late


def figures(screen: Screen, page: Frame, sandbox: str) -> dict[str, Frame]:
    """All embeds in frames of this page, drawn to the end."""
    addresses = [f"{screen.base}/de/embed/{view}?{urlencode({'text': TEXT})}" for view in VIEWS]
    page.evaluate("([addresses, sandbox]) => show(addresses, sandbox)", [addresses, sandbox])
    screen.until(lambda: len(page.child_frames) == len(VIEWS), "a frame for each figure")
    found = {}
    for view, frame in zip(VIEWS, page.child_frames, strict=True):
        screen.until(lambda frame=frame: "/embed/" in frame.url, view)
        screen.until(lambda frame=frame: frame.evaluate("document.readyState") == "complete", view)
        screen.drawn(frame)
        found[view] = frame
    return found


def untroubled(screen: Screen, found: dict[str, Frame]) -> None:
    """Every figure stands there with its sentence, fits across, and asked nobody but this server and the slides."""
    for view, frame in found.items():
        assert frame.locator(".main-svg").count() >= 1, view
        assert frame.locator("#page-error p").count() == 0, view
        assert frame.locator("header, footer").count() == 0, view
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), view
        assert len(frame.inner_text(".summary")) > 20, view
    assert [
        url for url in screen.witness.requests if "127.0.0.1" not in url and not url.startswith(("file:", "data:"))
    ] == []


@pytest.mark.parametrize("place", ["elsewhere", "file", "frame"])
def test_every_figure_is_drawn(open_window: OpenWindow, elsewhere: str, place: str) -> None:  # noqa: F811
    with open_window(viewport=ROOM).watched() as screen:
        screen.page.goto(f"{HERE.as_uri() if place == 'file' else elsewhere}/slides.html")
        page = screen.page.main_frame
        if place == "frame":
            screen.page.evaluate("show(['slides.html'], '')")
            page = screen.until(lambda: next(iter(screen.page.main_frame.child_frames), None), "the frame between")
            screen.until(lambda: page.evaluate("typeof show === 'function'"), "its page")
            screen.page.eval_on_selector("iframe", "(frame) => { frame.style = 'width: 2400px; height: 1900px'; }")
        found = figures(screen, page, "" if place == "frame" else "allow-scripts")
        assert {frame.evaluate("origin") for frame in found.values()} == {screen.base if place == "frame" else "null"}
        untroubled(screen, found)
        for number, (view, frame) in enumerate(found.items()):
            frame.click(".figure", position={"x": 1, "y": 1})
            screen.page.evaluate("said.length = 0")
            page.evaluate("said.length = 0")
            screen.page.keyboard.press("ArrowRight")
            turned = f'said.some(({{ data, from }}) => data === \'{{"method":"next"}}\' && from === {number})'
            screen.until(lambda turned=turned: page.evaluate(turned), f"{view} turns the slide")
            if place == "frame":  # the deck may be the page around the wrapper
                outer = 'said.some(({ data }) => data === \'{"method":"next"}\')'
                screen.until(lambda outer=outer: screen.page.evaluate(outer), f"{view} turns the outer slide")


SIZES = """() => [...document.querySelectorAll(".plot text, .stage .sticky b")]
  .map((text) => [text.textContent.trim(), parseFloat(getComputedStyle(text).fontSize), text.getBoundingClientRect()])
  .filter(([text, , box]) => text && box.width)
  .map(([text, size, { left, right, top }]) => ({ text, size, left, right, top }))"""


@pytest.mark.parametrize("view", VIEWS)
def test_every_label_can_be_read_from_the_last_row(screen: Screen, view: str) -> None:
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    screen.open(f"/de/embed/{view}", scale="1.5", text="Der Mann biss den Hund")
    labels = screen.page.evaluate(SIZES)
    assert labels
    assert [label for label in labels if label["size"] < 23.9] == []
    assert [label for label in labels if label["left"] < -1 or label["top"] < -1 or label["right"] > 1281] == []
    high = screen.page.evaluate("document.documentElement.scrollHeight - innerHeight")
    assert high <= 8, f"{high} pixels too high"


@pytest.mark.parametrize("lang", ["de", "en"])
def test_no_slanted_name_of_a_network_is_left_out(screen: Screen, lang: str) -> None:
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    screen.open(f"/{lang}/embed/order", scale="1.5")
    names = screen.page.eval_on_selector_all(
        ".xtick text",
        """names => names.map((name) => [getComputedStyle(name).opacity, getComputedStyle(name).display,
          name.getBoundingClientRect().left])""",
    )
    assert len(names) == 8
    assert all(opacity == "1" and display != "none" and left >= 0 for opacity, display, left in names)


LONG = "Der Mann, der sehr skeptisch ist und gestern spät gekommen ist, war da."


@pytest.mark.parametrize("view", ["memory", "four_lanes", "translation", "training", "gates"])
def test_a_long_sentence_fits_its_slide_in_smaller_letters(screen: Screen, view: str) -> None:
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    screen.open(f"/de/embed/{view}", scale="1.5", text=LONG)
    assert screen.page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    assert screen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert screen.page.locator(".figure.scrolls").count() == 0
    assert min(label["size"] for label in screen.page.evaluate(SIZES)) >= 0.6 * 24 - 0.1


PAIR = ("Die alte Dame fütterte gestern im Park die Tauben.", "Gestern fütterte die alte Dame die Tauben im Park.")


@pytest.mark.parametrize("view", ["gates", "hidden_states", "party", "attention_steps", "loss_per_step"])
def test_two_sentences_fit_a_slide_with_their_caption(screen: Screen, view: str) -> None:
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    screen.open(f"/de/embed/{view}", scale="1.5", caption="1", text=PAIR[0], vs=PAIR[1])
    assert screen.page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    assert screen.page.locator(".figure.scrolls").count() == 0
    assert min(label["size"] for label in screen.page.evaluate(SIZES)) >= 0.6 * 24 - 0.1


NINE = ("Der alte Mann sah den Hund im Park.", "Der Hund sah den alten Mann im Park.")
SWAPPED = ("Der Mann biss den Hund", "Der Hund biss den Mann")


@pytest.mark.parametrize("caption", ["0", "1"])
@pytest.mark.parametrize("view", ["attention_map", "faithfulness", "classification"])
def test_two_sentences_of_nine_words_keep_their_numbers_on_a_slide(screen: Screen, view: str, caption: str) -> None:
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    screen.open(f"/de/embed/{view}", scale="1.5", caption=caption, text=NINE[0], vs=NINE[1])
    assert screen.page.locator(".plot .heatmap-label text").count() >= 100
    assert screen.page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    assert min(label["size"] for label in screen.page.evaluate(SIZES)) >= 0.6 * 24 - 0.1


SMALL_PAIRS = ["training", "gates", "party", "pipeline", "positions", "four_lanes", "translation", "classification"]


@pytest.mark.parametrize("view", SMALL_PAIRS)
def test_two_short_sentences_fit_a_small_frame(screen: Screen, view: str) -> None:
    screen.page.set_viewport_size({"width": 640, "height": 360})
    screen.open(f"/de/embed/{view}", text=SWAPPED[0], vs=SWAPPED[1])
    assert screen.page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    labels = screen.page.evaluate(SIZES)
    assert [label for label in labels if label["left"] < -1 or label["top"] < -1 or label["right"] > 641] == []


@pytest.mark.parametrize(("view", "labels"), [("pipeline", "g.ytick > text"), ("party", ".annotation-text")])
def test_names_of_two_sentences_do_not_cover_each_other(screen: Screen, view: str, labels: str) -> None:
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    screen.open(f"/de/embed/{view}", scale="1.5", caption="0", text=PAIR[0], vs=PAIR[1])
    boxes = [box for label in screen.page.locator(f".plot {labels}").all() if (box := label.bounding_box())]
    assert len(boxes) > 3
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            beside = one["x"] >= other["x"] + other["width"] or other["x"] >= one["x"] + one["width"]
            assert beside or abs(one["y"] - other["y"]) > 0.7 * min(one["height"], other["height"])
