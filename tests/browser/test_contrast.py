"""Numbers in cells can be read on every colour, and a reader's own colours hide nothing."""

from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from app.plotting.colours import EDGE, GROUND, SERIES, THEMES, Scale, Theme, colorscale

from .conftest import OpenWindow
from .screen import Screen

ENOUGH, ENOUGH_DRAWN = 4.5, 3.0  # WCAG 2.2, text and what is drawn
SCALES: tuple[Scale, ...] = ("share", "signed", "difference", "class")


def luminance(colour: tuple[float, float, float]) -> float:
    """Of a colour of three numbers from 0 to 1, as WCAG has it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """From 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("scale", SCALES)
def test_the_ink_of_every_value_can_be_read(screen: Screen, scale: Scale, theme: Theme) -> None:
    if not screen.page.url.startswith(screen.base):
        screen.open("/de/attention_map")
    stops, values = colorscale(scale, theme), np.linspace(0, 1, 501)
    ask = "([values, axis]) => values.map((value) => Satzblick.draw.inkOn(value, axis))"
    inks = screen.page.evaluate(ask, [(2 * values - 1).tolist(), {"colorscale": stops, "cmin": -1, "cmax": 1}])
    parts = np.array([to_rgb(colour) for _, colour in stops])
    cells = np.stack([np.interp(values, [place for place, _ in stops], part) for part in parts.T], 1)
    worst = min(contrast(to_rgb(ink), tuple(cell)) for ink, cell in zip(inks, cells, strict=True))
    assert worst >= ENOUGH


@pytest.mark.parametrize("theme", THEMES)
def test_drawn_numbers_have_that_ink(screen: Screen, theme: Theme) -> None:
    screen.open("/de/attention_map", text="Der Mann biss den Hund", vs="Der Hund biss den Mann", theme=theme)
    fills = screen.page.eval_on_selector_all(
        ".plot .heatmap-label text", "texts => texts.map((text) => getComputedStyle(text).fill)"
    )
    behind = [pixel for panel in range(3) for row in screen.pixels(panel) for pixel in row]
    assert len(fills) == len(behind) == 3 * 25
    for fill, pixel in zip(fills, behind, strict=True):
        ink = tuple(int(part) / 255 for part in fill[4:-1].split(","))
        cell = tuple(int(part) / 255 for part in pixel.split(",")[:3])
        assert contrast(ink, cell) >= ENOUGH - 0.05, (fill, pixel)  # a pixel is rounded


@pytest.mark.parametrize("theme", THEMES)
def test_names_beside_curves_can_be_read(screen: Screen, theme: Theme) -> None:
    screen.page.emulate_media(color_scheme=theme)
    screen.open("/de/gradient_flow")
    card, *inks = screen.page.evaluate("""() => {
      const labelled = document.querySelector(".plot").data.filter(({ meta }) => meta?.label);
      const names = labelled.map(({ text }) => text[0].trim());
      const named = (text) => names.includes(text.textContent.trim());
      const labels = [...document.querySelectorAll(".plot .textpoint text")].filter(named);
      const style = (element) => getComputedStyle(element);
      return [style(document.querySelector(".card")).backgroundColor, ...labels.map((text) => style(text).fill)];
    }""")
    assert len(set(inks)) == len(inks) == 4, "each in the hue of its curve"
    ground, *colours = [tuple(int(part) / 255 for part in colour[4:-1].split(",")) for colour in (card, *inks)]
    assert min(contrast(colour, ground) for colour in colours) >= ENOUGH
    assert min(contrast(to_rgb(colour), ground) for colour in SERIES) >= ENOUGH_DRAWN


@pytest.mark.parametrize("theme", THEMES)
def test_the_ends_of_fields_and_grounds_can_be_seen(screen: Screen, theme: Theme) -> None:
    assert contrast(to_rgb(EDGE[theme]), to_rgb(GROUND[theme])) >= ENOUGH_DRAWN
    screen.page.emulate_media(color_scheme=theme)
    screen.open("/de/embedding_space")
    card, *borders = screen.page.evaluate("""() => {
      const fields = [...document.querySelectorAll("input[type=text], input[type=number], select")];
      const ground = getComputedStyle(document.querySelector(".card")).backgroundColor;
      return [ground, ...fields.map((field) => getComputedStyle(field).borderTopColor)];
    }""")
    ground, *colours = [tuple(int(part) / 255 for part in colour[4:-1].split(",")) for colour in (card, *borders)]
    assert len(colours) >= 2 and min(contrast(colour, ground) for colour in colours) >= ENOUGH_DRAWN


def test_who_asks_for_more_contrast_gets_it(open_window: OpenWindow) -> None:
    """Seven to one for what is quiet, and lines that are seen."""
    with open_window(contrast="more").watched() as screen:
        screen.go("/de/attention_map")
        found = screen.page.evaluate("""() => {
          const style = (selector) => getComputedStyle(document.querySelector(selector));
          return [style(".card").backgroundColor, style(".lead").color, style(".card").borderTopColor];
        }""")
    card, quiet, line = [tuple(int(part) / 255 for part in colour[4:-1].split(",")) for colour in found]
    assert contrast(quiet, card) >= 7 and contrast(line, card) >= ENOUGH_DRAWN


@pytest.fixture(scope="module")
def forced(open_window: OpenWindow) -> Screen:
    """A window whose reader has colours of their own for all pages."""
    return open_window(forced_colors="active")


@pytest.fixture
def own(forced: Screen) -> Iterator[Screen]:
    """That window, watched."""
    with forced.watched() as watched:
        yield watched


def test_forced_colours_tell_what_is_chosen(own: Screen) -> None:
    own.open("/de/attention_map")
    own.page.click(".token:text-is('Hund')")
    style = "(element, [name, pseudo]) => getComputedStyle(element, pseudo)[name]"

    def seen(selector: str, name: str, pseudo: str | None = None) -> str:
        value: str = own.page.eval_on_selector(selector, style, [name, pseudo])
        return value

    for chosen, other in (
        (".token.lit", ".token:not(.lit)"),
        (".siblings a[aria-current]", ".siblings a:not([aria-current])"),
    ):
        assert seen(chosen, "borderBottomColor") != seen(other, "borderBottomColor")
    assert seen(".siblings a:not([aria-current])", "borderBottomColor") == seen("body", "backgroundColor")
    assert seen(".segments a[aria-current]", "backgroundColor") != seen(
        ".segments a:not([aria-current])", "backgroundColor"
    )
    assert seen(".show", "borderTopWidth") == "1px"
    own.page.click("#copy")
    own.until(lambda: own.text("#status"), "a word on the copy")
    assert seen("#status", "borderTopWidth") == "1px", "it lies over other text"
    own.page.goto(f"{own.base}/de/slides/gates")
    on, off = ('.switch[aria-checked="true"] .track', '.switch[aria-checked="false"] .track')
    assert seen(on, "backgroundColor") != seen(off, "backgroundColor")
    assert seen(off, "backgroundColor", "::before") not in (
        seen(off, "backgroundColor"),
        seen("body", "backgroundColor"),
    )
