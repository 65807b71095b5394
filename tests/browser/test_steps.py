"""From a cell of the map to its steps, the steps themselves, and the sliders of the party."""

import re

import pytest

from .conftest import OpenWindow
from .screen import Screen

CELLS = ".plot .nsewdrag"
TEXT = "Der Mann biss den Hund"


def over(screen: Screen, row: int, column: int, of: int = 5) -> tuple[float, float]:
    """Where a cell of the first map lies in the window."""
    screen.page.locator(CELLS).first.scroll_into_view_if_needed()
    box = screen.page.locator(CELLS).first.bounding_box()
    assert box
    return box["x"] + box["width"] * (column + 0.5) / of, box["y"] + box["height"] * (row + 0.5) / of


def shown(screen: Screen) -> int:
    """How many parts of the figure are drawn."""
    found: int = screen.page.evaluate(
        "[...document.querySelector('.js-plotly-plot').data].filter((t) => t.visible !== false).length"
    )
    return found


def test_a_click_on_a_cell_opens_the_steps_of_its_row(screen: Screen) -> None:
    screen.open("/de/attention_map", text=TEXT, layer=2, head=3)
    assert screen.text(".onward a") == "Rechenweg von „biss“"
    place = over(screen, row=4, column=1)
    screen.page.mouse.move(*place)
    screen.until(lambda: screen.text(".onward a") == "Rechenweg von „Hund“", "the link goes along")
    screen.page.mouse.click(*place)
    screen.until(lambda: "/de/attention_steps" in screen.page.url, "the steps")
    wanted = {"text": TEXT, "layer": "2", "head": "3", "looking": "5"}
    assert wanted.items() <= dict(screen.parameters()).items()
    screen.drawn()
    assert "„Hund“" in screen.text("#summary") and "Schicht 2, Kopf 3" in screen.text("#summary")
    screen.page.go_back()
    screen.until(lambda: "/de/attention_map" in screen.page.url, "back")


def test_enter_opens_the_row_of_the_word_that_is_lit(screen: Screen) -> None:
    screen.open("/en/attention_map", text=TEXT, vs="Der Hund biss den Mann", layer=1, head=2)
    screen.page.focus(".figure")
    for _ in range(2):
        screen.page.keyboard.press("ArrowRight")
    screen.page.keyboard.press("Enter")
    screen.until(lambda: "/en/attention_steps" in screen.page.url, "the steps")
    assert screen.parameters()["looking"] == "2" and screen.parameters()["text"] == TEXT
    screen.drawn()
    assert "“Mann”" in screen.text("#summary")


def test_the_second_map_leads_to_its_own_sentence(screen: Screen) -> None:
    screen.open("/de/attention_map", text=TEXT, vs="Katze beißt Hund", layer=1, head=2)
    links = screen.page.locator(".onward a")
    assert links.count() == 2
    links.nth(1).click()
    screen.until(lambda: "/de/attention_steps" in screen.page.url, "the steps")
    assert (screen.parameters()["text"], screen.parameters()["vs"]) == ("Katze beißt Hund", TEXT)


def test_without_scripts_a_link_leads_to_the_steps(open_window: OpenWindow) -> None:
    window = open_window(java_script_enabled=False)
    with window.watched() as bare:
        assert bare.go("/de/attention_map", text=TEXT) == 200
        bare.page.click(".onward a")
        bare.page.wait_for_url("**/de/attention_steps?*looking=3*")
        assert "„biss“" in bare.text("#summary")


def test_steps_are_walked_with_keys(screen: Screen) -> None:
    screen.open("/en/attention_steps", text=TEXT)
    assert shown(screen) == 8
    screen.page.focus(".player input")
    screen.page.keyboard.press("Home")
    counts = [shown(screen)]
    assert "1/6 · q·k" in screen.text(".player output")
    for _ in range(5):
        screen.page.keyboard.press("ArrowRight")
        counts.append(shown(screen))
    assert counts == [1, 2, 3, 4, 6, 8]
    assert "6/6 · W_O" in screen.text(".player output")


