"""A person types a sentence, turns the controls, goes back and forward, compares."""

from itertools import chain
from urllib.parse import parse_qs, urlsplit

import pytest

from .screen import Screen

SENTENCE = "Die Katze beißt den Hund"
WORDS = SENTENCE.split()


def type_sentence(screen: Screen, field: str, text: str) -> None:
    """Types as a person does, over what stands there, and waits for the address to follow."""
    screen.page.click(field)
    screen.page.keyboard.press("Control+A")
    screen.page.keyboard.type(text, delay=10)
    name = field.removeprefix("#field-")
    screen.until(lambda: screen.parameters().get(name) == text, "the address to follow what is typed")
    screen.drawn()


def check_picture(screen: Screen) -> None:
    """Each panel's picture has the room of its axes, and its colours tell its values apart."""
    for index, panel in enumerate(screen.panels()):
        for side in ("width", "height"):
            assert panel["box"][side] == pytest.approx(panel["axes"][side], abs=4)
        values, colours = panel["z"], screen.pixels(index)
        assert len(set(chain(*colours))) > 2, "a picture of one colour"
        flat = zip(chain(*values), chain(*colours), strict=True)
        known = sorted((value, colour) for value, colour in flat if value is not None)
        assert known[0][1] != known[-1][1], "the smallest and the largest value look the same"


def test_the_first_example_is_already_drawn(screen: Screen) -> None:
    screen.open("/de")
    assert screen.page.input_value("#field-text") == "Der Mann biss den Hund"
    panels = screen.panels()
    assert [" ".join(panel["across"]) for panel in panels[:2]] == ["Der Mann biss den Hund", "Der Hund biss den Mann"]
    check_picture(screen)
    assert screen.text("#summary")


def test_typing_draws_another_figure(screen: Screen) -> None:
    screen.open("/de/attention_map")
    before, said, length = screen.values(), screen.text("#summary"), screen.history()
    type_sentence(screen, "#field-text", SENTENCE)
    (panel,) = screen.panels()
    assert panel["across"] == panel["down"] == WORDS
    assert len(panel["z"]) == len(panel["z"][0]) == len(WORDS)
    assert [panel["z"]] != before
    assert [sum(row) for row in panel["z"]] == pytest.approx([1] * len(WORDS), abs=1e-4)
    assert screen.text("#summary") != said
    assert screen.history() == length, "typing fills the window's memory"
    assert screen.page.input_value("#field-text") == SENTENCE
    assert screen.focused("#field-text")
    check_picture(screen)


def test_the_page_and_its_data_say_the_same(screen: Screen) -> None:
    screen.open("/de/attention_map", text=SENTENCE, layer=2, head=3)
    answer = screen.page.request.get(screen.page.url.replace("attention_map?", "attention_map.json?")).json()
    rows = answer["table"]["rows"]
    assert list(chain(*screen.values()[0])) == pytest.approx([row[-1] for row in rows])
    assert [row[3] for row in rows[:: len(WORDS)]] == WORDS


def test_layers_and_heads_are_steps_in_the_windows_memory(screen: Screen) -> None:
    screen.open("/de/attention_map", text=SENTENCE)
    steps = [(screen.page.url, screen.values())]
    for name, value in (("layer", "2"), ("head", "3"), ("stage", "raw")):
        length = screen.history()
        screen.click(f"#{name}-{value}")
        assert screen.parameters()[name] == value
        assert screen.history() == length + 1
        assert screen.page.get_attribute(f"#{name}-{value}", "aria-current") == "true"
        assert screen.values() not in [values for _, values in steps]
        assert screen.text("#summary")
        steps.append((screen.page.url, screen.values()))
    check_picture(screen)
    for move, way in ((screen.page.go_back, steps[-2::-1]), (screen.page.go_forward, steps[1:])):
        for address, values in way:
            move()
            screen.until(lambda values=values: screen.values() == values, "the same figure again")  # type: ignore[misc]
            screen.drawn()
            assert screen.page.url == address
    assert screen.page.get_attribute("#stage-raw", "aria-current") == "true"


@pytest.mark.parametrize(("view", "pressed"), [("attention_steps", "layer-1"), ("gates", "gate-candidate")])
def test_what_is_pressed_stays_under_the_pointer(screen: Screen, view: str, pressed: str) -> None:
    """However long the summary above it becomes: in the first view it grows, in the second it shrinks."""
    screen.open(f"/de/{view}")
    place = "control => control.getBoundingClientRect().top"
    before, said = screen.page.eval_on_selector(f"#{pressed}", place), screen.text("#summary")
    screen.click(f"#{pressed}")
    assert screen.text("#summary") != said
    assert screen.page.eval_on_selector(f"#{pressed}", place) == pytest.approx(before, abs=1.5)


