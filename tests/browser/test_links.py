"""Places of a figure that lead elsewhere: by pointer and keyboard on the figure, as a list without scripts."""

import pytest

from .conftest import OpenWindow
from .screen import Screen

PLACES = ".places.placed a"


def opened(screen: Screen, path: str, **parameters: str) -> None:
    """Opens a figure with links and waits until they stand on it."""
    assert screen.go(path, **parameters) == 200
    screen.page.wait_for_selector(PLACES)


@pytest.mark.parametrize("width", [1280, 375])
def test_a_link_lies_over_its_tile(screen: Screen, width: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": 900})
    opened(screen, "/de/attention_heads", vs="Der Hund biss den Mann")
    links, images = screen.page.locator(PLACES), screen.page.locator(".figure .main-svg image")
    assert (links.count(), images.count()) == (32, 2)
    for number in range(2):
        image = images.nth(number).bounding_box()
        first, last = links.nth(16 * number).bounding_box(), links.nth(16 * number + 15).bounding_box()
        assert image and first and last
        gap = first["x"] - image["x"]
        assert 0 < gap < 8
        assert first["y"] - image["y"] == pytest.approx(gap, abs=1)
        assert image["x"] + image["width"] - last["x"] - last["width"] == pytest.approx(gap, abs=1.5)


def test_a_click_opens_the_map_of_the_head_and_back_leads_back(screen: Screen) -> None:
    opened(screen, "/en/attention_heads", text="Katze beißt Hund")
    screen.page.locator(PLACES).nth(6).hover()
    assert screen.text(".word-line").startswith("Layer 2, head 3: ")
    screen.page.locator(PLACES).nth(6).click()
    screen.until(lambda: "/en/attention_map" in screen.page.url, "the map")
    wanted = {"text": "Katze beißt Hund", "layer": "2", "head": "3", "special": "shown"}
    assert wanted.items() <= dict(screen.parameters()).items()
    screen.drawn()
    assert screen.page.locator(".places").count() == 0
    screen.page.go_back()
    screen.page.wait_for_selector(PLACES)


def test_arrow_keys_move_from_tile_to_tile_and_enter_opens(screen: Screen) -> None:
    opened(screen, "/en/attention_heads")
    assert screen.page.locator(f"{PLACES}[tabindex='0']").count() == 1
    screen.page.locator(PLACES).first.focus()
    steps = {"Right": "1 2", "Down": "2 2", "Left": "2 1", "Up": "1 1"}
    for key, (layer, head) in [(key, place.split()) for key, place in steps.items()]:
        place = f"Layer {layer}, head {head}"
        screen.page.keyboard.press(f"Arrow{key}")
        assert screen.text(f"{PLACES}:focus").startswith(f"{place}: ")
        assert screen.text(".word-line").startswith(f"{place}: ")
    screen.page.keyboard.press("ArrowLeft")  # nothing lies there
    screen.page.keyboard.press("ArrowDown")
    screen.page.keyboard.press("Enter")
    screen.until(lambda: "/en/attention_map" in screen.page.url, "the map")
    assert (screen.parameters()["layer"], screen.parameters()["head"]) == ("2", "1")


def test_the_dark_theme_is_the_same_image_in_other_colours(screen: Screen) -> None:
    opened(screen, "/de/attention_heads")
    image = screen.page.locator(".figure .main-svg image").first
    light = image.get_attribute("href")
    screen.page.emulate_media(color_scheme="dark")
    screen.until(lambda: image.get_attribute("href") != light, "the other colours")
    dark = image.get_attribute("href")
    assert light and dark and len(light) == len(dark) and light[1200:] == dark[1200:]


def test_without_scripts_the_links_are_a_list(open_window: OpenWindow) -> None:
    window = open_window(java_script_enabled=False)
    with window.watched() as screen:
        assert screen.go("/de/attention_heads", text="Hund") == 200
        links = screen.page.locator(".places a")
        assert links.count() == 16 and links.last.is_visible()
        links.last.click()
        screen.page.wait_for_url("**/de/attention_map?text=Hund&*layer=4&head=4*")


def test_a_click_on_a_unit_shows_its_curve_and_another_the_way_of_the_state(screen: Screen) -> None:
    screen.open("/de/hidden_states", text="Der Mann biss den Hund", sort="activity")
    units = 192
    names = screen.page.evaluate("document.querySelector('.js-plotly-plot').layout.yaxis.labelalias")
    wanted = names["5"]

    def click() -> None:
        cells = screen.page.locator(".plot .nsewdrag").first
        cells.scroll_into_view_if_needed()
        box = cells.bounding_box()
        assert box
        place = box["x"] + 0.4 * box["width"], box["y"] + box["height"] * 4.5 / units
        screen.page.mouse.move(*place)
        screen.page.mouse.click(*place)

    click()
    screen.until(lambda: screen.parameters().get("unit") == wanted, "the unit of the fifth row")
    screen.drawn()
    assert f"Einheit {wanted}" in screen.text("#summary")
    assert screen.page.input_value("#control-unit") == wanted and screen.parameters()["sort"] == "activity"
    click()
    screen.until(lambda: "unit" not in screen.parameters(), "no unit")
    screen.drawn()
    assert "Einheit" not in screen.text("#summary")


def test_a_word_that_is_pointed_at_keeps_its_own_lines(screen: Screen) -> None:
    screen.open("/de/attention_map", show="lines", text="Der Mann biss den Hund")
    shown = """() => [...document.querySelectorAll('.scatterlayer .trace')].filter((line) => !line.matches('.faded'))
        .map((line) => line.__data__[0].trace.meta?.ends).filter(Boolean)"""
    everything, points = screen.page.evaluate(shown), screen.page.locator(".scatterlayer .points")
    screen.page.hover("#token-0-3")
    assert screen.page.evaluate(shown) == [ends for ends in everything if ends[0] == 3] != []
    points.last.locator("path").nth(1).hover(force=True)  # "Mann" on the right
    assert screen.page.evaluate(shown) == [ends for ends in everything if ends[1] == 2] != []
    screen.page.mouse.move(5, 5)
    screen.until(lambda: screen.page.evaluate(shown) == everything, "all lines again")
    points.nth(-2).locator("path").nth(1).click(force=True)
    screen.until(lambda: "/de/attention_steps" in screen.page.url, "the steps of the word")
    assert screen.parameters()["looking"] == "2"
