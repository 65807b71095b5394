"""A wrong sentence keeps its place: what is wrong stands beside the field, with the way out."""

import pytest

from .screen import Screen


def beside_the_field(screen: Screen, field: str = "text") -> str:
    """The sentence beside a field, tied to it for those who do not see it."""
    message = screen.page.locator(f"#{field}-error .field-error")
    screen.until(lambda: message.count() and message.is_visible(), "an error beside the field")
    assert screen.page.get_attribute(f"#field-{field}", "aria-invalid") == "true"
    assert screen.page.get_attribute(f"#field-{field}", "aria-describedby") == f"{field}-error"
    return message.inner_text()


@pytest.mark.parametrize("lang", ["de", "en"])
def test_an_empty_field(screen: Screen, lang: str) -> None:
    screen.witness.expect_status(422)
    screen.open(f"/{lang}/attention_map")
    before = screen.values()
    screen.page.fill("#field-text", "")
    assert len(beside_the_field(screen)) > 10
    assert screen.values() == before, "the old figure stays"
    assert screen.page.locator("#result.dim").count() == 1
    screen.page.fill("#field-text", "Hund beißt Katze")
    screen.until(lambda: screen.parameters().get("text") == "Hund beißt Katze", "the address to follow")
    screen.drawn()
    assert screen.page.locator("#text-error .field-error").count() == 0
    assert screen.page.get_attribute("#field-text", "aria-invalid") is None
    assert screen.panels()[0]["across"] == ["Hund", "beißt", "Katze"]


def test_an_address_without_words(screen: Screen) -> None:
    screen.witness.expect_status(422)
    assert screen.go("/de/attention_map", text="   ") == 422
    assert beside_the_field(screen)
    screen.page.fill("#field-text", "Hund")
    screen.until(lambda: screen.page.evaluate("onScreen.ready()"), "a figure after the mistake is corrected")
    assert screen.panels()[0]["across"] == ["Hund"]


def test_a_text_that_is_too_long_offers_its_beginning(screen: Screen) -> None:
    screen.witness.expect_status(422)
    long = " ".join(["Hund"] * 300)
    screen.open("/de/attention_map")
    screen.page.fill("#field-text", long)
    said = beside_the_field(screen)
    assert "256" in said and "30" in said
    assert screen.page.input_value("#field-text") == long
    screen.page.click("#text-error .fix")
    screen.until(lambda: screen.page.input_value("#field-text") != long, "the shortened text")
    screen.drawn()
    kept = screen.page.input_value("#field-text").split()
    assert long.startswith(" ".join(kept)) and 200 < len(kept) <= 256
    assert len(screen.panels()[0]["z"]) == len(kept)
    assert screen.page.locator(".field-error").count() == 0


def test_the_second_sentence_has_its_own_error(screen: Screen) -> None:
    screen.witness.expect_status(422)
    long = " ".join(["Hund"] * 300)
    assert screen.go("/de/attention_map", text="Der Hund", vs=long) == 422
    assert "256" in beside_the_field(screen, "vs")
    assert screen.page.locator("#text-error .field-error").count() == 0
    assert screen.page.input_value("#field-vs") == long
    screen.page.click("#vs-error .fix")
    screen.until(lambda: screen.page.evaluate("onScreen.ready()"), "the figure of the shortened sentence")
    assert len(screen.panels()) == 3
    assert screen.page.input_value("#field-text") == "Der Hund"


def test_a_wrong_option_says_what_is_possible(screen: Screen) -> None:
    screen.witness.expect_status(422)
    assert screen.go("/de/attention_map", text="Der Hund", layer=99) == 422
    said = screen.text("#main [role=alert], #main .field-error")
    assert "99" in said and "1, 2, 3, 4" in said
    assert screen.page.input_value("#field-text") == "Der Hund"


def test_a_server_that_is_gone_keeps_the_figure(screen: Screen) -> None:
    screen.open("/de/attention_map")
    before = screen.values()
    screen.witness.expected.add("ERR_INTERNET_DISCONNECTED")
    screen.page.context.set_offline(True)
    screen.page.fill("#field-text", "Hund beißt Katze")
    alert = screen.page.locator("#page-error [role=alert]")
    screen.until(lambda: alert.count(), "a sentence about the server")
    assert screen.values() == before
    assert screen.page.input_value("#field-text") == "Hund beißt Katze"
    screen.page.context.set_offline(False)
    screen.page.press("#field-text", "Enter")
    screen.until(lambda: screen.parameters().get("text") == "Hund beißt Katze", "the address to follow")
    screen.drawn()
    assert alert.count() == 0


