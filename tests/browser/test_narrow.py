"""On a phone panels stand below each other, and a long sentence scrolls in its own box."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from app.messages import LANGUAGES

from .conftest import OpenWindow
from .screen import Screen

PHONE = {"width": 320, "height": 640}
LONG_WORDS = (
    "Die Donaudampfschifffahrtsgesellschaft beschäftigte 1.250 Kapitäne, Heizer und Matrosen, "
    "die (trotz Sturm) nie verzweifelten."
)
OUTSIDE = """stage => [...stage.querySelectorAll(".plot svg text")].filter((text) => {
  const [box, edge] = [text, stage].map((each) => each.getBoundingClientRect());
  return box.width && (box.left < edge.left - 1 || box.right > edge.right + 1);
}).map((text) => text.textContent)"""
RELATIVE = "Der Mann, der sehr skeptisch ist und gestern spät gekommen ist, war da."
SIXTY = " ".join(["der", "Hund", "biss", "den", "Mann", "und"] * 10)


@pytest.fixture(scope="module")
def small(open_window: OpenWindow) -> Screen:
    """A small window that is touched."""
    return open_window(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)


@pytest.fixture
def phone(small: Screen) -> Iterator[Screen]:
    """That window, watched."""
    with small.watched() as watched:
        yield watched


def test_panels_stand_below_each_other(phone: Screen) -> None:
    phone.open("/de")
    boxes = [panel["box"] for panel in phone.panels()]
    assert len(boxes) == 3
    for upper, lower in zip(boxes, boxes[1:], strict=False):
        assert lower["top"] > upper["top"] + upper["height"]
        assert lower["left"] == pytest.approx(upper["left"], abs=2)
    assert all(0 <= box["left"] and box["left"] + box["width"] <= PHONE["width"] for box in boxes)
    assert phone.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]


def test_panels_stand_beside_each_other_where_there_is_room(screen: Screen) -> None:
    screen.open("/de")
    boxes = [panel["box"] for panel in screen.panels()]
    for left, right in zip(boxes, boxes[1:], strict=False):
        assert right["left"] > left["left"] + left["width"]
        assert right["top"] == pytest.approx(left["top"], abs=2)
    screen.page.set_viewport_size(PHONE)
    screen.until(lambda: len({panel["axes"]["top"] for panel in screen.panels()}) == 3, "panels below each other")


@pytest.mark.parametrize("view, words", [("pipeline", 9), ("hidden_states", 40)])
def test_panels_without_room_beside_each_other_stand_below_each_other(screen: Screen, view: str, words: int) -> None:
    text = " ".join(SIXTY.split()[:words])
    screen.open(f"/de/{view}", text=text, vs=text.replace("Hund", "Wolf"))
    assert screen.page.locator(".figure.scrolls").count() == 0, "labels that stay at the edge would cover a panel"
    tops = [panel["axes"]["top"] for panel in screen.panels()]
    assert len(tops) > 1 and sorted(set(tops)) == tops


@pytest.mark.parametrize("view", ["attention_map", "gates", "hidden_states"])
def test_a_long_sentence_scrolls_in_its_box(phone: Screen, view: str) -> None:
    phone.open(f"/de/{view}", text=SIXTY)
    assert phone.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    widths = phone.page.eval_on_selector(".figure", "figure => [figure.scrollWidth, figure.clientWidth]")
    assert widths[0] > 2 * widths[1]
    (panel,) = phone.panels()
    assert len([word for word in panel["across"] if not word.startswith("[")]) == 60
    first = phone.page.locator(".sticky-columns [data-tick]").nth(30)
    before = first.bounding_box()
    phone.page.eval_on_selector(".figure", "figure => figure.scrollTo(200, 0)")
    after = first.bounding_box()
    assert before and after and after["x"] == pytest.approx(before["x"] - 200, abs=2)


def test_words_stay_at_the_edges_while_the_figure_scrolls(phone: Screen) -> None:
    phone.open("/de/attention_map", text=SIXTY)
    row = phone.page.locator(".sticky-rows [data-tick]").first
    before = row.bounding_box()
    phone.page.eval_on_selector(".figure", "figure => figure.scrollTo(300, 0)")
    after = row.bounding_box()
    assert before and after and after["x"] == pytest.approx(before["x"], abs=2)
    column = phone.page.locator(".sticky-columns [data-tick]").nth(40)
    phone.page.eval_on_selector(".figure", "figure => figure.scrollTo(300, 100)")  # past the title
    before = column.bounding_box()
    phone.page.eval_on_selector(".figure", "figure => figure.scrollTo(300, 200)")
    assert phone.page.eval_on_selector(".figure", "figure => figure.scrollTop") == 200
    after = column.bounding_box()
    assert before and after and after["y"] == pytest.approx(before["y"], abs=2)


def test_words_at_the_edge_keep_off_the_title(screen: Screen) -> None:
    screen.open("/de/pipeline", text=RELATIVE)
    words = screen.page.locator(".sticky-columns [data-tick]")
    title = screen.page.locator(".annotation-text").first.bounding_box()
    tops = [box["y"] for box in (word.bounding_box() for word in words.all()) if box]
    assert title and len(tops) == 18 and min(tops) >= title["y"] + title["height"]


def test_the_chapters_open_on_a_phone(phone: Screen) -> None:
    phone.open("/de/attention_map")
    assert not phone.page.locator("#chapters a").first.is_visible()
    phone.page.tap(".chapters-button")
    assert phone.page.locator("#chapters a").first.is_visible()
    phone.page.tap("#chapters a >> nth=0")
    phone.page.wait_for_url("**/de/order*")
    phone.drawn()


@pytest.mark.parametrize(("width", "lines"), [(1110, 0), (1230, 1)])
def test_the_chapters_are_one_line_or_behind_their_button(screen: Screen, width: int, lines: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": 720})
    screen.open("/de/four_lanes")
    shown = "all => all.map((each) => each.offsetParent && each.offsetTop)"
    tops = screen.page.eval_on_selector_all("#chapters li", shown)
    assert len({top for top in tops if top is not None}) == lines
    assert screen.page.locator(".chapters-button").is_visible() is not bool(lines)


def test_chapters_close_when_the_focus_leaves_them(phone: Screen) -> None:
    phone.open("/de/order")
    phone.page.press(".chapters-button", "Enter")
    phone.page.focus("#chapters li:last-child a")
    assert phone.page.locator("#chapters").is_visible()
    phone.page.keyboard.press("Tab")
    phone.until(lambda: not phone.page.locator("#chapters").is_visible(), "chapters that cover nothing")
    assert phone.focused(".languages a")


def test_typing_on_a_phone(phone: Screen) -> None:
    phone.open("/de")
    phone.page.tap("#field-text")
    phone.page.fill("#field-text", "Katze beißt Hund")
    phone.until(lambda: phone.parameters().get("text") == "Katze beißt Hund", "the address to follow")
    phone.drawn()
    assert phone.panels()[0]["across"] == ["Katze", "beißt", "Hund"]
    assert phone.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]


def test_names_stand_beside_curves_where_there_is_room_else_above(screen: Screen) -> None:
    screen.open("/en/speed")
    names = ".plot .scatterlayer .textpoint"
    assert screen.page.locator(names, has_text="Decoder").count() == 2
    assert screen.page.locator(".plot .legend .traces").count() == 0
    screen.page.set_viewport_size(PHONE)
    screen.until(lambda: screen.page.locator(".plot .legend .traces").count() == 4, "a legend")
    assert screen.page.locator(names, has_text="Decoder").count() == 0
    assert screen.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    rows = screen.page.locator(".comparison tbody tr")
    assert all(rows.nth(number).bounding_box()["width"] <= PHONE["width"] for number in range(rows.count()))


def test_a_table_scrolls_with_its_links_inside_its_box(phone: Screen) -> None:
    phone.open("/de/pipeline")
    for far in (0, 150):
        phone.page.eval_on_selector(".figure", "(figure, far) => figure.scrollTo(far, 0)", far)
        edges = """() => {
            const box = document.querySelector(".figure").getBoundingClientRect();
            return [...document.querySelectorAll(".places a")].map((each) => each.getBoundingClientRect())
                .map(({ left, right, height }) => left >= box.left - 1 && right <= box.right + 1 && height > 20);
        }"""
        phone.until(lambda: all(phone.page.evaluate(edges)), "links inside the box")  # noqa: B023 asked at once
        assert phone.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    texts = phone.page.eval_on_selector_all(".plot .hm text, .plot .heatmap-label text", "texts => texts.length")
    assert texts == 7 * 7 - 2  # nothing is said of [CLS] and [SEP]


def test_no_label_of_a_plane_covers_another(phone: Screen) -> None:
    phone.open("/de/embedding_space", text="Angela Merkel besuchte am Montag Siemens in München.")
    labels = phone.page.locator(".textpoint text").all()
    boxes = [label.bounding_box() for label in labels if label.evaluate("text => text.style.visibility") != "hidden"]
    points = phone.page.evaluate("document.querySelector('.js-plotly-plot').data.map(({ text }) => text.length)")
    assert 5 < len(boxes) < sum(points)  # some words find no room for their names
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            assert one and other
            beside = one["x"] + 2 > other["x"] + other["width"] or other["x"] + 2 > one["x"] + one["width"]
            assert beside or abs(one["y"] - other["y"]) > min(one["height"], other["height"]) - 6


@pytest.mark.parametrize("size", [(812, 375), (640, 360)])
def test_a_low_window_reaches_the_last_chapter(screen: Screen, size: tuple[int, int]) -> None:
    screen.page.set_viewport_size({"width": size[0], "height": size[1]})
    screen.open("/de/attention_map")
    screen.page.click(".chapters-button")
    last = screen.page.locator("#chapters li:last-child a")
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    assert box and box["y"] + box["height"] <= size[1]
    last.click()
    screen.page.wait_for_url("**/de/lexicon*")


@pytest.mark.parametrize("size", [(320, 640), (390, 844), (1280, 900)])
@pytest.mark.parametrize("view", ["order", "embedding_space", "entities", "speed", "attention_heads"])
def test_long_words_stay_in_the_page(screen: Screen, view: str, size: tuple[int, int]) -> None:
    screen.page.set_viewport_size({"width": size[0], "height": size[1]})
    screen.open(f"/de/{view}", text=LONG_WORDS)
    assert screen.page.evaluate("document.scrollingElement.scrollWidth") <= size[0]
    assert screen.page.eval_on_selector(".stage", OUTSIDE) == []


@pytest.mark.parametrize(
    ("view", "show"), [("order", "each_word"), ("gradient_flow", "map"), ("speed", "operations"), ("speed", "ratios")]
)
def test_names_and_scales_stay_in_the_figure(phone: Screen, view: str, show: str) -> None:
    phone.page.set_viewport_size({"width": 390, "height": 844})
    phone.open(f"/en/{view}", text="Der Mann", vs="Der Hund", show=show)
    assert phone.page.eval_on_selector(".stage", OUTSIDE) == []


@pytest.mark.parametrize(
    ("view", "show"), [("speed", "ratios"), ("speed", "operations"), ("next_word", ""), ("order", "")]
)
def test_a_chart_is_read_on_the_smallest_phone(phone: Screen, view: str, show: str) -> None:
    """Names of axes are whole; numbers over bars are of one size, and upright rather than tiny."""
    phone.open(f"/en/{view}", text="Der Mann biss den Hund", **({"show": show} if show else {}))
    assert phone.page.eval_on_selector(".stage", OUTSIDE) == []
    assert not any("…" in name for name in phone.page.locator(".xtitle").all_text_contents() if view == "speed")
    numbers = [box for text in phone.page.locator(".plot .bartext").all() if (box := text.bounding_box())]
    assert len(numbers) == {"next_word": 10, "order": 8}.get(view, 0)
    assert all(min(box["width"], box["height"]) >= 9 for box in numbers)
    steps = [box for text in phone.page.locator(".plot .xtick text").all() if (box := text.bounding_box())]
    for boxes in (numbers, steps):
        ends = [box["x"] + box["width"] for box in boxes]
        assert all(one + 8 <= other for one, other in pairwise(ends))


def test_a_piece_that_begins_a_line_is_whole(phone: Screen) -> None:
    phone.open("/de/tokens", text="Die Donaudampfschifffahrt begann vor langer Zeit.")
    left = phone.page.eval_on_selector(".tokens", "tokens => tokens.getBoundingClientRect().left")
    starts = """pieces => pieces.map((piece) => {
      const range = document.createRange();
      range.selectNodeContents(piece);
      return range.getBoundingClientRect().left;
    })"""
    pieces = phone.page.eval_on_selector_all(".token.joint", starts)
    assert len(pieces) == 2 and min(pieces) < 40, "one of them begins a line"
    assert min(pieces) >= left


@pytest.mark.parametrize("view", ["attention_heads", "attention_steps", "gates", "hidden_states"])
def test_a_figure_is_seen_at_once_in_a_low_window(screen: Screen, view: str) -> None:
    def high(window: int) -> float:
        screen.page.set_viewport_size({"width": 1280, "height": window})
        screen.open(f"/de/{view}", text="Der Mann biss den Hund")
        found: float = screen.page.eval_on_selector(".stage", "stage => stage.getBoundingClientRect().height")
        return found

    assert high(720) < 600 < high(1400)


@pytest.mark.parametrize("view", ["attention_map", "gates", "loss_per_step"])
def test_the_first_screen_of_a_phone_meets_the_figure(phone: Screen, view: str) -> None:
    phone.page.set_viewport_size({"width": 390, "height": 844})
    phone.open(f"/de/{view}", text="Der Mann biss den Hund")
    assert phone.page.eval_on_selector(".figure", "figure => figure.getBoundingClientRect().top") <= 800
    assert phone.page.evaluate("document.scrollingElement.scrollWidth") <= 390


@pytest.mark.parametrize("view", ["classification", "faithfulness", "attention_map"])
def test_two_sentences_on_a_phone_leave_the_figure_on_the_first_screen(phone: Screen, view: str) -> None:
    phone.page.set_viewport_size(PHONE)
    phone.open(f"/de/{view}", text="Der Mann biss den Hund", vs="Der Hund biss den Mann")
    assert phone.page.eval_on_selector(".figure", "figure => figure.getBoundingClientRect().top") <= 560
    assert phone.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize(("view", "chosen"), [("attention_map", "keinem anderen"), ("speed", "der anderen Bauart")])
def test_what_a_list_says_is_whole_on_the_smallest_phone(phone: Screen, view: str, chosen: str) -> None:
    phone.page.set_viewport_size(PHONE)
    phone.open(f"/de/{view}")
    said, room, needed = phone.page.eval_on_selector(
        "select[name=vs_model]",
        """select => {
          const shown = select.offsetWidth;
          Object.assign(select.style, { maxWidth: "none", width: "max-content", fieldSizing: "content", flex: "none" });
          return [select.selectedOptions[0].textContent, shown, select.offsetWidth];
        }""",
    )
    assert said == chosen and room >= needed - 1
    assert phone.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]


def test_the_button_stands_beside_the_sentence_on_a_usual_phone(phone: Screen) -> None:
    """And the lecture's sentence is whole."""
    phone.page.set_viewport_size({"width": 360, "height": 740})
    phone.open("/de/next_word", text="Der Mann biss den Hund")
    field, button = (phone.page.locator(each).bounding_box() for each in ("#field-text", ".show"))
    assert field and button and abs(field["y"] - button["y"]) < 4
    assert phone.page.eval_on_selector("#field-text", "field => field.scrollWidth <= field.clientWidth")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_small_projector_begins_with_rows_of_the_landing_figure(screen: Screen, lang: str) -> None:
    screen.page.set_viewport_size({"width": 1024, "height": 768})
    screen.open(f"/{lang}")
    assert screen.page.eval_on_selector(".figure", "figure => figure.getBoundingClientRect().top") <= 640


