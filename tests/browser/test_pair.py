"""A lecturer's way: a sentence typed, its nouns swapped, five views walked through with the pair, links handed on."""

import json
from typing import Any

from .conftest import OpenWindow
from .screen import PATIENCE, Screen

SENTENCE, SWAPPED = "Der Lehrer lobt den Schüler.", "Der Schüler lobt den Lehrer."
WALK = ("order", "hidden_states", "gates", "four_lanes", "classification")  # links of the lecture, seen on every page


def source(screen: Screen) -> bytes:
    """The figure as the page carries it, to the letter."""
    text: str = screen.page.locator(".figure-data").first.evaluate("element => element.textContent")
    return text.encode()


def data(screen: Screen) -> bytes:
    """What the page's own link to its data answers, to the letter."""
    address = screen.page.get_by_role("link", name="JSON", exact=True).get_attribute("href")
    response = screen.page.context.request.get(f"{screen.base}{address}", timeout=PATIENCE * 1000)
    assert response.status == 200
    return response.body()


def copied(screen: Screen) -> str:
    """What lies in the clipboard after a click on the copying link."""
    screen.page.evaluate("navigator.clipboard.writeText('')")
    screen.page.click("#copy")
    found: str = screen.until(lambda: screen.page.evaluate("navigator.clipboard.readText()"), "a copied link")
    return found


def check_pair(screen: Screen, figure: dict[str, Any]) -> None:
    """Both sentences stand in the fields, in the address and over the figure, and each has a run."""
    assert screen.page.input_value("#field-text") == SENTENCE and screen.page.input_value("#field-vs") == SWAPPED
    stated = screen.parameters()
    assert (stated["text"], stated["vs"]) == (SENTENCE, SWAPPED) and "vs_from" not in stated
    assert {run["text"] for run in figure["runs"]} == {SENTENCE, SWAPPED}


def test_a_pair_goes_along_and_its_links_show_the_same_pictures_elsewhere(open_window: OpenWindow) -> None:
    seen: dict[str, tuple[str, bytes, bytes, list[Any], str]] = {}
    with open_window(permissions=["clipboard-read", "clipboard-write"]).watched() as screen:
        screen.open("/de/attention_map")
        screen.page.fill("#field-text", SENTENCE)
        screen.until(lambda: screen.parameters().get("text") == SENTENCE, "the address to follow what is typed")
        screen.drawn()
        screen.click("#transform-2")
        for name in ("attention_map", *WALK):
            if name not in screen.page.url:
                screen.click(f'nav a[href^="/de/{name}?"]')
            assert f"/de/{name}?" in screen.page.url
            told = json.loads(data(screen))
            check_pair(screen, told)
            assert json.loads(source(screen)) == told["figure"]  # the picture is that of the data
            seen[name] = (copied(screen), source(screen), data(screen), screen.values(), screen.text("#summary"))
    assert len({figure for _, figure, *_ in seen.values()}) == 6
    for name, (link, figure, numbers, values, summary) in seen.items():
        with open_window().watched() as fresh:  # a context of its own: no cache, no storage
            assert link.startswith(f"{fresh.base}/de/{name}?")
            fresh.open(link.removeprefix(fresh.base))
            check_pair(fresh, json.loads(numbers))
            assert source(fresh) == figure and data(fresh) == numbers
            assert fresh.values() == values and fresh.text("#summary") == summary


def test_the_data_are_computed_alike_by_another_server(screen: Screen, another: str) -> None:
    """The bytes do not come from a memory of answers: a server that has seen nothing gives the same."""
    asked = {"text": SENTENCE, "vs": SWAPPED}
    for name in ("attention_map", "hidden_states", "order"):
        answers = [
            screen.page.context.request.get(f"{base}/de/{name}.json", params=asked, timeout=PATIENCE * 1000).body()
            for base in (screen.base, another)
        ]
        assert answers[0] == answers[1] and SWAPPED.encode() in answers[0]
