"""Words appear exactly as they were typed, whatever they are made of."""

import re
from itertools import cycle

import pytest

from app.messages import LANGUAGES

from .screen import Screen

WOMAN_AT_COMPUTER = "\U0001f469\u200d\U0001f4bb"
TYPED = {
    "tags": "<b>x</b>",
    "link": "<a href=x>",
    "break": "a<br>b",
    "formula": r"$\frac$",
    "entity": "&amp;",
    "quotes": "\"x\" 'y' %{z}",
    "umlauts": "Äpfel süß",
    "emoji": f"{WOMAN_AT_COMPUTER} lacht",
    "right to left": "שלום Welt",
}


def joined(labels: list[str]) -> str:
    """The pieces as one text without blanks."""
    return "".join(label.removeprefix("##") for label in labels).replace("\u00a0", "").replace(" ", "")


@pytest.mark.parametrize("text", TYPED.values(), ids=TYPED.keys())
def test_labels_are_what_was_typed(screen: Screen, text: str) -> None:
    screen.open("/de/attention_map", text=text, special="hidden")
    (panel,) = screen.panels()
    bare = text.replace(" ", "")
    assert joined(panel["across"]) == joined(panel["down"]) == bare
    assert joined(screen.page.locator(".token:not(.special)").all_text_contents()) == bare
    assert screen.page.input_value("#field-text") == text
    words = [label.replace("\u00a0", " ") for label in panel["across"]]
    hover = screen.page.locator(".hoverlayer .hovertext")
    box = panel["box"]
    for column, word in enumerate(words):
        screen.page.mouse.move(box["left"] + box["width"] * (column + 0.5) / len(words), box["top"] + 8)
        screen.until(lambda word=word: word in "".join(hover.all_text_contents()), f"{word} in the hover text")  # type: ignore[misc]
    cells = screen.page.locator("#numbers tbody :is(th, td)").all_text_contents()
    assert {word.strip() for word in words} <= {cell.strip() for cell in cells}
    assert screen.page.locator("#result a[href=x], #result b:not(.sticky b)").count() == 0, "typed tags became elements"


@pytest.mark.parametrize("text", TYPED.values(), ids=TYPED.keys())
def test_the_title_of_a_map_beside_another_is_what_was_typed(screen: Screen, text: str) -> None:
    screen.open("/de/attention_map", text=text, vs="Hund")
    assert screen.panels()[0]["title"].replace("\u00a0", " ") == text


def test_a_character_that_cannot_be_seen_shows_its_code_point(screen: Screen) -> None:
    screen.open("/de/attention_map?text=a%00b%20c")
    (panel,) = screen.panels()
    assert panel["across"] == ["aU+0000b", "c"]
    assert "aU+0000b" in screen.page.locator(".token").all_text_contents()


def test_a_negative_number_under_the_pointer_has_a_minus(screen: Screen) -> None:
    """As everywhere on the page."""
    screen.open("/de/positions", text="Der Mann biss den Hund")
    box = screen.panels()[0]["box"]
    rows = cycle(range(1, 40))

    def negative() -> list[str]:
        screen.page.mouse.move(box["left"] + box["width"] / 2, box["top"] + box["height"] * next(rows) / 80)
        return [said for said in screen.page.locator(".hovertext").all_text_contents() if re.search("[-−]", said)]

    assert all(re.search(": −[01],", said) for said in screen.until(negative, "a negative number"))


def test_words_under_the_pointer_stay_text_while_typing(screen: Screen) -> None:
    screen.open("/de/attention_map", text="Hund")
    screen.page.fill("#field-text", "<img src=x onerror=alert(1)>")
    screen.until(lambda: screen.parameters()["text"].startswith("<img"), "the address to follow")
    screen.drawn()
    assert joined(screen.panels()[0]["across"]) == "<imgsrc=xonerror=alert(1)>"
    assert screen.page.locator("#main img").count() == 0


def test_a_long_legend_takes_no_room_from_the_chart(screen: Screen) -> None:
    """Four runs have eight names, each as long as its sentence."""
    long = "Gestern fütterte die alte Dame die Tauben im Park und am Fluss."
    heights = []
    for asked in ({}, {"vs": f"{long} Heute nicht.", "reset": "3"}):
        screen.open("/de/loss_per_step", text=long, **asked)
        heights.append(screen.page.eval_on_selector(".plot .barlayer", "bars => bars.getBoundingClientRect().height"))
    assert heights[1] > 0.6 * heights[0]


@pytest.mark.parametrize("view", ["hidden_states", "gates", "four_lanes", "training"])
def test_the_title_of_a_difference_is_whole_on_a_projector(screen: Screen, view: str) -> None:
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    screen.open(f"/de/embed/{view}", scale="1.5", text="Der Mann biss den Hund", vs="Der Hund biss den Mann")
    titles = screen.page.locator(".annotation", has_text="Unterschied").all_text_contents()
    assert titles and all(title.replace(" ", "").endswith("violettweniger") for title in titles)  # in lines


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_of_axes_are_whole_on_a_slide(screen: Screen, lang: str) -> None:
    screen.page.set_viewport_size({"width": 1280, "height": 720})
    for view in ("gradient_flow", "loss_per_step", "order", "trajectory"):
        screen.open(f"/{lang}/embed/{view}", scale="1.5")
        names = screen.page.locator(".g-xtitle text, .g-ytitle text, .g-y2title text").all_text_contents()
        assert names and "…" not in "".join(names), view


@pytest.mark.parametrize("space", ["\u00a0", "\u202f"])
def test_a_title_does_not_part_a_number_from_its_sign(screen: Screen, space: str) -> None:
    screen.open("/de/party")
    lines = screen.page.evaluate("title => Satzblick.text.titleLines(title, 13, 105)", f"Zusammen 100{space}%")
    assert lines == ["Zusammen", f"100{space}%"]