def test_comparing_two_sentences(screen: Screen) -> None:
    screen.open("/de/attention_map", text=SENTENCE)
    alone = screen.values()
    screen.click("#offers .chip.act")
    screen.until(lambda: screen.focused("#field-vs"), "the focus in the second field")
    type_sentence(screen, "#field-vs", "Den Hund beißt die Katze")
    first, second, difference = screen.panels()
    assert [first["z"]] == alone
    assert first["across"] == difference["across"] == WORDS
    assert second["across"] == "Den Hund beißt die Katze".split()
    assert first["title"] == SENTENCE and second["title"] == "Den Hund beißt die Katze"
    assert any(value is None for value in chain(*difference["z"])), "words without a partner have no difference"
    check_picture(screen)
    assert "vs" in screen.parameters()
    screen.click("#uncompare")
    assert screen.values() == alone
    assert "vs" not in screen.parameters()
    assert not screen.page.locator("#field-vs").is_visible()


def test_a_button_makes_the_second_sentence(screen: Screen) -> None:
    screen.open("/de/attention_map", text=SENTENCE)
    screen.click("#transform-2")
    screen.until(lambda: screen.parameters().get("vs") == "Die Hund beißt den Katze", "the pair in the address")
    assert screen.page.input_value("#field-vs") == "Die Hund beißt den Katze"
    assert "nicht angepasst" in screen.text("#vs-note")
    screen.click("#transform-1")
    screen.until(lambda: screen.parameters().get("vs") == "Hund den beißt Katze Die", "the words turned round")
    assert screen.page.input_value("#field-vs") == "Hund den beißt Katze Die"
    assert "vs_from" not in screen.parameters()
    type_sentence(screen, "#field-vs", "Der Hund schläft")
    assert not screen.page.locator("#vs-note").is_visible()
    screen.page.go_back()
    screen.until(lambda: screen.parameters().get("vs") == "Die Hund beißt den Katze", "the pair before")


def test_two_models_on_one_sentence(screen: Screen) -> None:
    screen.open("/de/gates", text=SENTENCE)
    before = screen.values()
    for name, value in (("model", "gru"), ("vs_model", "gru")):
        screen.page.select_option(f"#control-{name}", value)
        screen.until(lambda name=name, value=value: screen.parameters().get(name) == value, f"{name} in the address")  # type: ignore[misc]
        screen.drawn()
        assert screen.values() != before
    assert "gates" in screen.page.url


def test_an_example_brings_its_sentences(screen: Screen) -> None:
    screen.open("/de/attention_map", text=SENTENCE)
    screen.click("#example-2")
    assert screen.page.input_value("#field-text") == "Katze beißt Hund"
    assert screen.page.input_value("#field-vs") == "Hund beißt Katze"
    assert len(screen.panels()) == 3


def test_the_sentence_goes_along_from_view_to_view(screen: Screen) -> None:
    screen.open("/de/attention_map", text=SENTENCE)
    screen.page.click("#pager a[rel=prev]")
    screen.until(lambda: "/de/attention_map" not in screen.page.url, "the view before")
    screen.drawn()
    assert screen.page.input_value("#field-text") == SENTENCE
    assert SENTENCE in " ".join(screen.panels()[0]["across"])


def test_pointing_at_a_cell_names_its_words(screen: Screen) -> None:
    screen.open("/de/attention_map", text=SENTENCE)
    screen.page.locator(".figure").scroll_into_view_if_needed()
    (panel,) = screen.panels()
    box = panel["box"]
    screen.page.mouse.move(box["left"] + box["width"] * 0.3, box["top"] + box["height"] * 0.9)
    words = screen.until(lambda: screen.page.locator(".hoverlayer .hovertext").all_text_contents(), "a hover text")
    assert "Katze" in words[0] and "Hund" in words[0]
    assert f"{panel['z'][4][1]:.4f}".replace(".", ",") in words[0]
    assert set(screen.page.evaluate("onScreen.lit()")) == {"Katze", "Hund"}


def test_what_leads_home_and_what_a_phone_shares_follow_the_sentence(screen: Screen) -> None:
    screen.open("/de/attention_map", text="Der Mann biss den Hund")
    type_sentence(screen, "#field-text", "Hund beißt Katze")
    home, canonical = "#wordmark", "link[rel=canonical]"
    for selector in (home, canonical):
        address = screen.page.get_attribute(selector, "href")
        assert address and parse_qs(urlsplit(address).query)["text"] == ["Hund beißt Katze"], selector
    screen.page.click(home)
    screen.until(lambda: urlsplit(screen.page.url).path == "/de", "the first page")
    assert screen.page.input_value("#field-text") == "Hund beißt Katze"


def test_the_way_back_from_the_snippets_has_the_options_chosen_there(screen: Screen) -> None:
    screen.go("/de/slides/attention_map", text="Hund beißt Katze", theme="dark")
    screen.page.click("#theme")
    screen.until(lambda: screen.parameters().get("theme") != "dark", "another theme")
    back = screen.page.locator("#back a:not([href*='theme=dark'])")
    screen.until(back.count, "the way back to follow")


def test_another_kind_of_model_has_its_own_question(screen: Screen) -> None:
    screen.open("/de/next_word", model="decoder")
    asked, lead = screen.text("h1"), screen.text(".lead")
    screen.page.select_option("#control-model", "encoder")
    screen.until(lambda: screen.parameters().get("model") == "encoder", "the address to follow the model")
    screen.drawn()
    assert screen.text("h1") != asked and screen.text(".lead") != lead
