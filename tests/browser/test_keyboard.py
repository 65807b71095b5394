"""Everything can be reached and read with the keyboard alone."""

from typing import Any

import pytest

from .screen import Screen

WORDS = ["Der", "Mann", "biss", "den", "Hund"]
STEPS = 80  # presses of the tab key within which everything is reached


def tab_to(screen: Screen, selector: str) -> None:
    """Presses the tab key until an element has the focus."""
    for _ in range(STEPS):
        screen.page.keyboard.press("Tab")
        if screen.focused(selector):
            return
    pytest.fail(f"{selector} is not reached with the tab key")


def check_lit(screen: Screen, word: str) -> None:
    """A word's row and column are lit, and nothing else."""
    screen.until(lambda: set(screen.page.evaluate("onScreen.lit()")) == {word}, f"{word} lit")
    assert set(screen.page.evaluate("onScreen.lightedTokens()")) == {word}
    (panel,) = screen.panels()
    (row,) = screen.page.evaluate("onScreen.marks('row')")
    (column,) = screen.page.evaluate("onScreen.marks('column')")
    box, share = panel["box"], (panel["down"].index(word) + 0.5) / len(panel["down"])
    assert middle(row, "top", "height") == pytest.approx(box["top"] + box["height"] * share, abs=4)
    assert row["width"] == pytest.approx(box["width"], abs=8)
    assert middle(column, "left", "width") == pytest.approx(box["left"] + box["width"] * share, abs=4)
    assert column["height"] == pytest.approx(box["height"], abs=8)


def middle(box: dict[str, Any], start: str, size: str) -> float:
    """The middle of one side of a box."""
    return float(box[start] + box[size] / 2)


def test_arrow_keys_move_from_word_to_word(screen: Screen) -> None:
    screen.open("/de/attention_map")
    tab_to(screen, ".token")
    screen.page.keyboard.press("ArrowRight")
    for word in WORDS[:3]:
        assert screen.text(".token:focus") == word
        check_lit(screen, word)
        screen.page.keyboard.press("ArrowRight")
    screen.page.keyboard.press("ArrowLeft")
    check_lit(screen, WORDS[2])
    assert WORDS[2] in screen.text(".word-line")
    assert screen.page.get_attribute(".word-line", "aria-live") == "polite"
    screen.page.keyboard.press("Escape")
    assert screen.page.get_attribute(".word-line", "aria-live") == "off", "the hint is not said again"
    assert not screen.page.evaluate("[...onScreen.lit(), ...onScreen.marks('row'), ...onScreen.marks('column')]")


def test_what_the_focus_says_is_not_said_twice(screen: Screen) -> None:
    screen.open("/de/attention_heads")
    tab_to(screen, ".places a")
    screen.page.keyboard.press("ArrowRight")
    assert screen.text(".word-line") == screen.page.evaluate("document.activeElement.textContent")
    assert screen.page.get_attribute(".word-line", "aria-live") == "off"


def test_the_arrow_keys_take_along_what_is_seen(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 320, "height": 256})
    screen.open("/de/attention_map", text="Der Mann biss den Hund und " * 6 + "ging")
    screen.page.focus(".figure")
    for key, times in (("ArrowRight", 37), ("ArrowLeft", 37)):
        for _ in range(times):
            screen.page.keyboard.press(key)
        left, top, right, bottom = screen.page.evaluate(
            """() => {
              const [column, row] = ["column", "row"].map((kind) => document.querySelector(`.mark.${kind}`));
              const [{ left, right }, { top, bottom }] = [column, row].map((mark) => mark.getBoundingClientRect());
              const box = document.querySelector(".figure").getBoundingClientRect();
              const corner = document.querySelector(".sticky-corner").getBoundingClientRect();
              const [high, low] = [Math.max(0, corner.bottom), Math.min(innerHeight, box.bottom)];
              return [left - corner.right, top - high, box.right - right, low - bottom];
            }"""
        )
        assert min(left, top, right, bottom) >= -1, f"the cell after {times} times {key}"


def test_a_bar_puts_its_word_behind_the_text(screen: Screen) -> None:
    screen.open("/de/next_word", text="Der Mann biss den Hund")
    tab_to(screen, ".places a")
    box = screen.page.locator(".places a:focus").bounding_box()
    assert box and box["height"] > 100, "the likeliest word has the highest bar"
    screen.page.keyboard.press("Enter")
    screen.until(lambda: screen.parameters()["text"].startswith("Der Mann biss den Hund "), "a longer text")
    screen.drawn()


