"""Plotly JSON: valid, its arrays exact, its labels as typed, one range for all runs."""

import base64
import html
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import plotting
from app.plotting import Panel, cell, maps
from app.plotting.colours import ACCENT, CLASSES, GRID, GROUND, MASKED, PAPER, THEMES, colorscale
from app.plotting.maps import span
from app.plotting.names import apart
from app.plotting.plot import DTYPES, FRAME, escaped, merged, typed

TITLES = {"share": "Anteil", "signed": "Wert", "difference": "rechts minus links"}
NAMES = {code: name for name, code in DTYPES.items()}


def panel(values, scale="share", words=None, title="", run=0, rows=True, line=None):
    values = np.asarray(values, np.float32)
    columns = words or [f"w{n}" for n in range(values.shape[1])]
    return Panel(title, values, columns if rows else [], columns, scale, "%{z}", run, range(len(columns)), line)


def unpacked(packed) -> np.ndarray:
    flat = np.frombuffer(base64.b64decode(packed["bdata"]), NAMES[packed["dtype"]])
    return flat.reshape([int(size) for size in packed["shape"].split(",")]) if "shape" in packed else flat


def valid(plot) -> go.Figure:
    """Plotly's own check of trace types, attributes and values, in each theme."""
    for theme in ("auto", *THEMES):
        told = plot.json(theme)
        figure = go.Figure(data=told["data"], layout=told["layout"])
    return figure


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5,), (2, 3)])
def test_typed_arrays_come_back_as_they_were(dtype, shape):
    values = (np.arange(np.prod(shape)).reshape(shape) * 7).astype(dtype)
    assert np.array_equal(unpacked(typed(values)), values)
    assert np.array_equal(unpacked(typed(np.asfortranarray(values))), values)


def test_typed_arrays_are_those_that_plotly_knows():
    values = np.array([[0.5, np.nan], [-1, 2]], np.float32)
    figure = go.Figure(go.Heatmap(z=typed(values)))
    assert np.array_equal(unpacked(figure.to_dict()["data"][0]["z"]), values, equal_nan=True)


@pytest.mark.parametrize("kind", ["map", "wide"])
@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("scale", ["share", "signed"])
def test_one_two_and_three_panels_are_valid(kind, lang, scale):
    line = np.array([1, 2, 3], np.float32)
    one = panel(np.eye(3), scale, rows=kind == "map", line=line if kind == "wide" else None)
    third = panel(np.eye(3) - 0.5, "difference", rows=kind == "map")
    for panels in ([one], [one, one], [one, one, third]):
        figure = valid(maps(panels, lang, kind, TITLES))
        assert sum(trace.type == "heatmap" for trace in figure.data) == len(panels)
        assert figure.layout.separators == {"de": ",.", "en": ".,"}[lang]


def test_plotted_numbers_are_those_of_the_panel():
    values = np.array([[0.25, np.nan], [1, 0]], np.float32)
    plot = maps([panel(values)], "de", "map", TITLES)
    assert np.array_equal(unpacked(plot.data[0]["z"]), values, equal_nan=True)


def test_a_masked_cell_is_hatched_and_never_a_value():
    masked, whole = (maps([panel([[first, 1.0], [0, 1]])], "de", "map", TITLES) for first in (np.nan, 0.0))
    assert np.isnan(unpacked(masked.data[0]["z"])[0, 0])
    assert masked.data[0]["hoverongaps"] is False
    for theme in THEMES:
        (ground,) = masked.themes[theme]["shapes"]
        assert (ground["fillcolor"], ground["xref"], ground["yref"]) == (MASKED[theme], "x domain", "y domain")
        lines = [
            [float(number) for number in re.split("[ML,]", line)[1:]] for line in re.findall("M[^MZ]+", ground["path"])
        ]
        assert all(x0 + y0 == pytest.approx(x1 + y1) for x0, y0, x1, y1 in lines[1:]) and len(lines) > 50  # slanted
        assert all(0 <= number <= 1 for line in lines for number in line)
        assert whole.themes[theme]["shapes"] == []


def test_only_the_panel_with_masked_cells_is_grey_behind_them():
    whole, masked = panel([[1.0]], "signed"), panel([[np.nan]], "difference")
    plot = maps([whole, whole, masked], "de", "wide", TITLES)
    assert [ground["yref"] for ground in plot.json("dark")["layout"]["shapes"]] == ["y3 domain"]


