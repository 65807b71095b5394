"""A figure inside somebody else's slides: another origin, a sandbox, a file."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from itertools import combinations, pairwise
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image
from playwright.sync_api import Frame

from app import views
from app.embedding import FRAME_STYLE
from app.query import LONG_TEXT

from .screen import HERE, Screen

VIEWS = [name for name, view in views.catalogue().items() if view.models]
SENTENCELESS = ("party", "speed")  # which need no text


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 the signature is the library's
        """Nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """The address of another server on this machine, with a slide."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(HERE))) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{other.server_port}"
        other.shutdown()
        thread.join()


def frame_of(screen: Screen) -> Frame | None:
    """The frame that shows this server, if any does yet."""
    return next((frame for frame in screen.page.frames if frame.url.startswith(screen.base)), None)


def framed(screen: Screen, slide: str, address: str, before: str = "undefined") -> Frame:
    """The embed inside the slide's frame, drawn; `before` is what the slide's own script does first."""
    screen.page.goto(slide)
    screen.page.evaluate(before)
    screen.page.eval_on_selector("iframe", "(frame, address) => { frame.src = address; }", f"{screen.base}{address}")
    inside = screen.until(lambda: frame_of(screen), "the frame")
    screen.until(lambda: inside.evaluate("document.readyState") == "complete", "the frame's page")
    screen.drawn(inside)
    return inside


@pytest.mark.parametrize("view", VIEWS)
def test_it_draws_in_a_sandbox_on_another_origin(screen: Screen, elsewhere: str, view: str) -> None:
    text = "Anna mag München"  # two names, for the view that colours nothing else
    inside = framed(screen, f"{elsewhere}/slide.html", f"/de/embed/{view}?{urlencode({'text': text})}")
    assert inside.evaluate("origin") == "null", "the sandbox gives the frame an origin of its own"
    if panels := inside.evaluate("onScreen.panels()"):
        assert view in SENTENCELESS or any(
            all(word in " ".join([*panel["across"], *panel["down"], panel["title"] or ""]) for word in text.split())
            for panel in panels
        )
        assert len({colour for row in inside.evaluate("onScreen.pixels(0)") for colour in row}) > 2
    drawn = inside.inner_text("#result")
    assert view in SENTENCELESS or all(word in drawn for word in text.split())
    assert inside.locator("header, form, footer").count() == 0


def test_it_draws_in_a_file(screen: Screen) -> None:
    inside = framed(screen, (HERE / "slide.html").as_uri(), "/de/embed/attention_map?text=Hund")
    assert inside.evaluate("onScreen.panels()[0].across") == ["Hund"]
    assert [url for url in screen.witness.requests if url.startswith("http") and not url.startswith(screen.base)] == []


def test_its_controls_work_in_a_sandbox(screen: Screen, elsewhere: str) -> None:
    inside = framed(screen, f"{elsewhere}/slide.html", "/de/embed/attention_map?controls=1")
    before = inside.evaluate("onScreen.panels()[0].z")
    inside.click("#layer-2")

    chosen = "document.readyState === 'complete' && document.querySelector('#layer-2').ariaCurrent"
    screen.until(lambda: screen.page.frames[-1].evaluate(chosen) == "true", "the second layer's page in the frame")
    screen.drawn(screen.page.frames[-1])
    assert screen.page.frames[-1].evaluate("onScreen.panels()[0].z") != before


def test_arrow_keys_turn_the_slide(screen: Screen, elsewhere: str) -> None:
    inside = framed(screen, f"{elsewhere}/slide.html", "/de/embed/attention_map")
    for key, method in (("ArrowRight", "next"), ("PageDown", "next"), ("ArrowLeft", "prev"), ("PageUp", "prev")):
        inside.click(".figure")
        screen.page.evaluate("said.length = 0")
        screen.page.keyboard.press(key)
        screen.until(lambda: screen.page.evaluate("said.length"), "a word to the slide")
        assert f'{{"method":"{method}"}}' in screen.page.evaluate("said")


def test_a_slider_that_the_keyboard_has_come_to_keeps_its_keys(screen: Screen, elsewhere: str) -> None:
    inside = framed(screen, f"{elsewhere}/slide.html", "/de/embed/trajectory?text=Der+Mann+biss+den+Hund")
    inside.wait_for_selector(".player:not([hidden])")
    inside.click(".player input[type=range]")
    screen.page.evaluate("said.length = 0")
    screen.page.keyboard.press("ArrowRight")
    screen.until(lambda: screen.page.evaluate("said.length"), "a word to the slide after a click")
    inside.click(".player .play + button")
    screen.page.keyboard.press("Tab")
    assert inside.evaluate("document.activeElement.type") == "range"
    before = inside.evaluate("document.activeElement.value")
    screen.page.evaluate("said.length = 0")
    screen.page.keyboard.press("ArrowLeft")
    screen.until(lambda: inside.evaluate("document.activeElement.value") != before, "the slider's next value")
    assert screen.page.evaluate("said.filter((word) => `${word}`.includes('method'))") == []


def test_a_figure_that_the_keyboard_has_come_to_scrolls_before_the_slide_turns(screen: Screen, elsewhere: str) -> None:
    text = " ".join(["Hund", "Katze", "Mann"] * 14)
    inside = framed(screen, f"{elsewhere}/slide.html", f"/de/embed/attention_map?{urlencode({'text': text})}")
    screen.page.eval_on_selector("iframe", "frame => Object.assign(frame, { width: 360, height: 500 })")
    screen.until(lambda: inside.locator(".figure.scrolls").count(), "a figure that scrolls")
    turned, at = "said.filter((word) => `${word}`.includes('method')).length", "figure => figure.scrollLeft"
    while not inside.evaluate("document.activeElement.matches('.figure')"):
        screen.page.keyboard.press("Tab")
    screen.page.evaluate("said.length = 0")
    screen.page.keyboard.press("ArrowRight")
    screen.until(lambda: inside.eval_on_selector(".figure", at) > 0, "the figure to scroll")
    assert screen.page.evaluate(turned) == 0
    screen.page.keyboard.press("PageDown")
    screen.until(lambda: screen.page.evaluate(turned), "the slide to turn")
    inside.eval_on_selector(".figure", "figure => { figure.scrollLeft = 10000; }")
    screen.page.evaluate("said.length = 0")
    screen.page.keyboard.press("ArrowRight")
    screen.until(lambda: screen.page.evaluate(turned), "the slide to turn at the end")
    inside.evaluate("document.activeElement.blur()")
    inside.click(".figure", position={"x": 150, "y": 150})
    screen.page.evaluate("said.length = 0")
    screen.page.keyboard.press("ArrowLeft")
    screen.until(lambda: screen.page.evaluate(turned), "the slide to turn after a click")


def test_links_that_the_keyboard_has_come_to_keep_the_arrows(screen: Screen, elsewhere: str) -> None:
    inside = framed(screen, f"{elsewhere}/slide.html", "/de/embed/attention_heads?text=Hund")
    while not inside.evaluate("document.activeElement.matches('.places a')"):
        screen.page.keyboard.press("Tab")
    screen.page.keyboard.press("ArrowRight")
    screen.until(lambda: inside.evaluate("document.activeElement.id") == "place-1-2", "the second link")


def test_it_tells_its_height(screen: Screen, elsewhere: str) -> None:
    framed(screen, f"{elsewhere}/slide.html", "/de/embed/attention_map")
    heights = "said.filter((word) => word.type === 'satzblick:height')"
    told = screen.until(lambda: screen.page.evaluate(heights), "its height")
    assert 100 < told[-1]["height"] < 2000


def test_a_frame_that_is_as_high_as_it_was_told_comes_to_rest(screen: Screen, elsewhere: str) -> None:
    as_told = """addEventListener('message', ({ data }) => {
      if (data.type === 'satzblick:height') document.querySelector('iframe').style.height = `${data.height}px`;
    }); document.querySelector('iframe').style.height = '150px'"""
    address = "/de/embed/attention_map?text=Der+Mann+biss+den+Hund"
    inside = framed(screen, f"{elsewhere}/slide.html", address, before=as_told)
    screen.page.wait_for_timeout(1500)
    told = screen.page.evaluate("said.filter((word) => word.type === 'satzblick:height').length")
    screen.page.wait_for_timeout(500)
    assert screen.page.evaluate("said.filter((word) => word.type === 'satzblick:height').length") == told < 6
    assert inside.evaluate("innerHeight >= document.querySelector('.figure').offsetHeight")
    assert inside.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_it_fits_a_window_that_becomes_lower_and_higher(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    screen.open("/de/embed/attention_map", text="Der Mann biss den Hund")
    high = screen.page.evaluate("document.querySelector('.figure').offsetHeight")
    screen.page.set_viewport_size({"width": 1280, "height": 480})
    fits = "document.documentElement.scrollHeight <= innerHeight"
    screen.until(lambda: screen.page.evaluate(fits), "a figure that is not cut")
    screen.drawn()
    low = screen.page.evaluate("document.querySelector('.figure').offsetHeight")
    assert 200 < low < high
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    screen.until(lambda: screen.page.evaluate("document.querySelector('.figure').offsetHeight") == high, "it to grow")


def test_a_projector_can_read_it(screen: Screen) -> None:
    screen.open("/de/embed/attention_map", scale="1.5", text="Hund beißt Katze")
    labels = ".plot g.xtick > text, .plot g.ytick > text"
    size = "texts => texts.map((text) => parseFloat(getComputedStyle(text).fontSize))"
    sizes = screen.page.eval_on_selector_all(labels, size)
    assert sizes and min(sizes) >= 22


def test_a_transparent_one_shows_the_slide_behind(screen: Screen, elsewhere: str) -> None:
    inside = framed(screen, f"{elsewhere}/slide.html", "/de/embed/attention_map?bg=transparent&theme=light")
    for element in ("html", "body", "main", ".figure", ".stage"):
        colour = inside.eval_on_selector(element, "element => getComputedStyle(element).backgroundColor")
        assert colour == "rgba(0, 0, 0, 0)", element


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
@pytest.mark.parametrize("host", ["", '<meta name="color-scheme" content="light dark">'], ids=["plain", "schemes"])
def test_a_transparent_one_is_so_whatever_is_dark(
    screen: Screen, elsewhere: str, system: str, theme: str, host: str
) -> None:
    screen.page.goto(f"{elsewhere}/slide.html")  # whose address the content keeps: about:blank may not frame loopback
    screen.page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
    embed = f"{screen.base}/de/embed/attention_map?text=Hund&bg=transparent&theme={theme}"
    frame = f'<iframe title="Satzblick" src="{embed}" width="800" height="400" style="{FRAME_STYLE}"></iframe>'
    body = f'<body style="margin: 0; background: #ff0000">{frame}</body>'
    screen.page.set_content(f'<!doctype html><html lang="de"><head><title>Folie</title>{host}</head>{body}</html>')
    inside = screen.until(lambda: frame_of(screen), "the frame")
    screen.drawn(inside)
    corner = Image.open(BytesIO(screen.page.screenshot())).convert("RGB").getpixel((790, 390))
    assert corner == (255, 0, 0)
    dark = inside.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") if theme == "auto" else theme == "dark"
    ink = inside.eval_on_selector("body", "body => getComputedStyle(body).color")
    assert ink == ("rgb(238, 235, 227)" if dark else "rgb(27, 29, 34)"), "its own colours are those of its theme"


@pytest.mark.parametrize("view", ["order", "tokens", "loss_per_step", "gradient_flow", "next_word", "speed"])
def test_a_chart_fills_its_slide(screen: Screen, view: str) -> None:
    screen.open(f"/de/embed/{view}", text="Der Mann biss den Hund")
    assert screen.page.evaluate("document.body.scrollHeight") >= 0.95 * screen.page.viewport_size["height"]
    assert screen.page.evaluate("document.documentElement.scrollHeight <= innerHeight")


SMALL = [  # a view, its frame, and the least height of its plot
    ("order", 640, 360, 200), ("order", 480, 270, 105), ("loss_per_step", 480, 270, 105),
    ("attention_map", 480, 270, 105), ("gates", 640, 360, 140), ("gates", 480, 270, 105),
    ("hidden_states", 640, 360, 140), ("training", 480, 270, 105), ("party", 640, 360, 15),
    ("attention_steps", 640, 360, 15),
]  # fmt: skip


@pytest.mark.parametrize(("view", "width", "height", "least"), SMALL)
def test_a_small_one_keeps_its_plot(screen: Screen, view: str, width: int, height: int, least: int) -> None:
    """Caption and legend give way before it."""
    screen.page.set_viewport_size({"width": width, "height": height})
    screen.open(f"/de/embed/{view}", text="Der Mann biss den Hund")
    assert screen.page.evaluate("document.documentElement.scrollHeight") <= height
    assert screen.page.evaluate("document.querySelector('.plot')._fullLayout.yaxis._length") >= least


@pytest.mark.parametrize("words", ["Die Donaudampfschifffahrt begann vor langer Zeit.", "Hund"])
def test_names_on_either_side_are_whole_in_the_hand(screen: Screen, words: str) -> None:
    screen.page.set_viewport_size({"width": 320, "height": 500})
    screen.open("/de/embed/tokens", text=words)
    boxes = [name.bounding_box() for name in screen.page.locator(".plot .textpoint").all()]
    assert len(boxes) >= 4
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 320 for box in boxes)


def test_names_of_forty_words_do_not_cover_each_other(screen: Screen) -> None:
    """They become smaller, and in a low frame one scrolls."""
    screen.page.set_viewport_size({"width": 640, "height": 360})
    screen.open("/de/embed/tokens", text=" ".join(["Hund", "Katze", "Mann", "Frau"] * 10))
    traces = screen.page.locator(".plot .scatterlayer .trace").all()
    boxes = [[name.bounding_box() for name in trace.locator(".textpoint").all()] for trace in traces]
    sides = [[box for box in side if box] for side in boxes if side]
    assert [len(side) >= 40 for side in sides] == [True, True]
    for side in sides:
        assert all(below["y"] >= above["y"] + 0.75 * above["height"] for above, below in pairwise(side))
        assert min(box["height"] for box in side) >= 9


@pytest.mark.parametrize("view", ["four_lanes", "gates", "memory", "gradient_flow"])
def test_one_in_the_hand_has_letters_of_a_page(screen: Screen, view: str) -> None:
    """Two of its sides are a phone's: nothing is cut, and what its height does not hold is further down."""
    screen.page.set_viewport_size({"width": 320, "height": 500})
    screen.open(f"/de/embed/{view}", text=LONG_TEXT)
    assert screen.page.locator(".figure.scrolls").count() == 0
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= 320
    names = screen.page.locator(".plot text").all_text_contents()
    assert names and not any("…" in name for name in names)
    if view == "gradient_flow":
        assert screen.page.evaluate("document.querySelector('.plot')._fullLayout.yaxis._length") >= 120