def test_the_name_of_a_mark_keeps_off_the_legend(phone: Screen) -> None:
    phone.page.set_viewport_size(PHONE)
    phone.open("/de/speed", text="Der Mann biss den Hund")
    names = [phone.page.locator(".legendtext").last, phone.page.locator(".textpoint", has_text="dieser Satz")]
    legend, mark = (name.bounding_box() for name in names)
    assert legend and mark and mark["y"] >= legend["y"] + legend["height"] + 4


def test_the_pair_of_the_landing_page_is_read_as_it_stands_on_a_phone(phone: Screen) -> None:
    phone.page.set_viewport_size(PHONE)
    phone.open("/de")
    top = "(element) => element.getBoundingClientRect().top"
    assert phone.page.eval_on_selector("#summary", top) < phone.page.eval_on_selector("#lecture", top)
    phone.page.focus("#onward-1")
    tops = [phone.page.evaluate(f"({top})(document.activeElement) + scrollY")]
    for _ in range(14):
        phone.page.keyboard.press("Tab")
        tops.append(phone.page.evaluate(f"({top})(document.activeElement) + scrollY"))
    assert phone.page.evaluate("!!document.activeElement.closest('#controls')")
    assert all(below - above > -40 for above, below in pairwise(tops)), "the focus jumps up"


