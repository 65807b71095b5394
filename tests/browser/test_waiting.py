"""Answers take a while: what is typed and chosen meanwhile is kept."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Route

from .screen import Screen

OLD, NEW = "Der Mann biss den Hund", "Hund beißt Katze"
Release = Callable[[], None]


def keep_back(screen: Screen) -> Release:
    """Keeps the answers of a page back until they are let go."""
    kept: list[Route] = []

    def let_go() -> None:
        screen.page.unroute("**/de/*?*")
        while kept:
            with suppress(Error):  # nobody waits for it any more
                kept.pop().continue_()

    screen.page.route("**/de/*?*", lambda route: kept.append(route))
    return let_go


@pytest.fixture
def release(screen: Screen, request: pytest.FixtureRequest) -> Iterator[Release]:
    """A page whose answers are kept back until they are let go."""
    screen.open(f"/de/{getattr(request, 'param', 'attention_map')}", text=OLD)
    let_go = keep_back(screen)
    yield let_go
    let_go()


def check(screen: Screen, text: str, **options: str) -> None:
    """In the end the address, the field and the figure have the sentence, and the address the options."""
    wanted = {"text": text, **options}.items()
    screen.until(lambda: wanted <= dict(screen.parameters()).items(), f"{wanted} in the address")
    screen.drawn()
    assert screen.page.input_value("#field-text") == text
    assert screen.panels()[0]["across"] == text.split()
    screen.page.wait_for_timeout(400)  # no later request turns it back
    assert wanted <= dict(screen.parameters()).items()
    assert screen.page.input_value("#field-text") == text


@pytest.mark.parametrize("pause", [50, 400])
@pytest.mark.parametrize(("clicked", "chosen"), [("#head-2", {"head": "2"}), ("#theme", {"theme": "dark"})])
def test_a_choice_takes_the_sentence_that_was_just_typed(
    screen: Screen, release: Release, clicked: str, chosen: dict[str, str], pause: int
) -> None:
    screen.page.fill("#field-text", NEW)
    screen.page.wait_for_timeout(pause)
    screen.page.click(clicked)
    release()
    check(screen, NEW, **chosen)


@pytest.mark.parametrize("link", [".languages a[hreflang=en]", "#pager a[rel=next]"])
def test_a_link_takes_the_sentence_that_was_just_typed(screen: Screen, release: Release, link: str) -> None:
    release()
    screen.page.fill("#field-text", NEW)
    screen.page.click(link)
    screen.until(lambda: "/de/attention_map" not in screen.page.url, "another page")
    screen.drawn()
    assert screen.page.input_value("#field-text") == NEW


def test_a_link_without_a_sentence_takes_both_where_one_was_typed(screen: Screen) -> None:
    screen.open("/de")
    screen.page.fill("#field-vs", NEW)
    screen.page.click("#lecture a[href$='/gates']")
    screen.until(lambda: "/de/gates" in screen.page.url, "the view")
    screen.drawn()
    assert [screen.page.input_value(f"#field-{name}") for name in ("text", "vs")] == [OLD, NEW]


def test_an_example_takes_the_place_of_what_was_typed(screen: Screen, release: Release) -> None:
    release()
    screen.page.fill("#field-text", NEW)
    screen.page.click("#example-1")
    check(screen, OLD, vs="Der Hund biss den Mann")


@pytest.mark.parametrize("pause", [50, 400])
def test_an_option_and_a_sentence_typed_after_it_are_both_kept(screen: Screen, release: Release, pause: int) -> None:
    length = screen.history()
    screen.page.click("#head-2")
    screen.page.fill("#field-text", NEW)
    screen.page.wait_for_timeout(pause)
    release()
    check(screen, NEW, head="2")
    assert screen.history() == length + 1
    assert screen.page.get_attribute("#head-2", "aria-current") == "true"


def test_an_option_outlives_the_theme(screen: Screen, release: Release) -> None:
    screen.page.click("#head-2")
    screen.page.click("#theme")
    release()
    check(screen, OLD, head="2", theme="dark")


def test_of_two_options_chosen_quickly_the_second_comes_after_the_first(screen: Screen, release: Release) -> None:
    screen.page.click("#layer-2")
    screen.page.click("#head-3")
    release()
    check(screen, OLD, layer="2", head="3")


def test_of_two_layers_chosen_quickly_the_second_counts(screen: Screen, release: Release) -> None:
    screen.page.click("#layer-2")
    screen.page.click("#layer-3")
    release()
    check(screen, OLD, layer="3")


def test_a_second_sentence_comes_after_an_option_that_is_awaited(screen: Screen, release: Release) -> None:
    screen.page.click("#head-2")
    screen.page.click("#compare")
    release()
    screen.page.wait_for_selector("#field-vs")
    check(screen, OLD, head="2")
    assert screen.focused("#field-vs")


def test_an_option_comes_after_a_model_that_is_awaited(screen: Screen, release: Release) -> None:
    screen.page.select_option("#control-vs_model", "decoder")
    screen.page.click("#layer-2")
    release()
    check(screen, OLD, layer="2", vs_model="decoder")


def half_typed(screen: Screen, release: Release) -> None:
    """A number that is being typed while the answer to a sentence comes; it stays in its field."""
    screen.page.fill("#field-text", NEW)
    screen.page.wait_for_timeout(400)
    screen.page.click("#control-sigma")
    screen.page.keyboard.type("2")
    release()
    screen.until(lambda: screen.parameters()["text"] == NEW, "the answer")
    screen.drawn()
    assert screen.focused("#control-sigma") and screen.page.input_value("#control-sigma") == "2"
    assert "sigma" not in screen.parameters()


def asked_for(screen: Screen) -> int:
    """How many pages of the view were asked for so far."""
    return sum("/gradient_flow?" in url for url in screen.witness.requests)


numbers = pytest.mark.parametrize("release", ["gradient_flow"], indirect=True)


@numbers
def test_a_half_typed_number_outlives_an_answer(screen: Screen, release: Release) -> None:
    half_typed(screen, release)
    screen.page.keyboard.type(".5")
    screen.page.keyboard.press("Enter")
    screen.until(lambda: screen.parameters().get("sigma") == "2.5", "the whole number")


@numbers
@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_a_number_that_outlived_an_answer_is_taken_as_it_stands(screen: Screen, release: Release, key: str) -> None:
    half_typed(screen, release)
    length = screen.history()
    screen.page.keyboard.press(key)
    screen.until(lambda: screen.parameters().get("sigma") == "2", "the number")
    screen.drawn()
    assert screen.history() == length + 1
    asked = asked_for(screen)
    screen.page.keyboard.press("Tab")  # it is shown: leaving its field asks nothing
    screen.page.wait_for_timeout(300)
    assert asked_for(screen) == asked


@numbers
def test_a_number_is_asked_for_once(screen: Screen, release: Release) -> None:
    release()
    asked = asked_for(screen)
    screen.page.click("#control-sigma")
    screen.page.keyboard.type("2")
    screen.page.keyboard.press("Enter")
    screen.page.keyboard.press("Tab")
    screen.until(lambda: screen.parameters().get("sigma") == "2", "the number")
    screen.drawn()
    assert asked_for(screen) == asked + 1


@numbers
def test_an_option_comes_after_a_number_that_is_awaited(screen: Screen, release: Release) -> None:
    screen.page.fill("#control-sigma", "2.5")
    screen.page.click("#source-sum")
    release()
    screen.until(lambda: {"sigma": "2.5", "source": "sum"}.items() <= dict(screen.parameters()).items(), "both")
    screen.drawn()
    assert screen.page.input_value("#control-sigma") == "2.5"


@numbers
def test_a_number_comes_after_an_option_that_is_awaited(screen: Screen, release: Release) -> None:
    screen.page.click("#source-sum")
    screen.page.fill("#control-sigma", "2.5")
    screen.page.keyboard.press("Enter")
    release()
    screen.until(lambda: {"sigma": "2.5", "source": "sum"}.items() <= dict(screen.parameters()).items(), "both")
    screen.drawn()
    assert screen.page.input_value("#control-sigma") == "2.5"


def stepped(screen: Screen) -> None:
    """Another layer than at first, one step further than the page opened."""
    screen.click("#layer-2")
    assert screen.page.get_attribute("#layer-2", "aria-current") == "true"


def test_back_and_forward_at_once_leave_the_figure_of_the_address(screen: Screen) -> None:
    screen.open("/de/attention_map", text=OLD)
    stepped(screen)
    let_go = keep_back(screen)
    with screen.page.expect_request("**/de/*?*"):
        screen.page.evaluate("history.back()")
    screen.page.evaluate("history.forward()")
    screen.until(lambda: "layer" in screen.parameters(), "the step forward")
    let_go()
    screen.page.wait_for_timeout(500)
    screen.drawn()
    assert screen.parameters()["layer"] == "2"
    assert screen.page.get_attribute("#layer-2", "aria-current") == "true"


def test_a_step_back_forgets_what_waits_for_an_answer(screen: Screen) -> None:
    screen.open("/de/attention_map", text=OLD)
    stepped(screen)
    let_go = keep_back(screen)
    screen.page.click("#layer-3")
    screen.page.click("#head-2")
    screen.page.evaluate("history.back()")
    screen.until(lambda: "layer" not in screen.parameters(), "the step back")
    let_go()
    screen.until(lambda: screen.page.get_attribute("#layer-2", "aria-current") is None, "the figure of that step")
    screen.page.wait_for_timeout(500)
    assert not {"layer", "head"} & set(screen.parameters())


def test_an_answer_that_does_not_come_is_not_waited_for_forever(screen: Screen) -> None:
    """A phone's connection may stand still without an end."""
    screen.page.clock.install()
    screen.open("/de/attention_map", text=OLD)
    let_go = keep_back(screen)
    screen.page.click("#head-2")
    screen.until(lambda: "rechnet" in screen.text("#status"), "that it takes its time")
    screen.page.clock.run_for(90_000)
    alert = screen.page.locator("#page-error [role=alert]")
    screen.until(alert.count, "a sentence about the server")
    assert screen.text("#status") == "" and screen.panels()[0]["across"] == OLD.split()
    let_go()
    screen.click("#head-2")
    assert alert.count() == 0