def test_arrow_keys_scroll_where_a_figure_has_no_words(screen: Screen) -> None:
    screen.open("/de/speed")
    screen.page.focus(".figure")
    before = screen.page.evaluate("scrollY")
    screen.page.keyboard.press("ArrowDown")
    screen.until(lambda: screen.page.evaluate("scrollY") > before, "a page that scrolls")


def test_words_are_said_in_an_embed_too(screen: Screen) -> None:
    screen.open("/de/embed/attention_map")
    line = screen.page.locator(".word-line")
    assert line.evaluate("line => getComputedStyle(line).display") != "none", "a line that comes up later is not said"
    tab_to(screen, ".figure")
    screen.page.keyboard.press("ArrowRight")
    screen.until(lambda: WORDS[0] in line.inner_text(), "the word")
    assert line.get_attribute("aria-live") == "polite"


def test_a_figure_is_one_picture_with_a_name(screen: Screen) -> None:
    screen.open("/de/attention_map")
    seen = screen.page.locator("body").aria_snapshot().splitlines()
    (picture,) = [line for line in seen if line.strip(" -'").startswith("img")]
    assert screen.text("#summary")[:20] in picture


def test_the_figure_itself_takes_arrow_keys(screen: Screen) -> None:
    screen.open("/de/attention_map")
    tab_to(screen, ".figure")
    for key, word in (("ArrowRight", "Der"), ("ArrowDown", "Mann"), ("ArrowRight", "biss"), ("ArrowUp", "Mann")):
        screen.page.keyboard.press(key)
        check_lit(screen, word)
    screen.page.keyboard.press("Escape")
    assert not screen.page.evaluate("onScreen.marks('row')")


def test_arrow_keys_go_on_into_the_second_sentence_and_take_along_what_is_seen(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 390, "height": 500})
    screen.open("/de/attention_map", vs="Der Hund biss den Mann")
    screen.page.focus(".figure")
    lit = "[...document.querySelectorAll('.token.lit')].map((token) => `${token.dataset.run} ${token.textContent}`)"
    for _ in range(5):
        screen.page.keyboard.press("ArrowRight")
    assert screen.page.evaluate(lit) == ["0 Hund", "1 Hund"]
    before = screen.page.evaluate("scrollY")
    for _ in range(5):
        screen.page.keyboard.press("ArrowRight")
    assert screen.page.evaluate(lit) == ["0 Mann", "1 Mann"]
    assert screen.page.evaluate("scrollY") > before, "the second map is what is seen now"
    for _ in range(5):
        screen.page.keyboard.press("ArrowLeft")
    assert screen.page.evaluate(lit) == ["0 Hund", "1 Hund"]


def test_a_second_click_or_one_elsewhere_releases_a_word(screen: Screen) -> None:
    screen.open("/de/attention_map")
    lit = "onScreen.marks('row').length"
    for release in (lambda: screen.page.click(".token:text-is('Hund')"), lambda: screen.page.click("h1")):
        screen.page.click(".token:text-is('Hund')")
        screen.page.mouse.move(2, 2)
        assert screen.page.evaluate(lit) == 1, "it stays when the pointer leaves"
        release()
        screen.page.mouse.move(2, 2)
        assert screen.page.evaluate(lit) == 0


def test_a_word_stays_pinned_in_another_head_but_not_in_another_sentence(screen: Screen) -> None:
    screen.open("/de/attention_map", text="Der Mann biss den Hund")
    screen.page.click("#token-0-2")
    check_lit(screen, "Mann")
    screen.click("#head-2")
    check_lit(screen, "Mann")
    screen.page.mouse.move(1, 1)
    check_lit(screen, "Mann")
    screen.page.fill("#field-text", "Der Hund biss den Mann")
    screen.until(lambda: screen.parameters()["text"] == "Der Hund biss den Mann", "the other sentence")
    screen.drawn()
    assert screen.page.evaluate("onScreen.lightedTokens()") == []


