"""Stills: every view in every form, with the numbers and labels of its figure."""

import io
import re
import struct
import xml.etree.ElementTree as ElementTree
import zlib
from contextlib import nullcontext
from itertools import combinations, pairwise
from urllib.parse import urlencode

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from app import stills, views
from app.plotting import Axis, Curve, Panel, chart, maps
from app.plotting.colours import THEMES, colorscale
from app.plotting.names import free_places
from app.stills import SOURCE_LINES, Style, UnknownTrace, draw, picture, still
from app.stills.letters import drawable, plain
from app.stills.picture import color_map, contrast, rectangles

VIEWS = [name for name, view in views.catalogue().items() if view.models or not view.needs]
STYLE = Style(640, 360, 1, "light", False, "de")
TYPED = ["<b>fett</b>", "$x_1$", "a_b", "&amp;", "R&D", "مرحبا"]


def size_of_png(body):
    assert body.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", body[16:24])


def streams(pdf):
    """What the pages of a PDF draw, unpacked."""
    return b"".join(zlib.decompress(part) for part in re.findall(rb"stream\r?\n(x.*?)\r?\nendstream", pdf, re.S))


def texts(svg):
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture(scope="module")
def panel():
    values = np.array([[0.25, 0.5, np.nan, 0.125, 1, 0], [0, 0.0625, 0.75, 0.1, 0.3, 0.2]], np.float32)
    return Panel("Titel <i>", values, ["oben", "unten"], TYPED, "share", "", 0, range(6))


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_a_still_in_every_form(client, view):
    query = urlencode({"text": "Der Mann biss den Hund", "width": 640, "height": 400})
    answers = {form: client.get(f"/de/{view}.{form}?{query}") for form in stills.MEDIA}
    assert {form: answer.status_code for form, answer in answers.items()} == dict.fromkeys(stills.MEDIA, 200)
    assert all(answers[form].headers["content-type"] == media for form, media in stills.MEDIA.items())
    assert size_of_png(answers["png"].content) == (640, 400)
    assert texts(answers["svg"].content)
    assert answers["pdf"].content.startswith(b"%PDF-")
    assert b"/Subtype /Image" not in answers["pdf"].content and b"<image" not in answers["svg"].content


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "party"])  # which shows no sentence
def test_unusual_letters_come_out_as_typed_in_every_form(client, view):
    typed = "<b>Anna</b> & $x_1$ sah Müller_in مرحبا 🧑\u200d🚀 ."
    answers = {form: client.get(f"/de/{view}.{form}?{urlencode({'text': typed})}") for form in (*stills.MEDIA, "json")}
    assert {answer.status_code for answer in answers.values()} == {200}  # and no warning, which would be an error here
    drawn = texts(answers["svg"].content)
    caption = " ".join(drawn)
    assert all(part in caption for part in ("<b>Anna</b> & $x_1$ sah", "Müller_in", "مرحبا")), caption
    assert drawable("🧑") in caption
    shown = answers["json"].json()["figure"]["layout"]
    axes = [axis for name, axis in shown.items() if re.fullmatch(r"[xy]axis\d*", name)]
    labels = {drawable(plain(label)) for axis in axes for label in axis.get("ticktext", ())}
    odd = {label for label in labels if label in {"<", ">", "&", "$", "_"}}
    assert odd <= set(drawn)
    assert not any(re.search("&(lt|gt|amp|#)", text) for text in drawn)


@pytest.mark.parametrize("view", VIEWS)
def test_two_sentences_in_english_in_the_dark(client, view):
    query = urlencode({"text": "Der Mann biss den Hund", "vs": "Der Hund biss den Mann", "theme": "dark"})
    body = client.get(f"/en/{view}.png?{query}&width=800&height=500&bg=transparent").content
    assert size_of_png(body) == (800, 500)


def test_cells_are_those_of_the_figure(panel):
    figure = draw(maps([panel], "de", "map", {"share": "Anteil"}).json("light"), STYLE, "")
    (mesh,) = (mesh for mesh in figure.axes[0].collections)
    found = np.ma.filled(mesh.get_array(), np.nan).reshape(panel.values.shape)
    np.testing.assert_array_equal(found, panel.values)
    assert mesh.get_clim() == (0, 1)
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written[:3] == ["0,25", "0,50", "0,12"] and len(written) == 11  # the masked one has none