@pytest.mark.parametrize("width", [390, 640])
def test_the_tab_key_reaches_all_of_a_comparison_as_the_eye_does(phone: Screen, width: int) -> None:
    """Also in the zoomed window of a desktop."""
    phone.page.set_viewport_size(PHONE | {"width": width})
    phone.open("/de/gates", text="Der Mann biss den Hund", vs="Der Hund biss den Mann")
    phone.page.evaluate("document.activeElement.blur()")
    stops = ["field-text", "field-vs", "figure", "copy", "control-model", "line-open"]
    reached: list[str] = []
    while stops[-1] not in reached and len(reached) < 60:
        phone.page.keyboard.press("Tab")
        reached.append(phone.page.evaluate("document.activeElement.id"))
    assert [name for name in reached if name in stops] == stops


def test_a_finger_lights_a_cell_until_it_touches_elsewhere(phone: Screen) -> None:
    phone.open("/de/attention_map", text="Der Mann biss den Hund")
    phone.page.locator(".figure").scroll_into_view_if_needed()
    hint = phone.text(".word-line")
    box = phone.panels()[0]["box"]
    phone.page.touchscreen.tap(box["left"] + 0.9 * box["width"], box["top"] + 0.3 * box["height"])
    phone.until(lambda: phone.page.evaluate("onScreen.lit()") == ["Hund", "Mann"], "the cell's words lit")
    assert "Mann" in phone.text(".word-line") and "Mann" in phone.text(".onward a")
    assert len(phone.page.evaluate("onScreen.marks('row')")) == 1
    phone.page.locator(".word-line").tap()
    phone.until(lambda: phone.page.evaluate("onScreen.lit()") == [], "nothing lit")
    assert phone.text(".word-line") == hint


@pytest.mark.parametrize("view", ["loss_per_step", "gradient_flow"])
@pytest.mark.parametrize("width", [390, 1280])
def test_words_under_a_chart_do_not_cover_each_other(screen: Screen, view: str, width: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": 844})
    screen.open(f"/de/{view}", text=" ".join(SIXTY.split() * 2))
    labels = ".plot g.xtick > text"
    shown = screen.page.locator(labels).count()
    size = screen.page.eval_on_selector(labels, "text => parseFloat(getComputedStyle(text).fontSize)")
    axis = screen.page.evaluate("document.querySelector('.plot')._fullLayout.xaxis._length")
    assert 10 < shown < 80 and axis / shown >= size
    assert screen.page.locator(".token:not(.special)").count() == 120


def test_titles_of_rows_leave_a_columns_name_free(phone: Screen) -> None:
    phone.page.set_viewport_size({"width": 300, "height": 700})
    phone.open("/de/party")
    name = phone.page.locator(".annotation", has_text="Mischung").bounding_box()
    title = phone.page.locator(".annotation", has_text="4 ·").bounding_box()
    assert name and title and title["x"] + title["width"] <= name["x"]
