"""Stacks of rows: places, one range for each colour axis, masked cells, totals, and what a playback shows when."""

import base64

import numpy as np
import plotly.graph_objects as go
import pytest

from app.plotting.colours import BLUES, MASKED, RDBU, THEMES
from app.stack import Row, Stack, gaps, stacks
from app.stills import Style, draw

WORDS = ["<b>a", "b", "c"]
COLOURS = {"scores": ("signed", "q·k"), "shares": ("share", "Anteil"), "last": ("signed", "v")}


def values(trace):
    packed = trace["z" if trace["type"] == "heatmap" else "y"]
    found = np.frombuffer(base64.b64decode(packed["bdata"]), np.float32)
    return found.reshape([int(size) for size in packed.get("shape", str(len(found))).split(",")])


@pytest.fixture
def rows():
    return [
        Row("eins & zwei", np.array([[1, np.nan, -4]]), "", colours="scores"),
        Row("Balken", np.array([[0.25, 0.5, 0.25]]), "", texts=["1", "2", "3"], limit=0.5, step=1),
        Row("viele", np.ones((20, 3)), "", colours="last", total=np.full(20, 3.0), total_name="Σ", step=2),
        Row("benannt", np.eye(3)[:2], "", colours="shares", names=["oben", "unten"], step=2),
    ]


@pytest.fixture
def plot(rows):
    bars = Row("Balken", np.array([[0.75, 0.25]]), "", step=1)
    both = [Stack("Erster", WORDS, rows, 0, [4, 5, 6]), Stack("Zweiter", WORDS[:2], [bars], 1, [1, 2])]
    return stacks(both, "de", COLOURS, ["eins", "zwei", "drei"])


def test_rows_lie_one_below_the_other_over_one_axis_of_words(plot):
    layout = plot.layout
    domains = [layout[axis]["domain"] for axis in ("yaxis", "yaxis2", "yaxis3", "yaxis4")]
    assert domains[0][1] == 1 and domains[-1][0] == pytest.approx(0)
    assert all(upper[0] > lower[1] for upper, lower in zip(domains, domains[1:], strict=False))
    assert [(trace["xaxis"], trace["yaxis"]) for trace in plot.data] == [
        ("x", "y"), ("x", "y2"), ("x", "y3"), ("x", "y3"), ("x", "y4"), ("x2", "y5"),
    ]  # fmt: skip
    assert layout["xaxis"]["range"] == [-0.5, 4.0] and layout["xaxis2"]["range"] == [-0.5, 1.5]
    assert plot.panels["columns"] == [["x", "y"], ["x", "y2"], ["x", "y3"], ["x", "y4"], ["x2", "y5"]]
    assert plot.tokens == [
        {"run": 0, "axis": "x", "positions": [4, 5, 6]}, {"run": 1, "axis": "x2", "positions": [1, 2]},
    ]  # fmt: skip


def test_what_is_drawn_is_what_was_given(plot, rows):
    assert np.array_equal(values(plot.data[0]), rows[0].values.astype(np.float32), equal_nan=True)
    assert np.array_equal(values(plot.data[1]), rows[1].values[0].astype(np.float32))
    total = plot.data[3]
    assert values(total).tolist() == [[3.0]] * 20 and total["x0"] == 3.5 and total["y0"] == 1
    assert "&lt;b&gt;a" in plot.layout["xaxis"]["ticktext"][0]
    titles = [note["text"] for note in plot.layout["annotations"]]
    assert titles[0] == "<b>Erster</b><br>eins &amp; zwei"
    assert plot.layout["annotations"][titles.index("<b>Σ</b>")]["x"] == total["x0"]
    assert plot.layout["yaxis4"]["ticktext"] == ["<b>oben</b>", "<b>unten</b>"]


def test_each_colour_axis_has_one_range_and_its_own_scale(plot):
    ranges = {name: (plot.layout[name]["cmin"], plot.layout[name]["cmax"]) for name in plot.layout if "color" in name}
    assert ranges == {"coloraxis": (-4, 4), "coloraxis2": (0, 1), "coloraxis3": (-3, 3)}
    light = plot.json("light")["layout"]
    assert light["coloraxis2"]["colorscale"][-1][1] == BLUES[-1]
    assert light["coloraxis"]["colorscale"][0][1] == RDBU[0][0] == light["coloraxis3"]["colorscale"][0][1]


@pytest.mark.parametrize("theme", THEMES)
def test_masked_cells_have_a_ground_of_their_own(plot, theme):
    (shape,) = plot.json(theme)["layout"]["shapes"]
    assert (shape["xref"], shape["yref"], shape["x0"], shape["x1"]) == ("x", "y domain", 0.5, 1.5)
    assert shape["fillcolor"] == MASKED[theme]


def test_a_playback_knows_from_which_step_on_a_row_is_shown(plot):
    assert [trace["meta"]["from"] for trace in plot.data] == [0, 1, 2, 2, 2, 1]
    assert plot.playback == ["eins", "zwei", "drei"]


def test_stretches_of_masked_columns():
    assert gaps(np.array([[np.nan, 1, np.nan, np.nan]])) == [(0, 0), (2, 3)]
    assert gaps(np.array([[np.nan, 1.0], [2.0, np.nan]])) == []  # a column with a value is not hidden


@pytest.mark.parametrize("theme", THEMES)
def test_it_is_plotly_json_and_a_still(plot, theme):
    told = plot.json(theme)
    go.Figure(data=told["data"], layout=told["layout"])
    figure = draw(told, Style(900, 700, 1, theme, False, "de"), "Quelle")
    bars = sorted((axes.get_position() for axes in figure.axes if axes.get_label() in COLOURS or "color" in
                   axes.get_label()), key=lambda box: box.x0)  # fmt: skip
    assert len(bars) == 3 and all(left.x1 < right.x0 for left, right in zip(bars, bars[1:], strict=False))
    titles = {axes.get_title(loc="left") for axes in figure.axes}
    assert {"Erster\neins & zwei", "Balken", "Zweiter\nBalken", "viele", "benannt"} <= titles