def test_curves_are_those_of_the_figure():
    curve = Curve("Verlust", np.array([1.5, np.nan, 3]), series=1, kind="line")
    figure = draw(chart([curve], "en", Axis("x", ticks=["a", "b", "c"]), Axis("y")).json("light"), STYLE, "")
    (line,) = figure.axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), [1.5, np.nan, 3])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["a", "b", "c"]


def test_the_legend_shows_a_dashed_line_as_one():
    curves = [Curve("erster Satz", np.ones(3, np.float32)), Curve("zweiter Satz", np.ones(3, np.float32), dash="dash")]
    figure = draw(chart(curves, "de", Axis("x"), Axis("y")).json("light"), STYLE, "")
    _, dashed = figure.legends[0].get_lines()
    period = sum(dashed._dash_pattern[1])  # in points
    assert dashed.get_xdata()[-1] > 2 * period, "two dashes beside its point"


def test_points_differ_without_their_colours_as_in_the_figure():
    curves = [Curve(str(number), np.array([1.0, 2.0]), series=number) for number in range(6)]
    figure = draw(chart(curves, "en", Axis("x"), Axis("y")).json("light"), STYLE, "")
    assert len({line.get_marker() for line in figure.axes[0].lines}) == 6


def test_bars_differ_without_their_colours_as_in_the_figure():
    curves = [Curve(str(number), np.array([1.0, 2.0]), series=number, kind="bar") for number in range(4)]
    told = chart(curves, "en", Axis("x"), Axis("y")).json("light")
    assert [trace["marker"].get("pattern", {}).get("shape") for trace in told["data"]] == [None, "/", ".", "x"]
    hatches = [patch.get_hatch() for patch in draw(told, STYLE, "").axes[0].patches]
    assert hatches == [None, None, "//", "//", "..", "..", "xx", "xx"]


def test_labels_stand_as_typed(panel):
    svg = still(maps([panel], "de", "map", {"share": "Anteil <"}).json("light"), "svg", STYLE, "„<b>“ & $y$")
    written = texts(svg)
    assert {*TYPED, "Titel <i>", "Anteil <", "„<b>“ & $y$"} <= set(written)


def test_what_no_font_has_becomes_its_code_point():
    assert drawable("a\U000e0041\u202eb") == "aU+E0041U+202Eb"
    assert drawable("8\u202f%") == "8 %"
    assert plain("<b>a</b>&lt;b&gt;<br>c") == "a<b>\nc"


def test_a_pdf_holds_vectors(panel):
    pdf = still(maps([panel], "de", "map", {"share": "Anteil"}).json("light"), "pdf", STYLE, "")
    assert b"/Subtype /Image" not in pdf
    assert len(re.findall(rb"\bl\b", streams(pdf))) > panel.values.size  # the sides of its cells


def test_a_png_is_as_wide_as_a_slide_however_many_pixels_it_has(panel):
    plot = maps([panel], "de", "map", {"share": "Anteil"}).json("light")
    for width, height, scale in ((640, 360, 1), (1280, 720, 1.5), (2560, 1440, 3)):
        png = still(plot, "png", Style(width, height, scale, "light", False, "de"), "")
        told = png.index(b"pHYs") + 4
        per_metre, _, unit = struct.unpack(">IIB", png[told : told + 9])
        assert unit == 1 and width / (per_metre * 0.0254) == pytest.approx(min(width, 1280) / 96, rel=1e-3)


def test_an_svg_has_letters_without_serifs_where_its_font_is_missing(panel):
    svg = still(maps([panel], "de", "map", {"share": "Anteil"}).json("light"), "svg", STYLE, "'DejaVu Sans'")
    root = ElementTree.fromstring(svg)
    styles = [node.get("style") for node in root.iter() if "font-family" in node.get("style", "")]
    families = {re.search(r"font-family: ([^;]*)", style)[1] for style in styles}
    assert families and all(named.startswith("'DejaVu Sans', Verdana, sans-serif") for named in families)
    assert texts(svg).count("'DejaVu Sans'") == 1, "what is written stays as it is"