@pytest.mark.parametrize("width", [1280, 375])
def test_a_word_lights_its_column_in_all_rows(screen: Screen, width: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": 900})
    screen.open("/de/attention_steps", text=TEXT)
    screen.page.hover("#token-0-4")
    marks = screen.page.locator(".mark.column")
    screen.until(lambda: marks.count() == 6, "a mark in each row")
    boxes = [marks.nth(number).bounding_box() for number in range(6)]
    assert len({(round(box["x"]), round(box["width"])) for box in boxes if box}) == 1
    tops = [box["y"] for box in boxes if box]
    assert tops == sorted(tops) and len(set(tops)) == 6


def move(screen: Screen, name: str, key: str, times: int = 1) -> None:
    """Moves a slider by keys."""
    screen.page.focus(f"#control-{name}")
    for _ in range(times):
        screen.page.keyboard.press(key)


def test_a_slider_redraws_and_the_address_follows(screen: Screen) -> None:
    screen.open("/de/party")
    assert "Tierärztin 80" in screen.text("#summary")
    move(screen, "match3", "End")
    screen.until(lambda: "Hundetrainer 72" in screen.text("#summary"), "the new shares")
    screen.until(lambda: screen.parameters().get("match3") == "30", "the address")
    assert "match1" not in screen.parameters() and "temperature" not in screen.parameters()
    assert screen.text("output[for='control-match3']") == "30,0"
    assert screen.page.evaluate("document.activeElement.id") == "control-match3"
    move(screen, "temperature", "Home")
    screen.until(lambda: "kälter" in screen.text("#summary"), "a colder party")
    assert screen.parameters()["temperature"] == "0.5" and screen.parameters()["match3"] == "30"
    screen.page.click("#guests-sentence")
    screen.until(lambda: "„biss“" in screen.text("#summary"), "the words")
    assert screen.page.locator("input[type=range][name]").count() == 1


def test_a_slider_stays_under_the_pointer(screen: Screen) -> None:
    screen.open("/de/party")
    slider = screen.page.locator("#control-match2")
    slider.evaluate("(node) => (node.marked = true)")
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    screen.page.mouse.move(box["x"] + box["width"] * 0.8, middle)
    screen.page.mouse.down()
    screen.page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=6)
    screen.until(lambda: "Hundetrainer 39" in screen.text("#summary"), "shares on the way")
    assert slider.evaluate("(node) => node.marked === true && node.isConnected")
    assert "match2" not in screen.parameters()  # not before it is let go
    screen.page.mouse.move(box["x"] + 2, middle, steps=4)
    screen.page.mouse.up()
    screen.until(lambda: screen.parameters().get("match2") == "-10", "the address")
    assert re.search(r"Hundetrainer \d+\u202f%, Steuerberater", screen.text("#summary"))


def test_sliders_are_sent_together_without_scripts(open_window: OpenWindow) -> None:
    window = open_window(java_script_enabled=False)
    with window.watched() as bare:
        assert bare.go("/de/party", theme="dark") == 200
        for name, key in (("match2", "Home"), ("match3", "End")):
            move(bare, name, key)
        bare.page.click("form.sliders button")
        bare.page.wait_for_url("**/de/party?*match3=30*")
        assert bare.parameters()["match2"] == "-10" and bare.parameters()["theme"] == "dark"
        assert "Hundetrainer 97" in bare.text("#summary")
        bare.page.fill("#field-text", "Katze")
        bare.page.click("#query button.show")
        bare.page.wait_for_url("**/de/party?text=Katze*")
        assert bare.parameters()["match3"] == "30.0"


def test_bars_keep_their_numbers_beside_a_share_that_rounds_to_nothing(screen: Screen) -> None:
    screen.open("/de/party", text="Der Mann biss den Hund", vs="Der Hund biss den Mann")
    numbers = screen.page.locator(".bars text").all_text_contents()
    assert any(text.startswith("< 1") for text in numbers) and any(text.startswith("65") for text in numbers)