def test_what_a_summary_names_is_framed_in_the_accent_of_each_theme():
    framed = replace(panel([[0.1, 0.9], [0.5, 0.5]]), framed=[cell(0, 1), ((0, 1), (0, 0))])
    plot = maps([panel([[np.nan, 1]]), framed], "de", "lanes", TITLES)
    for theme in THEMES:
        grey, *under, one, column = plot.themes[theme]["shapes"]
        assert grey["layer"] == "below" and {one["xref"], column["xref"]} == {"x2"} and one["yref"] == "y2"
        assert [one[side] for side in ("x0", "x1", "y0", "y1")] == [0.5, 1.5, -0.5, 0.5]
        assert [column[side] for side in ("x0", "x1", "y0", "y1")] == [-0.5, 0.5, -0.5, 1.5]
        assert one["line"]["color"] == ACCENT[theme] and "fillcolor" not in one
        grounds = [frame | {"line": {"width": FRAME, "color": GROUND[theme]}} for frame in (one, column)]
        assert under == grounds and FRAME > one["line"]["width"], "a line is not lost on a cell as dark as itself"
    valid(plot)


def test_shares_run_from_0_to_1_whatever_they_are():
    assert span([panel([[0.2]])], "share") == (0, 1)


def test_signed_values_share_one_range_around_zero():
    panels = [panel([[0.5, -0.25]], "signed"), panel([[-3.0, np.nan]], "signed"), panel([[9.0]], "difference")]
    assert span(panels, "signed") == (-3, 3)
    assert span(panels, "difference") == (-9, 9)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_nothing_but_zeros_or_masked_cells_still_has_a_range(value):
    assert span([panel([[value, value]], "difference")], "difference") == (-1, 1)


def test_panels_of_one_scale_share_one_colour_axis():
    first, second = panel([[0.5]], "signed"), panel([[-2.0]], "signed")
    plot = maps([first, second, panel([[1.5]], "difference")], "de", "map", TITLES)
    assert [trace["coloraxis"] for trace in plot.data] == ["coloraxis", "coloraxis", "coloraxis2"]
    assert (plot.layout["coloraxis"]["cmin"], plot.layout["coloraxis"]["cmax"]) == (-2, 2)
    assert (plot.layout["coloraxis2"]["cmin"], plot.layout["coloraxis2"]["cmax"]) == (-1.5, 1.5)


NASTY = ["<b>x</b>", "&lt;", "a&b", "<a href='x'>", "$\\frac$", "%{x}", "</script>", "שלום", "\u0301", "##x"]


@pytest.mark.parametrize("label", NASTY)
def test_labels_are_escaped_so_that_they_read_as_typed(label):
    assert "<" not in escaped(label)
    assert html.unescape(escaped(label)) == label
    plot = maps([panel([[1.0]], words=[label], title=label)], "de", "map", TITLES)
    for axis in ("xaxis", "yaxis"):
        (tick,) = plot.layout[axis]["ticktext"]
        assert html.unescape(tick.removeprefix("<b>").removesuffix("</b>")) == label
    assert plot.layout["annotations"][0]["text"] == escaped(label)


def test_equal_words_keep_places_of_their_own():
    plot = maps([panel(np.eye(3), words=["der", "der", "der"])], "de", "map", TITLES)
    assert plot.layout["xaxis"]["tickvals"] == [0, 1, 2]
    assert len(plot.layout["xaxis"]["ticktext"]) == 3


def test_rows_run_downwards_and_unnamed_ones_count_from_1():
    named = maps([panel(np.eye(3))], "de", "map", TITLES)
    units = maps([panel(np.eye(3), "signed", rows=False)], "de", "wide", TITLES)
    assert named.layout["yaxis"]["range"] == [2.5, -0.5] and named.data[0]["y0"] == 0
    assert units.layout["yaxis"]["range"] == [3.5, 0.5] and units.data[0]["y0"] == 1
    assert "ticktext" not in units.layout["yaxis"]


@pytest.mark.parametrize(("size", "shown"), [(12, True), (13, False)])
def test_values_stand_in_the_cells_of_a_small_map(size, shown):
    plot = maps([panel(np.eye(size))], "de", "map", TITLES)
    assert ("texttemplate" in plot.data[0]) == shown


def test_lines_lie_over_the_words_of_their_map():
    lines = [np.array([1, 2], np.float32), np.array([3, 5], np.float32)]
    plot = maps([panel(np.eye(2), "signed", rows=False, line=line) for line in lines], "de", "wide", TITLES)
    drawn = [trace for trace in plot.data if trace["type"] == "scatter"]
    assert [unpacked(trace["y"]).tolist() for trace in drawn] == [[1, 2], [3, 5]]
    assert [trace["xaxis"] for trace in drawn] == ["x", "x2"]
    over = [trace["yaxis"] for trace in drawn]
    assert plot.panels["columns"] == [["x", "y", over[0]], ["x2", "y2", over[1]]] and over[0] != over[1]
    for number, trace in zip(("", "2"), drawn, strict=True):
        above = plot.layout[f"yaxis{trace['yaxis'][1:]}"]
        assert above["range"] == [0, pytest.approx(5.25)], "one range for what is compared, from 0"
        assert plot.layout[f"yaxis{number}"]["domain"][1] < above["domain"][0]