@pytest.mark.parametrize(("theme", "ground"), [("light", (255, 255, 255)), ("dark", (29, 30, 34))])
def test_the_ground_is_that_of_a_slide(panel, theme, ground):
    plot = maps([panel], "de", "map", {"share": "Anteil"}).json(theme)
    png = still(plot, "png", Style(640, 360, 1, theme, False, "de"), "")
    assert Image.open(io.BytesIO(png)).convert("RGB").getpixel((2, 2)) == ground


def test_no_ground_shines_through_between_cells():
    """Renderers blend the sides of cells with what is below: each cell reaches over the next."""
    values = np.ones((40, 6), np.float32)
    even = Panel("", values, [""] * 40, [""] * 6, "share", "", 0, range(6))
    svg = still(maps([even], "de", "wide", {"share": "Anteil"}).json("light"), "svg", STYLE, "")
    sides = re.findall(rb"fill: (#\w+); stroke: \1; stroke-width: ([\d.]+)", svg)
    assert len(sides) == values.size + 64, "and the steps of the bar"
    assert min(float(side) for _, side in sides) >= 0.5


def test_the_same_figure_is_the_same_file(panel):
    plot = maps([panel], "de", "map", {"share": "Anteil"}).json("light")
    assert still(plot, "svg", STYLE, "") == still(plot, "svg", STYLE, "")


def test_texts_are_measured_once_and_the_picture_stays_the_same(panel, monkeypatch):
    from matplotlib.text import Text

    usual, asked = Text._get_layout, []
    monkeypatch.setattr(Text, "_get_layout", lambda text, renderer: asked.append(text) or usual(text, renderer))
    plot = maps([panel] * 2, "de", "map", {"share": "Anteil"}).json("light")
    kept = still(plot, "png", STYLE, "Bild")
    once = len(asked)
    asked.clear()
    monkeypatch.setattr(stills, "measured_once", nullcontext)
    assert still(plot, "png", STYLE, "Bild") == kept
    assert once < 0.6 * len(asked)


def test_names_of_points_hide_nothing_in_a_flat_still(client):
    """Beamer's: its letters are large."""
    plot = client.get("/de/embedding_space.json?text=Der+Hund+biss+den+Mann").json()["figure"]
    (axes,) = draw(plot, Style(1120, 530, 1.5, "light", False, "de"), "Bild").axes
    boxes = {name.get_text(): name.get_window_extent() for name in axes.texts if name.get_visible()}
    points = axes.transData.transform(np.concatenate([line.get_xydata() for line in axes.lines]))
    assert {"Der", "Hund", "biss", "den", "Mann"} < set(boxes)
    assert not [pair for pair in combinations(boxes, 2) if boxes[pair[0]].overlaps(boxes[pair[1]])]
    assert not [name for name, box in boxes.items() if box.count_contains(points)]


def test_a_typed_word_is_named_though_its_name_hides_a_point():
    point, size = np.array([[50.0, 50.0]]), np.array([[60.0, 20.0]])
    crowd = point + np.array([(x, y) for x in (-20, 0, 20) for y in (-15, 0, 15)])
    assert free_places(point, size, crowd) == [""]
    assert free_places(point, size, crowd, sure=[True]) == ["top center"]
    assert free_places(point, size, crowd, sure=[True], inside=(20, 0, 90, 70)) == ["bottom center"]  # its top is cut


def test_rectangles_cover_a_picture_once_and_as_it_is():
    palette = np.array([[0, 0, 0, 0], [255, 0, 0, 255], [0, 128, 255, 255], [7, 7, 7, 255]], np.uint8)
    pixels = palette[np.random.default_rng(0).integers(0, 4, (5, 7))].repeat(3, 0).repeat(2, 1)
    drawn = np.zeros(pixels.shape)
    for colour, corners in rectangles(pixels / 255).items():
        for (left, top), _, (right, bottom), _ in corners.astype(int):
            assert not drawn[top:bottom, left:right].any()
            drawn[top:bottom, left:right] = colour
    np.testing.assert_allclose(drawn, pixels / 255)


def test_a_picture_of_too_many_cells_is_embedded(client, monkeypatch):
    monkeypatch.setattr(picture, "RECTANGLES", 10)
    assert b"<image" in client.get("/de/attention_heads.svg?text=Der+Hund+bellt+leise").content


