"""Figures in decks: in files, sandboxes and frames of frames; the page to copy from; the lecture, slide by slide."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame

from app import deck

from .conftest import OpenWindow
from .screen import HERE, Screen
from .test_embed import elsewhere, framed  # noqa: F401 the fixture is used by name

KEYS = {
    "ArrowRight": "next", "ArrowDown": "next", "PageDown": "next",
    "ArrowLeft": "prev", "ArrowUp": "prev", "PageUp": "prev",
}  # fmt: skip
VIEWS = ["attention_map", "attention_heads", "trajectory", "gates"]


@pytest.fixture
def moving(open_window: OpenWindow) -> Iterator[Screen]:
    """A window of somebody who likes motion."""
    with open_window(reduced_motion="no-preference").watched() as watched:
        yield watched


def pressed(screen: Screen, inside: Frame, said: str = "said") -> None:
    """After a click into the figure every key turns the slide."""
    for key, method in KEYS.items():
        inside.click(".figure", position={"x": 2, "y": 2})  # beside the links of a figure, if it has any
        screen.page.evaluate("said.length = 0")
        screen.page.keyboard.press(key)
        screen.until(
            lambda method=method: f'{{"method":"{method}"}}' in screen.page.evaluate(said), f"{key} in the deck"
        )


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("place", ["elsewhere", "file"])
def test_keys_turn_the_slide_after_a_click(screen: Screen, elsewhere: str, place: str, view: str) -> None:  # noqa: F811
    base = elsewhere if place == "elsewhere" else HERE.as_uri()
    pressed(screen, framed(screen, f"{base}/slide.html", f"/de/embed/{view}?text=Hund+bei%C3%9Ft+Katze"))


def test_a_frame_in_a_frame(screen: Screen, elsewhere: str) -> None:  # noqa: F811
    screen.page.goto(f"{elsewhere}/nested.html")
    middle = screen.until(
        lambda: next((f for f in screen.page.frames if f.url.endswith("slide.html")), None), "a slide"
    )
    address = f"{screen.base}/de/embed/gates?text=Hund"
    middle.eval_on_selector("iframe", "(frame, address) => { frame.src = address; }", address)
    inside = screen.until(lambda: next((f for f in screen.page.frames if f.url == address), None), "the frame")
    screen.until(lambda: inside.evaluate("document.readyState") == "complete", "the frame's page")
    screen.drawn(inside)
    pressed(screen, inside)


def test_a_slide_to_come_is_drawn_when_it_is_seen(screen: Screen, elsewhere: str) -> None:  # noqa: F811
    screen.page.goto(f"{elsewhere}/slide.html")
    script = "(frame, address) => { frame.style.display = 'none'; frame.src = address; }"
    screen.page.eval_on_selector("iframe", script, f"{screen.base}/de/embed/trajectory")
    inside = screen.until(lambda: next((f for f in screen.page.frames if "/embed/" in f.url), None), "the frame")
    screen.until(lambda: inside.evaluate("document.readyState") == "complete", "the frame's page")
    assert inside.locator(".main-svg").count() == 0
    screen.page.eval_on_selector("iframe", "frame => { frame.style.display = 'block'; }")
    screen.drawn(inside)
    assert inside.locator(".player").is_visible()


def test_it_plays_when_its_slide_is_shown_and_rests_when_it_is_not(moving: Screen, elsewhere: str) -> None:  # noqa: F811
    inside = framed(moving, f"{elsewhere}/slide.html", "/de/embed/trajectory?autoplay=1")
    post = "text => document.querySelector('iframe').contentWindow.postMessage(text, '*')"
    playing = "document.querySelector('.play').textContent === '❚❚'"
    moving.until(lambda: inside.evaluate(playing), "it plays, since it is seen")
    moving.page.evaluate(post, "slide:stop")
    moving.until(lambda: not inside.evaluate(playing), "a pause")
    moving.page.evaluate(post, "slide:start")
    moving.until(lambda: inside.evaluate(playing), "it plays again")
    moving.page.eval_on_selector("iframe", "frame => { frame.style.marginTop = '5000px'; }")
    moving.until(lambda: not inside.evaluate(playing), "a pause out of sight")


def test_under_reduced_motion_the_last_step_stands(screen: Screen, elsewhere: str) -> None:  # noqa: F811
    inside = framed(screen, f"{elsewhere}/slide.html", "/de/embed/trajectory?autoplay=1")
    screen.page.evaluate("document.querySelector('iframe').contentWindow.postMessage('slide:start', '*')")
    screen.page.wait_for_timeout(300)
    assert inside.eval_on_selector(".player input", "input => input.value === input.max")


def test_a_copy_button_copies_the_text_with_this_address(open_window: OpenWindow) -> None:
    with open_window(permissions=["clipboard-read", "clipboard-write"]).watched() as screen:
        screen.go("/de/slides/gates", text="Hund & <b>")
        screen.page.click("[data-copies=snippet-iframe]")
        screen.until(lambda: screen.text("#status") == "Kopiert", "a word that it is copied")
        copied = screen.page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f'<iframe src="{screen.base}/de/embed/gates?text=Hund+%26+%3Cb%3E&amp;')
        preview = next(frame for frame in screen.page.frames if "/embed/" in frame.url)
        screen.drawn(preview)
        screen.page.click("#bg-transparent")
        screen.until(lambda: "bg=transparent" in screen.text("#snippet-iframe"), "the other background")
        assert "bg=transparent" in screen.page.url and screen.base in screen.text("#snippet-iframe")


@pytest.mark.parametrize(("allowed", "said"), [("true", "Kopiert"), ("false", "Kopieren ist hier gesperrt")])
def test_without_a_clipboard_it_copies_what_is_selected_or_says_that_it_may_not(
    screen: Screen, allowed: str, said: str
) -> None:
    screen.go("/de/slides/gates", text="Hund")
    screen.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    screen.page.evaluate(f"""document.execCommand = () => {{
      window.selected = document.activeElement.value;
      return {allowed};
    }}""")
    screen.page.click("[data-copies=snippet-iframe]")
    screen.until(lambda: screen.text("#status") == said, "a word on it")
    assert screen.page.evaluate("selected") == screen.page.text_content("#snippet-iframe")
    assert screen.focused("[data-copies=snippet-iframe]")


OVER = """() => {
  const slide = Reveal.getCurrentSlide(), edge = slide.getBoundingClientRect();
  return [...slide.querySelectorAll("h1, h2, p, li, iframe, a")].map((part) => part.getBoundingClientRect())
    .filter((box) => box.right > edge.right + 1 || box.bottom > edge.bottom + 1).length;
}"""


@pytest.mark.parametrize(("lang", "size"), [("de", (1280, 720)), ("en", (1280, 720)), ("de", (1920, 1080))])
def test_the_lecture_slide_by_slide(open_window: OpenWindow, lang: str, size: tuple[int, int]) -> None:
    window = open_window(viewport={"width": size[0], "height": size[1]})
    with window.watched() as screen:
        screen.go(f"/{lang}/deck")
        screen.witness.expect_status(404)  # stills of a server without them
        screen.until(lambda: screen.page.evaluate("window.Reveal?.isReady()"), "the deck")
        for slide in deck.shown():
            assert screen.page.evaluate("Reveal.getCurrentSlide().id") == slide.name
            assert screen.page.evaluate(OVER) == 0, slide.name
            if slide.view:
                source = screen.page.evaluate("Reveal.getCurrentSlide().querySelector('iframe').src")
                inside = screen.until(
                    lambda source=source: next((f for f in screen.page.frames if f.url == source), None), slide.name
                )
                screen.until(lambda inside=inside: inside.evaluate("!!document.querySelector('.main-svg')"), slide.name)
                assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), slide.name
                high = inside.evaluate("document.documentElement.scrollHeight - innerHeight")
                assert high <= 8, f"{slide.name} is {high} pixels too high"
            screen.page.keyboard.press("ArrowRight")


def test_arrow_keys_go_on_after_a_click_into_a_figure_that_leaves_with_its_slide(open_window: OpenWindow) -> None:
    with open_window(viewport={"width": 1280, "height": 720}).watched() as screen:
        screen.witness.expect_status(404)  # stills of a server without them
        screen.go("/de/deck#/tokens")
        inside = screen.until(lambda: next((f for f in screen.page.frames if "/embed/" in f.url), None), "the figure")
        screen.until(lambda: inside.evaluate("!!document.querySelector('.main-svg')"), "the drawn figure")
        inside.click(".figure")
        names = [slide.name for slide in deck.shown()]
        for name in names[names.index("tokens") + 1 :][:4]:
            screen.page.keyboard.press("ArrowRight")
            screen.until(lambda name=name: screen.page.evaluate("Reveal.getCurrentSlide().id") == name, name)  # type: ignore[misc]


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_an_arrow_moves_only_for_those_who_do_not_mind(open_window: OpenWindow, motion: str) -> None:
    with open_window(reduced_motion=motion).watched() as screen:
        screen.witness.expect_status(404)  # stills of a server without them
        screen.go("/de/deck")
        screen.until(lambda: screen.page.evaluate("window.Reveal?.isReady()"), "the deck")
        moves = screen.page.evaluate("document.getAnimations().map(({ animationName }) => animationName)")
        assert ("bounce-right" in moves) == (motion == "no-preference")


def test_a_phone_opens_the_slide_of_the_address(open_window: OpenWindow) -> None:
    with open_window(viewport={"width": 390, "height": 800}).watched() as screen:
        screen.witness.expect_status(404)  # stills of a server without them
        screen.go("/de/deck#/tokens")
        screen.until(lambda: screen.page.evaluate("window.Reveal?.isReady()"), "the deck")
        assert screen.page.evaluate("Reveal.getCurrentSlide().id") == "tokens"
        assert screen.page.locator("#tokens h2").is_visible()
        assert screen.page.get_attribute(".navigate-right", "aria-label") == "Nächste Folie"


def test_cells_of_a_slide_are_wide_enough_for_their_texts(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 1180, "height": 560})
    screen.open("/de/embed/entities", scale="1.35", caption="0", text="Angela Merkel besuchte Siemens in München.")
    shown = screen.page.locator(".plot .hm .heatmap-label text, .plot .heatmap-label text").all_text_contents()
    assert {"B-PER", "I-PER", "B-LOC"} <= set(shown)
    angles = "(labels) => labels.map((label) => label.getAttribute('transform') ?? '')"
    turned = screen.page.eval_on_selector_all(".plot g.xtick > text", angles)
    assert turned and all("rotate(0" in each or "rotate" not in each for each in turned), "words stand flat"


def test_the_speakers_window_opens_with_the_notes(open_window: OpenWindow) -> None:
    with open_window().watched() as screen:
        screen.go("/de/deck")
        screen.until(lambda: screen.page.evaluate("window.Reveal?.isReady()"), "the deck")
        with screen.page.context.expect_page() as opened:
            screen.page.keyboard.press("s")
        notes = opened.value
        screen.until(lambda: "Taste S" in notes.inner_text("body"), "the notes of the first slide")
        notes.close()


def test_it_prints_a_page_for_each_slide(open_window: OpenWindow) -> None:
    with open_window().watched() as screen:
        screen.witness.expect_status(404)  # stills of a server without them
        screen.go("/de/deck", view="print")
        screen.until(lambda: screen.page.locator(".pdf-page").count() == len(deck.shown()), "the pages")
        printed = screen.page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type /Page\b(?!s)", printed)) == len(deck.shown())
        assert b"/MediaBox [0 0 960 540]" in printed, "1280 x 720 pixels in points"
        assert screen.page.locator("iframe").count() == 0


SHEETS = """() => [...document.querySelectorAll(".slides > section")].map((slide) => {
  const edge = slide.getBoundingClientRect();
  const over = [...slide.querySelectorAll("h1, h2, p, li, img")].map((part) => part.getBoundingClientRect())
    .filter((box) => box.width && (box.right > edge.right + 1 || box.bottom > edge.bottom + 1));
  return [Math.round(edge.width), Math.round(edge.height), over.length];
})"""


@pytest.mark.parametrize("lang", ["de", "en"])
def test_plain_printing_gives_a_page_for_each_slide(open_window: OpenWindow, lang: str) -> None:
    with open_window(viewport={"width": 1280, "height": 720}).watched() as screen:
        screen.go(f"/{lang}/deck")
        screen.until(lambda: screen.page.evaluate("window.Reveal?.isReady()"), "the deck")
        pictures = "[...document.querySelectorAll('.still')].every((still) => still.complete && still.naturalWidth)"
        screen.until(lambda: screen.page.evaluate(pictures), "the stills, once nothing else is under way")
        printed = screen.page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type /Page\b(?!s)", printed)) == len(deck.shown())
        assert set(re.findall(rb"/MediaBox \[[^]]*\]", printed)) == {b"/MediaBox [0 0 960 540]"}
        screen.page.emulate_media(media="print")
        assert screen.page.evaluate(SHEETS) == [[1280, 720, 0]] * len(deck.shown())
        assert screen.page.locator("iframe.live >> visible=true").count() == 0
        assert screen.page.locator("img.still >> visible=true").count() == sum(
            bool(slide.view) for slide in deck.shown()
        )


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_to_copy_from_is_for_everybody(screen: Screen, theme: str, width: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": 900})
    screen.go("/de/slides/attention_map", text="Der Mann biss den Hund", theme=theme)
    screen.page.evaluate((HERE / "axe-core" / "axe.min.js").read_text())
    found = screen.page.evaluate("axe.run(document, {iframes: false}).then(({violations}) => violations)")
    assert [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found] == []
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= width