def test_a_word_is_lit_in_both_sentences(screen: Screen) -> None:
    screen.open("/de/attention_map", text="Der Mann biss den Hund", vs="Der Hund biss den Mann")
    screen.page.click(".token-line:last-child .token:text-is('Hund')")
    screen.until(lambda: screen.page.evaluate("onScreen.marks('row').length") == 3, "a row in each of the three panels")
    assert screen.page.evaluate("onScreen.lightedTokens()") == ["Hund", "Hund"]
    tops = []
    for panel, row in zip(screen.panels(), screen.page.evaluate("onScreen.marks('row')"), strict=True):
        tops.append(round((middle(row, "top", "height") - panel["box"]["top"]) / panel["box"]["height"] * 5 - 0.5))
    assert tops == [4, 1, 4]


def test_enter_in_the_field_shows_the_sentence(screen: Screen) -> None:
    screen.open("/de/attention_map")
    length = screen.history()
    screen.page.fill("#field-text", "Hund beißt Katze")
    screen.page.press("#field-text", "Enter")
    screen.until(lambda: screen.parameters().get("text") == "Hund beißt Katze", "the address to follow")
    screen.drawn()
    assert screen.panels()[0]["across"] == ["Hund", "beißt", "Katze"]
    assert screen.history() == length + 1


def test_a_link_takes_the_reader_to_the_content(screen: Screen) -> None:
    screen.open("/de/attention_map")
    screen.page.keyboard.press("Tab")
    assert screen.focused(".skip")
    assert screen.page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    screen.page.keyboard.press("Enter")
    assert screen.focused("#main")


def test_controls_keep_the_focus_and_the_space_bar_works_a_switch(screen: Screen) -> None:
    screen.open("/de/attention_map")
    screen.page.focus("#layer-2")
    screen.page.keyboard.press("Enter")
    screen.until(lambda: screen.parameters().get("layer") == "2", "layer 2 in the address")
    screen.drawn()
    assert screen.focused("#layer-2")


def test_enter_in_a_number_field_shows_it_in_place(screen: Screen) -> None:
    screen.open("/de/hidden_states", text="Der Mann biss den Hund")
    screen.page.evaluate("window.same = true")
    screen.witness.requests.clear()
    screen.page.fill("#control-unit", "3")
    screen.page.press("#control-unit", "Enter")
    screen.until(lambda: screen.parameters().get("unit") == "3", "the unit in the address")
    screen.drawn()
    assert screen.page.evaluate("window.same"), "the page stays"
    assert screen.focused("#control-unit")
    assert len([url for url in screen.witness.requests if "/hidden_states?" in url]) == 1
    screen.page.press("#control-unit", "Enter")
    screen.page.wait_for_timeout(200)
    assert screen.page.evaluate("window.same")


def test_another_view_begins_at_its_top(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 900, "height": 500})
    assert screen.go("/de/attention_heads") == 200
    screen.page.wait_for_selector(".places.placed a")
    screen.page.locator(".places a").first.focus()
    screen.page.locator(".places a").first.scroll_into_view_if_needed()
    assert screen.page.evaluate("scrollY") > 0
    screen.page.keyboard.press("Enter")
    screen.until(lambda: "/de/attention_map" in screen.page.url, "the map")
    screen.drawn()
    assert screen.focused("#main") and screen.page.evaluate("scrollY") == 0
    screen.page.go_back()
    screen.page.wait_for_selector(".places.placed a")
    screen.until(lambda: screen.page.evaluate("scrollY") > 0, "the place on the page again")


def test_an_open_table_and_a_step_of_the_playback_stay(screen: Screen) -> None:
    screen.open("/de/gates", text="Der Mann biss den Hund")
    slider = screen.page.locator(".player input")
    slider.fill("1")
    screen.page.click("#numbers summary")
    for link in ("#theme", "#controls .segments a:not([aria-current])"):
        screen.click(link)
        assert slider.input_value() == "1"
        assert screen.text(".player output").startswith("2/")
        assert screen.page.locator("#numbers[open]").count() == 1
    screen.page.fill("#field-text", "Hund beißt Katze")
    screen.until(lambda: screen.parameters().get("text") == "Hund beißt Katze", "another sentence")
    screen.drawn()
    assert slider.input_value() == slider.get_attribute("max")


def test_every_step_back_changes_something(screen: Screen) -> None:
    screen.open("/de/attention_map", text="Hund")
    length = screen.history()
    screen.page.fill("#field-text", "Hund beißt Katze")
    screen.until(lambda: screen.parameters().get("text") == "Hund beißt Katze", "the address to follow")
    screen.page.press("#field-text", "Enter")
    screen.page.wait_for_timeout(500)
    screen.drawn()
    assert screen.history() == length