def test_maps_of_too_many_cells_are_pictures_of_the_same_numbers(panel, monkeypatch):
    monkeypatch.setattr(picture, "CELLS", panel.values.size - 1)
    plot = maps([panel], "de", "map", {"share": "Anteil"}).json("light")
    (image,) = draw(plot, STYLE, "").axes[0].images
    np.testing.assert_array_equal(np.ma.filled(image.get_array(), np.nan), panel.values)
    assert image.get_extent() == [-0.5, 5.5, 1.5, -0.5] and image.get_clim() == (0, 1)
    svg = still(plot, "svg", STYLE, "")
    assert svg.count(b"<image") == 1 and b"pixelated" in svg and "oben" in texts(svg)  # the words stay texts
    monkeypatch.setattr(picture, "CELLS", panel.values.size)
    assert not draw(plot, STYLE, "").axes[0].images


def test_other_traces_are_refused():
    with pytest.raises(UnknownTrace, match="pie"):
        draw({"data": [{"type": "pie"}], "layout": {}}, STYLE, "")


@pytest.mark.parametrize(("name", "value"), [("width", 5), ("height", 99_999), ("scale", 0), ("bg", "red")])
def test_a_wrong_size_is_told(client, name, value):
    answer = client.get(f"/de/attention_map.png?{name}={value}")
    assert answer.status_code == 422 and answer.json()["error"]["field"] == name
    assert "option." not in answer.json()["error"]["message"]


def test_nothing_leaves_the_picture(panel):
    figure = draw(maps([panel], "de", "map", {"share": "Anteil"}).json("light"), STYLE, "Bildunterschrift " * 12)
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 640 / 96 and box.y1 <= 360 / 96


@pytest.mark.parametrize("view", ["gates", "hidden_states", "attention_steps", "party"])
def test_titles_and_words_stand_clear_of_the_panels_and_of_each_other(client, view):
    pair = {"text": "Der Mann, der sehr skeptisch ist, war da.", "vs": "Der Mann, der skeptisch ist, war sehr da."}
    plot = client.get(f"/de/{view}.json?{urlencode(pair)}").json()["figure"]
    figure = draw(plot, Style(1180, 540, 1.3, "light", False, "de"), "Quelle")
    renderer = figure.canvas.get_renderer()
    titled = [axes._left_title for axes in figure.axes if axes.get_title("left") and axes.get_xticklabels()]
    titles = [title.get_window_extent(renderer) for title in titled]
    panels = [axes.get_window_extent(renderer) for axes in figure.axes]
    assert titles
    for number, title in enumerate(titles):
        assert not any(title.overlaps(other) for other in panels), titled[number].get_text()
        assert not any(title.overlaps(other) for other in titles[:number]), titled[number].get_text()


@pytest.mark.parametrize("view", VIEWS)
def test_a_long_sentence_leaves_its_picture_the_room(client, view):
    text = 20 * "der Mann biss " + "example.org"
    plot = client.get(f"/de/{view}.json?{urlencode({'text': text})}").json()["figure"]
    figure = draw(
        plot, Style(960, 540, 1, "light", False, "de"), f"Bild · „{3 * text + 20 * 'example.org/'}“ · lstm 6bff63ab"
    )
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 960 / 96 and box.y1 <= 540 / 96
    written = figure.texts[0].get_text()
    assert written.startswith("Bild · „") and written.replace("\n", " ").endswith("“ · lstm 6bff63ab")
    assert written.count("\n") < SOURCE_LINES and "…" in written, "only the sentence is shortened"
    wide = max(axes.get_position().width for axes in figure.axes)
    assert wide > 0.25, "a title that is longer than the picture took all of it"


@pytest.mark.parametrize("view", ["attention_map", "gates", "loss_per_step"])
def test_words_do_not_stand_on_each_other(client, view):
    text = " ".join(["Der Mann biss den Hund und ging."] * 9)
    plot = client.get(f"/de/{view}.json?{urlencode({'text': text})}").json()["figure"]
    figure = draw(plot, Style(600, 400, 1, "light", False, "de"), "Quelle")
    renderer = figure.canvas.get_renderer()
    words = [
        [label for label in axis.get_ticklabels() if re.search("[a-z]", label.get_text()) and label.get_visible()]
        for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if axis.get_visible()
    ]  # fmt: skip
    assert max(map(len, words)) > 8
    for row in words:
        boxes = [label.get_window_extent(renderer) for label in row]
        for first, second in pairwise(boxes):
            wide = min(first.x1, second.x1) - max(first.x0, second.x0)
            high = min(first.y1, second.y1) - max(first.y0, second.y0)
            assert min(wide, high) < 1.5, "pixels"


