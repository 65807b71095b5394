"""Without scripts the form still works, and the page carries what the run says."""

from collections.abc import Iterator

import pytest

from .conftest import OpenWindow
from .screen import Screen

SENTENCE = "Die Katze beißt den Hund"
OTHER = "Der Hund beißt die Katze"


@pytest.fixture(scope="module")
def bare(open_window: OpenWindow) -> Screen:
    """A window that runs no scripts."""
    return open_window(java_script_enabled=False)


@pytest.fixture
def screen(bare: Screen) -> Iterator[Screen]:
    """That window, watched."""
    with bare.watched() as watched:
        yield watched


def test_the_form_and_the_numbers_work_without_scripts(screen: Screen) -> None:
    assert screen.go("/de/attention_map") == 200
    before = screen.text("#summary")
    screen.page.fill("#field-text", SENTENCE)
    screen.page.press("#field-text", "Enter")
    screen.page.wait_for_load_state()
    assert screen.parameters()["text"] == SENTENCE
    assert screen.page.input_value("#field-text") == SENTENCE
    assert screen.text("#summary") and screen.text("#summary") != before
    assert screen.page.locator(".token:not(.special)").all_text_contents() == SENTENCE.split()
    assert screen.page.locator("noscript").count() and screen.text(".no-script")
    screen.page.click("#numbers summary")
    assert screen.page.locator("#numbers tbody tr").count() == len(SENTENCE.split()) ** 2
    assert screen.page.locator("#numbers tbody tr").first.is_visible()


def test_links_and_buttons_work_without_scripts(screen: Screen) -> None:
    assert screen.go("/de/attention_map", text=SENTENCE) == 200
    screen.page.click("#layer-2")
    screen.page.wait_for_load_state()
    assert screen.parameters()["layer"] == "2"
    screen.page.click("#offers .chip.act")
    screen.page.wait_for_load_state()
    screen.page.fill("#field-vs", OTHER)
    screen.page.click("button.show")
    screen.page.wait_for_load_state()
    assert screen.parameters() == screen.parameters() | {"text": SENTENCE, "vs": OTHER, "layer": "2"}
    screen.page.click("#uncompare")
    screen.page.wait_for_load_state()
    assert "vs" not in screen.parameters()
    screen.page.click("#theme")
    screen.page.wait_for_load_state()
    assert screen.page.locator("html[data-theme=dark]").count() == 1


def test_buttons_make_the_second_sentence_without_scripts(screen: Screen) -> None:
    assert screen.go("/de/attention_map", layer="2") == 200
    screen.page.fill("#field-text", SENTENCE)  # typed, not yet shown
    screen.page.click("#transform-2")
    screen.page.wait_for_load_state()
    assert screen.page.input_value("#field-vs") == "Die Hund beißt den Katze"
    screen.page.click("#transform-1")
    screen.page.wait_for_load_state()
    assert screen.page.input_value("#field-vs") == "Hund den beißt Katze Die"
    assert screen.parameters()["layer"] == "2"


def test_an_error_without_scripts(screen: Screen) -> None:
    screen.witness.expect_status(422)
    long = " ".join(["Hund"] * 300)
    assert screen.go("/de/attention_map", text=long) == 422
    assert "256" in screen.text("#text-error")
    assert screen.page.input_value("#field-text") == long
    screen.page.click("#text-error .fix")
    screen.page.wait_for_load_state()
    assert screen.page.locator("#numbers").count() == 1


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", ["/de/attention_map", "/de/embed/attention_map"])
def test_the_still_picture_fits_the_window(screen: Screen, path: str, width: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": 720})
    assert screen.go(path) == 200
    screen.until(
        lambda: screen.page.eval_on_selector(".still", "still => still.complete && still.naturalWidth"), "the picture"
    )
    box = screen.page.locator(".still").bounding_box()
    assert box and box["width"] > 300 and box["x"] + box["width"] <= width
    assert 1.7 < box["width"] / box["height"] < 1.9
    if "embed" in path:
        assert box["y"] + box["height"] <= 720
