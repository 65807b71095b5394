"""Curves, bars and points on one pair of axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.messages import Lang
from app.plotting.colours import EDGE, GRID, NAMES, PAPER, PATTERNS, SERIES, SYMBOLS, THEMES, Theme
from app.plotting.plot import FONT, Json, Plot, bold, escaped, lines, themed, typed

Dash = Literal["solid", "dash", "dot"]
MOST_POWERS = 8  # of ten that a log axis names
PATTERN = {"fillmode": "overlay", "fgcolor": PAPER["light"], "fgopacity": 0.6, "size": 7, "solidity": 0.25}


@dataclass(frozen=True)
class Axis:
    """An axis of a chart: its title, and words as `ticks` at 0, 1, 2 … instead of numbers, or numbers at `at`.

    `words` are the places of those ticks in the first run, for linking words. A log axis needs its limits: they say
    which powers are named, and Plotly names what lies between in letters too small for a slide.
    """

    title: str
    ticks: Sequence[str] = ()
    below: Sequence[str] = ()  # a second line of ticks, where two sentences share the axis
    log: bool = False
    limits: tuple[float, float] | None = None  # as shown; on a log axis the values, not their logarithms
    words: Sequence[int] = ()
    at: Sequence[float] = ()

    def __post_init__(self) -> None:
        if self.log and not self.limits:
            raise ValueError(f"the log axis {self.title!r} has no limits")

    @property
    def decades(self) -> float:
        """How many powers of ten a log axis spans."""
        return float(np.log10(self.limits[1] / self.limits[0])) if self.limits else 0.0


@dataclass(frozen=True)
class Curve:
    """A line, its points or bars over x (0, 1, 2 … where not given); NaN leaves a gap. A "label" is its text alone.

    Curves of one `series` number have one colour and one kind of points. `hover` is a Plotly template; `texts` stand
    beside the points. `walked` curves are shown up to the step that playback has reached.
    """

    name: str
    y: np.ndarray
    x: np.ndarray | None = None
    series: int = 0
    dash: Dash = "solid"
    kind: Literal["line", "points", "both", "bar", "label"] = "both"
    texts: Sequence[str] = ()
    hover: str = ""
    hovers: Sequence[str] = ()  # or what is said of each point; lines are separated by a line feed
    places: Sequence[str] = ()  # of the texts: "top center", "middle right" …
    walked: bool = False
    listed: bool = True  # in the legend
    right: bool = False  # measured on the second axis, at the right
    strong: bool = False  # its texts are bold


def chart(
    curves: Sequence[Curve], lang: Lang, x: Axis, y: Axis, *, right: Axis | None = None, height: int = 420,
    square: bool = False, bands: Sequence[tuple[float, float, float, float]] = (),
) -> Plot:  # fmt: skip
    """Curves over one pair of axes; `right` is a second axis for values. `square` gives both axes one unit.

    `bands` (left, right, low, high) are grounds behind the curves, to measure these by.

    Where `curve_names` name the curves there is no legend, but in a narrow figure, which leaves the labels out.
    """
    data = [curve_json(curve) for curve in curves]
    axes = {"xaxis": axis_json(x, "y"), "yaxis": axis_json(y, "x")}
    if right:
        axes["yaxis2"] = axis_json(right, "x") | {"overlaying": "y", "side": "right", "showgrid": False}
    if square:
        axes["yaxis"] |= {"scaleanchor": "x", "scaleratio": 1}
    layout: Json = {
        "separators": ",." if lang == "de" else ".,",
        "font": {"family": FONT, "size": 15},
        "margin": {"l": 8, "r": 16, "t": 12, "b": 8},
        "height": height,
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": sum(curve.listed for curve in curves) > 1 and not any(curve.kind == "label" for curve in curves),
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "itemclick": False,
                   "itemdoubleclick": False},
        "bargap": 0.35,
        "annotations": [],
        **axes,
    }  # fmt: skip
    if x.limits and any(curve.kind == "label" for curve in curves):
        layout["meta"] = {"unnamed": unnamed(curves, x)}
    named = (("x", x), ("y", y))
    tokens = [{"run": 0, "axis": name, "positions": list(axis.words)} for name, axis in named if axis.words]
    themes: dict[str, Json] = {
        theme: themed(layout, theme) | {"shapes": [ground(*band, theme) for band in bands]} for theme in THEMES
    }
    return Plot(data, layout, themes, {"columns": [["x", "y"]], "kind": "chart"}, tokens)


def unnamed(curves: Sequence[Curve], x: Axis) -> list[float]:
    """What the x axis spans where the names at the ends of the curves are left out."""
    assert x.limits is not None
    if x.words:
        return [-0.5, len(x.ticks) - 0.5]
    last = max(float(np.nanmax(curve.x)) for curve in curves if curve.kind != "label" and curve.x is not None)
    ends = (x.limits[0], last * 1.15 if x.log else last)
    return [float(np.log10(end)) if x.log else end for end in ends]


def ground(left: float, right: float, low: float, high: float, theme: Theme) -> Json:
    """A quiet ground behind curves and bars, whose edges are seen where the ground itself is too pale."""
    return {
        "type": "rect", "layer": "below", "xref": "x", "yref": "y", "x0": left, "x1": right, "y0": low, "y1": high,
        "fillcolor": GRID[theme], "line": {"width": 1, "color": EDGE[theme]},
    }  # fmt: skip


def axis_json(axis: Axis, anchor: str) -> Json:
    """An axis of a chart."""
    found: Json = {
        "anchor": anchor, "title": {"text": lines(axis.title), "standoff": 10}, "automargin": True,
        "fixedrange": True, "zeroline": False, "showline": False, "ticks": "", "showgrid": not axis.ticks,
        "separatethousands": True, "minexponent": 6,
    }  # fmt: skip
    if axis.ticks:
        labels = [escaped(label) if axis.at else bold(label) for label in axis.ticks]
        for place, label in enumerate(axis.below[: len(labels)]):
            labels[place] += f"<br>{escaped(label)}"
        found |= {"tickvals": list(range(len(axis.ticks))), "ticktext": labels,
                  "autotickangles": [0, -45, -90], "range": [-0.5, len(axis.ticks) - 0.5]}  # fmt: skip
    if axis.at:
        found |= {"tickvals": list(axis.at), "showgrid": True, "type": "log" if axis.log else "linear"}
    elif axis.log:
        found |= {"type": "log"}
        if axis.decades > 1.9:  # else a few numbers between the powers are named too
            found |= {
                "dtick": int(np.ceil(axis.decades / MOST_POWERS)),
                "exponentformat": "power" if axis.decades > 3 else "none",
            }
    if axis.limits:
        found["range"] = [float(np.log10(limit)) for limit in axis.limits] if axis.log else list(axis.limits)
    return found


def curve_json(curve: Curve) -> Json:
    """A curve as a trace of Plotly."""
    values = np.asarray(curve.y, np.float32)
    across = np.arange(len(values)) if curve.x is None else np.asarray(curve.x, np.float32)
    colour = SERIES[curve.series % len(SERIES)]
    found: Json = {"name": escaped(curve.name), "showlegend": curve.listed, "xaxis": "x",
                   "yaxis": "y2" if curve.right else "y"}  # fmt: skip
    if curve.walked:  # short, and sliced in the browser
        found |= {"x": across.tolist(), "y": values.tolist(), "meta": {"walked": True}}
    else:
        found |= {"x": typed(across.astype(np.float32)), "y": typed(values)}
    if curve.hovers:
        found |= {"hovertext": [lines(text) for text in curve.hovers], "hoverinfo": "text"}
    elif curve.hover:
        found["hovertemplate"] = curve.hover + "<extra></extra>"
    else:
        found["hoverinfo"] = "skip"
    if curve.texts:
        found |= {"text": [lines(text) for text in curve.texts], "textposition": list(curve.places) or "top center"}
    if curve.kind == "bar":
        shape = PATTERNS[curve.series % len(PATTERNS)]
        marker: Json = {"color": colour, **({"pattern": {"shape": shape, **PATTERN}} if shape else {})}
        return found | {"type": "bar", "marker": marker, "textposition": "outside", "cliponaxis": False}
    if curve.kind == "label":
        inks = {theme: NAMES[theme][curve.series % len(SERIES)] for theme in THEMES}
        return found | {
            "type": "scatter",
            "mode": "text",
            "textfont": {"color": inks["light"]},
            "cliponaxis": False,
            "meta": {"label": True, "inks": inks},
        }
    if curve.strong:
        found["textfont"] = {"weight": 700}
    marker = {"size": 8, "color": colour, "symbol": SYMBOLS[curve.series % len(SYMBOLS)]}
    mode = {"line": "lines", "points": "markers", "both": "lines+markers"}[curve.kind]
    return found | {
        "type": "scatter", "mode": mode + ("+text" if curve.texts else ""),
        "cliponaxis": curve.kind == "line" and not curve.texts,
        "line": {"width": 2.5, "color": colour, "dash": curve.dash}, "marker": marker,
    }  # fmt: skip