@pytest.mark.parametrize(("view", "step"), [("training", "am Schieber: 16.000 Schritte · "), ("gates", "")])
def test_a_still_says_at_which_step_it_stands(client, view, step):
    written = texts(client.get(f"/de/{view}.svg?text=Hund&vs=Mann").content)
    assert any("Hund“ / „Mann“ · " + step + ("encoder" if step else "lstm") in text for text in written), written


@pytest.mark.parametrize("view", ["pipeline", "positions", "attention_heads"])
def test_two_panels_are_as_wide_as_each_other(client, view):
    pair = urlencode({"text": "Der Mann biss den Hund", "vs": "Der Hund biss den Mann"})
    plot = client.get(f"/de/{view}.json?{pair}").json()["figure"]
    figure = draw(plot, Style(600, 400, 1, "light", False, "de"), "Quelle")
    first, second = (axes.get_position().width for axes in figure.axes[:2])
    assert first == pytest.approx(second) and first > 0.15


@pytest.mark.parametrize(("view", "smaller"), [("attention_steps", True), ("four_lanes", True), ("gates", False)])
def test_letters_are_smaller_only_where_panels_would_have_no_room(client, view, smaller):
    pair = urlencode({"text": "Der Mann biss den Hund", "vs": "Der Hund biss den Mann"})
    plot = client.get(f"/de/{view}.json?{pair}").json()["figure"]
    figure = draw(plot, Style(1120, 530, 1.5, "light", False, "de"), "Quelle")
    panels = [axes for axes in figure.axes if "coloraxis" not in axes.get_label()]
    assert min(axes.get_window_extent().height for axes in panels) > 10, "pixels"
    assert min(axes.get_window_extent().width for axes in panels) > 40
    letters = figure.texts[0].get_fontsize()
    assert letters < 12 * 0.75 * 1.5 if smaller else letters == 12 * 0.75 * 1.5


def test_the_numbers_of_a_flat_axis_are_few():
    up = Axis("Werte")
    plot = chart([Curve("a", np.linspace(0, 1, 8, dtype=np.float32))], "de", Axis("Wort", ticks=list("abcdefgh")), up)
    figure = draw(plot.json("light"), Style(400, 130, 1, "light", False, "de"), "Quelle")
    renderer = figure.canvas.get_renderer()
    boxes = [label.get_window_extent(renderer) for label in figure.axes[0].get_yticklabels() if label.get_text()]
    assert len(boxes) > 1 and all(first.y1 <= second.y0 + 1 for first, second in pairwise(boxes))


def test_numbers_fit_their_cells():
    values = np.full((3, 3), -0.25, np.float32)
    drawing = maps([Panel("", values, ["a", "b", "c"], ["d", "e", "f"], "signed", "", 0, range(3))] * 3, "de",
                   "map", {"signed": ""}).json("light")  # fmt: skip
    figure = draw(drawing, Style(420, 300, 1.2, "light", False, "de"), "")
    renderer = figure.canvas.get_renderer()
    numbers = [(axes, text) for axes in figure.axes for text in axes.texts if text.get_label() == "cell"]
    assert len(numbers) == 27
    for axes, text in numbers:
        (left, _), (right, _) = axes.transData.transform([(0, 0), (1, 0)])
        assert not text.get_visible() or text.get_window_extent(renderer).width <= right - left


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("scale", ["share", "signed", "difference", "class"])
def test_numbers_can_be_read_in_every_cell(scale, theme):
    def luminance(colour):
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    for colour in color_map(colorscale(scale, theme))(np.linspace(0, 1, 501)):
        dark, light = sorted((luminance(colour[:3]), luminance(contrast(colour))))
        assert (light + 0.05) / (dark + 0.05) >= 4.5
