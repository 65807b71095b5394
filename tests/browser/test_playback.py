"""Playback: starts paused, steps by button, slider and keys, and never drops the figure."""

from .screen import Screen

LONG = "Der+Mann+biss+den+Hund+und+" * 6 + "ging"


def points(screen: Screen) -> list[int]:
    """How many points each line of the figure shows."""
    found: list[int] = screen.page.evaluate(
        "[...document.querySelectorAll('.plot .scatterlayer .trace')].map((t) => t.querySelectorAll('.point').length)"
    )
    return found


def test_a_path_is_walked_step_by_step(screen: Screen) -> None:
    screen.open(f"/de/trajectory?text={LONG}")
    page = screen.page
    last = int(page.get_attribute(".player input", "max") or 0)
    assert last >= 30
    assert points(screen) == [last + 1]  # paused, all of it
    page.focus(".player input")
    page.keyboard.press("Home")
    assert points(screen) == [1]
    for step in range(1, last + 1):
        page.keyboard.press("ArrowRight")
        assert points(screen) == [step + 1]
    page.click(".player [data-move='-1']")
    assert points(screen) == [last]
    assert f"{last}/{last + 1}" in screen.text(".player output")


def test_only_a_buttons_step_is_said_the_slider_says_its_own(screen: Screen) -> None:
    screen.open("/de/trajectory?text=Der+Mann+biss")
    page = screen.page
    output, slider = page.locator(".player output"), page.locator(".player input")
    assert slider.get_attribute("aria-valuetext") == "4/4 · biss"
    slider.press("Home")
    assert output.get_attribute("aria-live") == "off"
    page.click(".player [data-move='1']")
    assert output.get_attribute("aria-live") == "polite"
    page.click(".player .play")
    screen.until(lambda: output.inner_text() == "3/4 · Mann", "the next step")
    assert output.get_attribute("aria-live") == "off"
    screen.until(lambda: output.inner_text() == "4/4 · biss", "the last step")
    assert output.get_attribute("aria-live") == "polite", "the end of a playback is said"


def test_play_runs_and_pauses(screen: Screen) -> None:
    screen.open("/en/trajectory?text=Der+Mann+biss+den+Hund")
    page = screen.page
    page.click(".player .play")
    assert page.get_attribute(".player .play", "aria-label") == "Pause"
    screen.until(lambda: points(screen) == [3], "three words walked")
    page.click(".player .play")
    assert page.get_attribute(".player .play", "aria-label") == "Play"
    shown = points(screen)
    page.wait_for_timeout(1_500)
    assert points(screen) == shown


def test_maps_are_covered_from_the_next_word_on(screen: Screen) -> None:
    screen.open("/de/gates?text=Der+Mann+biss+den+Hund")
    page = screen.page
    assert not page.query_selector_all(".veil")
    page.focus(".player input")
    page.keyboard.press("ArrowLeft")
    assert len(page.query_selector_all(".veil")) == 1
    page.keyboard.press("End")
    assert not page.query_selector_all(".veil")