def test_the_bar_is_named():
    plot = maps([panel([[1.0]])], "de", "map", {"share": "Anteil <1>"})
    assert plot.layout["coloraxis"]["colorbar"]["title"]["text"] == "Anteil &lt;1&gt;"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("scale", ["share", "signed", "difference"])
def test_colours_cover_0_to_1_and_zero_is_the_background(scale, theme):
    stops = colorscale(scale, theme)
    assert (stops[0][0], stops[-1][0]) == (0, 1)
    assert all(a < b for (a, _), (b, _) in pairwise(stops))
    if scale != "share":
        assert stops[len(stops) // 2] == (0.5, PAPER[theme])
    elif theme == "light":
        assert stops[0][1] == PAPER[theme]


@pytest.mark.parametrize("theme", THEMES)
def test_each_class_has_one_colour_from_edge_to_edge(theme):
    stops, count = colorscale("class", theme), len(CLASSES[theme])
    assert [colour for _, colour in stops] == [colour for colour in CLASSES[theme] for _ in range(2)]
    assert [place for place, _ in stops] == pytest.approx([(number + 1) // 2 / count for number in range(2 * count)])
    assert span([panel([[0.0]])], "class") == (-0.5, count - 0.5)


def test_signed_values_and_differences_never_look_alike():
    for theme in THEMES:
        signed, difference = ({colour for _, colour in colorscale(scale, theme)} for scale in ("signed", "difference"))
        assert signed & difference == {PAPER[theme]}


def test_colours_stand_in_the_themes_only():
    plot = maps([panel([[1.0]])], "de", "map", TITLES)
    assert "colorscale" not in plot.layout["coloraxis"]
    assert plot.json("dark")["layout"]["coloraxis"]["colorscale"] == colorscale("share", "dark")
    assert plot.json("light")["layout"] == plot.json("auto")["layout"] != plot.json("dark")["layout"]


def test_axes_say_which_tokens_of_which_run_they_show():
    plot = maps([panel(np.eye(2)), panel(np.eye(2), run=1)], "de", "map", TITLES)
    assert [(entry["run"], entry["axis"]) for entry in plot.tokens] == [(0, "x"), (0, "y"), (1, "x2"), (1, "y2")]
    assert all(entry["positions"] == [0, 1] for entry in plot.tokens)


def test_merging_goes_level_by_level_and_changes_nothing_given():
    base, patch = {"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}, "e": {"f": 1}}
    assert merged(base, patch) == {"a": {"b": 9, "c": 2}, "d": 3, "e": {"f": 1}}
    assert base == {"a": {"b": 1, "c": 2}, "d": 3}


def test_a_log_axis_has_limits():
    with pytest.raises(ValueError, match="log axis 'p' has no limits"):
        plotting.Axis("p", log=True)


def test_a_chart_is_valid_and_carries_its_words():
    curves = [
        plotting.Curve("A & <b>", np.array([1.0, np.nan, 100.0]), hover="%{y}"),
        plotting.Curve("B", np.array([2.0, 3.0]), series=1, dash="dash", walked=True, texts=["x", "<i>"]),
        plotting.Curve("C", np.array([1.0]), kind="bar", listed=False),
    ]
    x = plotting.Axis("Wort", ["Der", "Hund", "<b>"], words=range(3))
    y = plotting.Axis("p", log=True, limits=(0.1, 1000))
    plot = plotting.chart(curves, "de", x, y)
    told = plot.json("dark")
    figure = go.Figure(data=told["data"], layout=told["layout"])
    assert [trace.type for trace in figure.data] == ["scatter", "scatter", "bar"]
    assert figure.data[0].name == "A &amp; &lt;b&gt;" and figure.data[1].text[1] == "&lt;i&gt;"
    assert list(figure.layout.yaxis.range) == [-1, 3]
    assert figure.layout.xaxis.ticktext[2] == "<b>&lt;b&gt;</b>"
    assert figure.data[1].line.color != figure.data[0].line.color
    assert figure.data[1].marker.symbol != figure.data[0].marker.symbol, "lines differ without their colours too"
    assert told["data"][1]["meta"] == {"walked": True} and told["data"][1]["y"] == [2.0, 3.0]
    assert plot.tokens == [{"run": 0, "axis": "x", "positions": [0, 1, 2]}]
    grids = [told["layout"][axis].get("gridcolor") for axis in ("xaxis", "yaxis")]
    assert grids == [None, GRID["dark"]]
    assert figure.layout.showlegend


def test_a_minus_in_a_cell_is_a_minus():
    values = np.array([[-0.07, 0.25], [np.nan, -1.0], [-0.004, -0.0]], np.float32)
    panel = Panel("", values, ["a", "b", "e"], ["c", "d"], "difference", "", 0, range(2))
    for lang, sign in (("de", ","), ("en", ".")):
        (trace,) = maps([panel], lang, "map", {"difference": ""}).data
        assert trace["text"] == [[f"−0{sign}07", f"0{sign}25"], ["", f"−1{sign}00"], 2 * [f"0{sign}00"]]
        assert trace["texttemplate"] == "%{text}"


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=6).map(lambda places: [round(place, 3) for place in places]),
    st.sampled_from([0.05, 0.1, 0.2]),
)
def test_names_that_would_touch_give_way_as_little_as_needed(places, gap):
    found = apart(places, gap)
    order = np.argsort(places, kind="stable")
    assert (np.diff(np.array(found)[order]) > gap - 1e-9).all()
    assert np.mean(found) == pytest.approx(np.mean(places))
    if len(places) == 1 or np.diff(np.sort(places)).min() >= gap:
        assert found == pytest.approx(places)


def test_two_names_share_the_way():
    assert apart([0.5, 0.5, 0.9], 0.1) == pytest.approx([0.45, 0.55, 0.9])
    assert apart([0.9, 0.52, 0.5], 0.1) == pytest.approx([0.9, 0.56, 0.46])


@pytest.mark.parametrize("values", [[0.11, 0.112, 0.2], [9.9, 9.8, 900.0], [0.001, 0.11, 5.0]])
def test_names_of_curves_stay_inside_the_plot(values):
    """What lies beyond its axis Plotly does not draw."""
    curves = [plotting.Curve(str(value), np.array([value, 1.0])) for value in values]
    axis = plotting.Axis("", log=True, limits=(0.1, 10))
    heights = [float(np.log10(name.y[0])) for name in plotting.curve_names(curves, axis, 0.1, first=True)]
    assert min(heights) >= -0.9 - 1e-6 and max(heights) <= 0.8 + 1e-6
    assert np.argsort(heights).tolist() == np.argsort(values).tolist()
    assert np.diff(np.sort(heights)).min() >= 0.2 - 1e-6


def test_a_table_has_texts_in_its_cells_and_cells_of_any_shape():
    texts = [["a", "b", "c"]] * 2
    table = replace(panel(np.eye(2, 3)), texts=texts)
    plot = maps([table], "de", "table", TITLES)
    assert plot.panels["kind"] == "table" and plot.panels["row_labels"]
    assert plot.data[0]["text"] == texts and plot.data[0]["texttemplate"] == "%{text}"
    valid(plot)


def test_joined_words_are_a_point_each_and_one_line_where_all_are_alike():
    plot = plotting.joined([plotting.Block(["<a>", "b"], ["c"], [(0, 0), (1, 0)])], "en", ("left & first", "right"))
    told = plot.json()
    figure = go.Figure(data=told["data"], layout=told["layout"])
    line, left, right = figure.data
    down = np.frombuffer(base64.b64decode(line.y["bdata"]), np.float32)
    assert np.array_equal(down, [0, 0, np.nan, -1, 0, np.nan], equal_nan=True)
    assert (list(left.text), list(right.text)) == (["&lt;a&gt;", "b"], ["c"])
    assert (left.name, left.showlegend, line.showlegend) == ("left &amp; first", True, False)
    assert plot.tokens == [] and not figure.layout.xaxis.visible and not figure.layout.yaxis.visible


def test_a_line_of_more_weight_is_thicker_and_lies_on_the_others():
    block = plotting.Block(["a", "b"], ["a", "b"], [(0, 1), (1, 0), (1, 1)], [0.9, 0.2, 0.4], words=(3, 4), run=1)
    plot = plotting.joined([block], "en", ("", ""))
    drawn = [trace for trace in plot.data if trace["mode"] == "lines"]
    assert [trace["meta"]["ends"] for trace in drawn] == [[4, 3], [4, 4], [3, 4]]
    assert [trace["meta"]["run"] for trace in drawn] == [1, 1, 1]
    widths, opacities = [trace["line"]["width"] for trace in drawn], [trace["opacity"] for trace in drawn]
    assert widths[0] < widths[1] < widths[2] and opacities[0] < opacities[1] < opacities[2] < 1