def test_names_of_curves_do_not_cover_each_other(screen: Screen) -> None:
    """Where there is no room beside the curves they stand above."""
    screen.page.set_viewport_size({"width": 640, "height": 300})
    screen.open("/de/embed/speed", text="Der Mann biss den Hund")
    names = screen.page.locator(".plot .scatterlayer .textpoint").all()
    boxes = sorted((box for name in names if (box := name.bounding_box())), key=lambda box: box["y"])
    assert len(boxes) == 5 or screen.page.locator(".plot .legend .traces").count() == 4
    for upper, lower in combinations(boxes, 2):
        beside = upper["x"] + upper["width"] < lower["x"] or lower["x"] + lower["width"] < upper["x"]
        assert beside or lower["y"] >= upper["y"] + 0.8 * upper["height"]
    assert screen.page.evaluate("document.querySelector('.plot')._fullLayout.yaxis._length") >= 140
    assert screen.page.evaluate("document.documentElement.scrollHeight") <= 300


def test_the_name_of_an_axis_is_whole_in_a_small_one(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 640, "height": 360})
    for view in ("order", "gradient_flow", "next_word"):
        screen.open(f"/de/embed/{view}", text="Der Mann biss den Hund")
        box = screen.page.locator(".ytitle").bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= 360, view


@pytest.mark.parametrize(
    ("path", "anywhere"),
    [("/de", False), ("/de/gates", False), ("/de/nothing", False), ("/api/docs", False), ("/de/embed/gates", True)],
)
def test_only_embeds_may_be_framed_elsewhere(screen: Screen, elsewhere: str, path: str, anywhere: bool) -> None:
    headers = screen.page.request.get(f"{screen.base}{path}").headers
    assert ("frame-ancestors 'self'" in headers["content-security-policy"]) is not anywhere
    if anywhere:
        assert "x-frame-options" not in headers
        assert "frame-ancestors" not in headers["content-security-policy"]
        framed(screen, f"{elsewhere}/slide.html", path)
