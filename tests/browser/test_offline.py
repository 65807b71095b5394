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
    frames = screen.page.frames
    inside = screen.until(lambda: next((f for f in frames if f.url.endswith(file)), None), file)
    screen.until(lambda: inside.evaluate("document.readyState") == "complete", file)
    screen.drawn(inside)
    return inside


def test_a_lecture_from_a_stick(disk: Screen) -> None:
    disk.page.goto(f"{disk.base}/index.html")
    pictures = "[...document.images].map((image) => image.complete && image.naturalWidth > 0)"
    disk.until(lambda: all(disk.page.evaluate(pictures)), "the stills")
    assert disk.page.locator(".show").count() == 3
    disk.page.click(".show >> nth=0")
    inside = figure(disk, "01-attention_map.html")
    assert inside.evaluate("onScreen.panels()[0].across") == ["Der", "Mann", "biss", "den", "Hund"]
    assert disk.text("#told").startswith("1/3")
    inside.click(".figure", position={"x": 2, "y": 2})  # the keys are the figure's now, and it hands them on
    disk.page.keyboard.press("ArrowRight")
    walked = figure(disk, "02-trajectory.html")
    last = walked.evaluate("document.querySelector('.player input').value")
    walked.click(".player [data-move='-1']")
    assert walked.evaluate("document.querySelector('.player input').value") == str(int(last) - 1)
    disk.page.click("#on")
    figure(disk, "03-attention_heads.html")
    assert disk.page.is_disabled("#on")
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
    figure(disk, "03-attention_heads.html")


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
