"""Without server and network: the bundle of a lecture, and a figure's file, opened from a disk."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame

from .conftest import ROOT
from .screen import Screen

DECK = """\
title = "Ohne Netz"
[[entries]]
address = "/attention_map?text=Der+Mann+biss+den+Hund"
note = "Wer schaut auf wen?"
[[entries]]
address = "/trajectory?text=Der+Mann+biss+den+Hund"
[[entries]]
address = "/attention_heads?text=Hund+bei%C3%9Ft+Katze"
[[entries]]
address = "/classification?text=Hallo"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle, made by the command; the server of the other tests has no part in it."""
    place = tmp_path_factory.mktemp("bundle")
    (place / "deck.toml").write_text(DECK, "utf-8")
    command = [sys.executable, "-m", "app", "export", str(place / "deck.toml"), "--out", str(place / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place / "out"


@pytest.fixture
def disk(browser: Browser, folder: Path) -> Iterator[Screen]:
    """A window without any network; it ends its test with nothing to complain about and nothing asked of a server."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce", locale="de-DE")
    screen = Screen(context.new_page(), folder.as_uri())
    context.set_offline(True)
    yield screen
    asked = [url for url in screen.witness.requests if not url.startswith(("file:", "data:", "blob:"))]
    context.close()
    assert asked == []
    screen.witness.check()


def figure(screen: Screen, file: str) -> Frame:
    """The frame that shows this file of the bundle, drawn."""
    inside = screen.until(lambda: next((f for f in screen.page.frames if f.url.endswith(file)), None), file)
    screen.until(lambda: inside.evaluate("document.readyState") == "complete", file)
    screen.drawn(inside)
    return inside


def test_a_lecture_from_a_stick(disk: Screen) -> None:
    disk.page.goto(f"{disk.base}/index.html")
    pictures = "[...document.images].map((image) => image.complete && image.naturalWidth > 0)"
    disk.until(lambda: all(disk.page.evaluate(pictures)), "the stills")
    assert disk.page.locator(".show").count() == 4
    disk.page.click(".show >> nth=0")
    inside = figure(disk, "01-attention_map.html")
    assert inside.evaluate("onScreen.panels()[0].across") == ["Der", "Mann", "biss", "den", "Hund"]
    assert disk.text("#told").startswith("1/4")
    before = inside.evaluate("onScreen.panels()[0].z")
    inside.click("#layer-2")
    chosen = "document.querySelector('#layer-2').ariaCurrent === 'true'"
    disk.until(lambda: inside.evaluate(chosen), "the second layer, from the file")
    disk.drawn(inside)
    assert inside.evaluate("onScreen.panels()[0].z") != before
    inside.click("#layer-4")
    disk.until(lambda: inside.evaluate("document.querySelector('#layer-4').ariaCurrent === 'true'"), "the first state")
    disk.drawn(inside)
    assert inside.evaluate("onScreen.panels()[0].z") == before
    inside.click(".figure", position={"x": 2, "y": 2})  # the keys are the figure's now, and it hands them on
    disk.page.keyboard.press("ArrowRight")
    walked = figure(disk, "02-trajectory.html")
    last = walked.evaluate("document.querySelector('.player input').value")
    walked.click(".player [data-move='-1']")
    assert walked.evaluate("document.querySelector('.player input').value") == str(int(last) - 1)
    disk.page.click("#on")
    figure(disk, "03-attention_heads.html")
    assert not disk.page.is_disabled("#on")
    disk.page.keyboard.press("Escape")
    disk.until(lambda: disk.page.is_visible("#list") and disk.focused("[data-number='3']"), "the list again")
    disk.page.go_back()
    figure(disk, "03-attention_heads.html")


def test_the_list_works_from_the_keyboard(disk: Screen) -> None:
    disk.page.goto(f"{disk.base}/index.html")
    disk.page.keyboard.press("ArrowDown")
    disk.page.keyboard.press("ArrowDown")
    assert disk.focused("[data-number='2']")
    disk.page.keyboard.press("Enter")
    figure(disk, "02-trajectory.html")
    disk.page.keyboard.press("PageUp")
    figure(disk, "01-attention_map.html")
    disk.page.keyboard.press("End")
    figure(disk, "04-classification.html")
    assert disk.page.is_disabled("#on")


def test_the_list_prints_its_figures(disk: Screen) -> None:
    disk.page.goto(f"{disk.base}/index.html#2")
    figure(disk, "02-trajectory.html")
    disk.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    disk.page.emulate_media(media="print")
    assert disk.page.is_visible(".show img >> nth=2") and not disk.page.is_visible("#stage")
    assert disk.page.is_visible(".note")


def test_the_list_is_for_everybody(disk: Screen) -> None:
    disk.page.goto(f"{disk.base}/index.html")
    disk.page.evaluate((Path(__file__).parent / "axe-core" / "axe.min.js").read_text("utf-8"))
    for width in (320, 1280):
        disk.page.set_viewport_size({"width": width, "height": 720})
        found = disk.page.evaluate("axe.run(document, {iframes: false}).then(({violations}) => violations)")
        assert [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found] == []
        assert disk.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_file_switches_between_its_states(disk: Screen, folder: Path) -> None:
    disk.page.goto((folder / "03-attention_heads.html").as_uri())
    disk.drawn()
    before = disk.page.evaluate("onScreen.captions()")
    disk.page.focus("#sort-entropy")
    disk.page.keyboard.press("Enter")
    disk.until(lambda: disk.page.evaluate("onScreen.captions()") != before, "the heads in another order")
    assert disk.focused("#sort-entropy") and disk.page.get_attribute("#sort-entropy", "aria-current") == "true"
    disk.page.click("#sort-layer")
    disk.until(lambda: disk.page.evaluate("onScreen.captions()") == before, "the order of the layers again")


def test_choices_that_are_not_carried_lead_nowhere(disk: Screen, folder: Path) -> None:
    disk.page.goto((folder / "04-classification.html").as_uri())
    disk.drawn()
    disk.until(lambda: disk.page.get_attribute("#show-words", "aria-disabled"), "what needs another run is shut")
    assert disk.page.get_attribute("#show-words", "href") is None
    disk.page.click("#show-progress")
    disk.until(lambda: disk.page.locator("#of-gru").count(), "the control that matters now")
    disk.page.click("#of-gru")
    disk.until(lambda: disk.page.get_attribute("#of-gru", "aria-current"), "the GRU")
    assert disk.page.get_attribute("#show-words", "aria-disabled") == "true"
    disk.page.click("#show-models")
    disk.until(lambda: not disk.page.locator("#of-gru").count(), "all models")
    disk.page.click("#show-progress")
    disk.until(lambda: disk.page.get_attribute("#of-gru", "aria-current"), "the GRU is remembered")