def test_what_is_not_drawn_yet_says_that_it_is_coming(screen: Screen) -> None:
    kept: list[Route] = []
    screen.page.route("**/plotly-*.js?*", lambda route: kept.append(route))
    screen.page.goto(f"{screen.base}/en/attention_map?text=Hund", wait_until="commit")
    screen.page.wait_for_selector(".plot", state="attached")
    said = "getComputedStyle(document.querySelector('.plot'), '::before')"
    screen.until(lambda: screen.page.evaluate(f"{said}.visibility") == "visible", "the words in its place")
    assert screen.page.evaluate(f"{said}.content") == '"The figure is loading …"'
    kept.pop().continue_()
    screen.drawn()
    assert screen.page.evaluate(f"{said}.content") == "none"
    screen.page.unroute("**/plotly-*.js?*")


def test_a_page_that_was_left_before_its_answer_came_asks_again(screen: Screen) -> None:
    """Browsers keep a page that is left as it stood, perhaps with the message that its server did not answer."""
    screen.witness.expected.add("ERR_FAILED")
    screen.open("/de/attention_map", text=OLD)
    stepped(screen)
    screen.page.route("**/de/*?*", lambda route: route.abort())
    screen.page.evaluate("history.back()")
    screen.page.wait_for_selector(".page-error")
    screen.page.unroute("**/de/*?*")
    screen.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    screen.page.wait_for_selector(".page-error", state="detached")
    screen.drawn()
    assert screen.page.get_attribute("#layer-2", "aria-current") is None