def proxy_says(screen: Screen, status: int) -> None:
    """From now on a proxy answers in the server's place."""
    screen.witness.expect_status(status)
    screen.page.route("**/attention_map?*", lambda route: route.fulfill(status=status, body="<h1>Bad gateway</h1>"))


@pytest.mark.parametrize("path", ["/de/attention_map", "/de/embed/attention_map"])
@pytest.mark.parametrize("away", [0, 502, 503])
def test_nothing_takes_the_figure_away(screen: Screen, path: str, away: int) -> None:
    screen.witness.expected.add("ERR_INTERNET_DISCONNECTED")
    screen.open(path, controls=1)
    before, address = screen.values(), screen.page.url
    if away:
        proxy_says(screen, away)
    screen.page.context.set_offline(not away)
    screen.page.click("#head-2")
    screen.until(lambda: screen.page.locator("#page-error [role=alert]").count(), "a sentence about the server")
    assert (screen.values(), screen.page.url) == (before, address)
    screen.page.unroute("**/attention_map?*")
    screen.page.context.set_offline(False)
    screen.page.click("#head-2")
    screen.until(lambda: screen.values() != before, "the other head")
    screen.drawn()
    assert screen.page.locator("#page-error [role=alert]").count() == 0


def lose_plotly(screen: Screen, times: int) -> None:
    """The script that draws gets lost so often on its way."""
    screen.witness.expected.add("ERR_FAILED")
    screen.page.route("**/plotly-*.js?*", lambda route: route.abort(), times=times)


def test_what_draws_is_asked_for_again(screen: Screen) -> None:
    lose_plotly(screen, 1)
    screen.open("/de/attention_map")
    assert screen.page.locator(".page-error, .still").count() == 0


@pytest.mark.parametrize("path", ["/de/attention_map", "/de/embed/attention_map"])
def test_where_what_draws_is_lost_a_still_stands_until_it_arrives(screen: Screen, path: str) -> None:
    lose_plotly(screen, 3)
    assert screen.go(path, text="Der Hund", controls=1) == 200
    alert = screen.page.locator("#page-error [role=alert]")
    still = screen.page.locator(".figure img.still")
    screen.until(still.count, "the still")
    assert "nicht angekommen" in alert.inner_text()
    screen.until(lambda: still.evaluate("image => image.naturalWidth") > 0, "its picture")
    screen.page.click("#head-2")
    screen.until(lambda: "Server" in alert.inner_text(), "that an answer could not be drawn")
    assert still.count() == 1 and "head" not in screen.parameters()
    screen.page.click("#head-2")
    screen.drawn()
    assert alert.count() == still.count() == 0
    assert screen.page.get_attribute("#head-2", "aria-current") == "true"


def test_going_forward_mends_a_step_back_without_a_server(screen: Screen) -> None:
    screen.open("/de/attention_map")
    screen.click("#head-2")
    before = screen.values()
    screen.witness.expected.add("ERR_INTERNET_DISCONNECTED")
    screen.page.context.set_offline(True)
    screen.page.go_back()
    alert = screen.page.locator("#page-error [role=alert]")
    screen.until(alert.count, "a sentence about the server")
    screen.page.context.set_offline(False)
    screen.page.go_forward()
    screen.until(lambda: not alert.count(), "the sentence to go")
    screen.drawn()
    assert screen.values() == before


def test_errors_and_summaries_are_told(screen: Screen) -> None:
    screen.witness.expect_status(422)
    screen.open("/de/attention_map")
    told = screen.page.locator("#told[role=status]")
    assert told.inner_text() == ""
    screen.page.click("#head-2")
    screen.until(told.inner_text, "a word on the other head")
    assert told.inner_text().split() == screen.text("#summary").split()
    screen.page.fill("#field-text", "")
    said = beside_the_field(screen)
    screen.until(lambda: told.inner_text() == said, "the error")


def test_after_the_way_out_the_focus_is_in_the_field(screen: Screen) -> None:
    screen.witness.expect_status(422)
    assert screen.go("/de/attention_map", text=" ".join(["Hund"] * 300)) == 422
    screen.page.focus("#text-error .fix")
    screen.page.keyboard.press("Enter")
    screen.until(lambda: screen.page.locator("#text-error .fix").count() == 0, "the shortened text")
    assert screen.focused("#field-text")
