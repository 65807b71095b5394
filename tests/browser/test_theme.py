"""Light and dark, as the system is set and as the reader chooses."""

import json

import pytest

from .screen import Screen


def brightness(colour: str) -> float:
    """0 for black, 1 for white, of a CSS colour in rgb() or #rrggbb."""
    if colour.startswith("#"):
        parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    else:
        parts = [int(float(part)) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(parts) / (3 * 255)


def check_scheme(screen: Screen, dark: bool) -> dict[str, str]:
    """Page and figure are dark or light together; gives the colours."""

    def fits() -> dict[str, str] | None:
        colours: dict[str, str] = screen.page.evaluate("onScreen.scheme()")
        light_ink = brightness(colours["font"]) > 0.5 and brightness(colours["label"]) > 0.5
        return colours if light_ink == dark and (brightness(colours["background"]) < 0.5) == dark else None

    return screen.until(fits, "a dark page" if dark else "a light page")


def test_the_systems_choice_is_followed_at_once(screen: Screen) -> None:
    screen.open("/de/attention_map")
    light = check_scheme(screen, dark=False)
    paper = screen.pixels()
    screen.page.emulate_media(color_scheme="dark")
    assert check_scheme(screen, dark=True)["font"] != light["font"]
    assert screen.pixels() != paper, "the picture keeps the colours of the other theme"
    screen.page.emulate_media(color_scheme="light")
    assert check_scheme(screen, dark=False) == light
    assert screen.pixels() == paper


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_reader_chooses(screen: Screen, system: str) -> None:
    screen.page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
    screen.open("/de/attention_map", text="Hund beißt Katze")
    values, other = screen.values(), "light" if system == "dark" else "dark"
    check_scheme(screen, dark=system == "dark")
    screen.page.click("#theme")
    check_scheme(screen, dark=other == "dark")
    screen.until(lambda: screen.parameters().get("theme") == other, "the theme in the address")
    assert screen.values() == values
    screen.page.reload()
    screen.drawn()
    check_scheme(screen, dark=other == "dark")
    screen.page.click("#theme")
    check_scheme(screen, dark=system == "dark")
    screen.until(lambda: "theme" not in screen.parameters(), "the system's theme, which needs no word in the address")


@pytest.mark.parametrize("view", ["attention_map", "gates", "hidden_states"])
def test_an_address_can_ask_for_dark(screen: Screen, view: str) -> None:
    screen.open(f"/de/{view}", theme="dark")
    check_scheme(screen, dark=True)


def test_paper_is_light(screen: Screen) -> None:
    screen.open("/de/attention_map", theme="dark")
    screen.page.emulate_media(media="print")
    screen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    check_scheme(screen, dark=False)
    assert not screen.page.locator("#controls, .chips, .figure-menu > a").first.is_visible()
    assert "text=" in screen.text("#address")
    screen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    screen.page.emulate_media(media="screen")
    check_scheme(screen, dark=True)


def test_all_heads_are_light_and_in_their_places_on_paper(screen: Screen) -> None:
    """At once: paper does not wait for an image to load."""
    screen.open("/de/attention_heads", vs="Der Hund biss den Mann", theme="dark")
    heads = [trace["meta"]["heads"] for trace in json.loads(screen.page.inner_html(".figure-data"))["data"]]
    images = screen.page.evaluate("""() => {
      dispatchEvent(new Event("beforeprint"));
      const { _fullLayout: { xaxis, yaxis, xaxis2, yaxis2 } } = document.querySelector(".plot");
      const { annotations } = document.querySelector(".plot").layout;
      const shown = annotations.filter(({ name, visible }) => name === "caption" && visible);
      const axes = [[xaxis, yaxis], [xaxis2, yaxis2]];
      return [...document.querySelectorAll(".imagelayer image")].map((image, index) => {
        const box = ["x", "y", "width", "height"].map((name) => Number(image.getAttribute(name)));
        const sizes = axes[index].map(({ _length }) => _length);
        return { source: image.href.baseVal, box, sizes, top: axes[index][1]._offset, said: shown.length };
      });
    }""")
    screen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(images) == len(heads) == 2
    for image, head in zip(images, heads, strict=True):
        assert image["source"].startswith(head["light"])
        assert image["box"] == pytest.approx([0, 0, *image["sizes"]])
    assert images[0]["top"] == images[1]["top"], "two sentences are side by side on a sheet"
    assert images[0]["said"] == 2 * 16, "what each head does stands below it"
    seen = "head => document.querySelector('.imagelayer image').href.baseVal.startsWith(head)"
    screen.until(lambda: screen.page.evaluate(seen, heads[0]["dark"]), "the dark picture once more")
