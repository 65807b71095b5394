"""Makes Plotly JSON from arrays: plain dicts, a few trace types, colours only in the layout so that a theme is a patch.

Colours: zero is the page's background. [0, 1] runs from paper to deep blue (cividis in the dark), signed values are
RdBu, differences PuOr, both symmetric around zero. One range serves both runs; a masked cell is hatched, never a value.
"""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from app.messages import Lang

Json = dict[str, Any]
Scale = Literal["share", "signed", "difference", "class"]
Theme = Literal["light", "dark"]
Kind = Literal["map", "lanes", "wide", "table"]

PLACES = (
    "top center", "bottom center", "middle right", "middle left", "top right", "top left",
    "bottom right", "bottom left",
)  # fmt: skip
THEMES: tuple[Theme, ...] = ("light", "dark")
LINE_AXES = 11  # value axes of lines are numbered from here, beyond those of the maps

IN_CELLS = 12  # up to so many cells across or down the value stands in the cell
AXIS_OF: dict[Scale, str] = {
    "share": "coloraxis",
    "signed": "coloraxis",
    "difference": "coloraxis2",
    "class": "coloraxis",
}
SHORT = 16  # characters of a name that stands in one line beside its curve
BESIDE = "\u2002"  # keeps a text off the point or line that it stands beside
MOST_POWERS = 8  # of ten that a log axis names
GAP = 0.055  # between panels, as a share of the width
DTYPES = {"float32": "f4", "float64": "f8", "int32": "i4", "uint8": "u1", "uint16": "u2"}

FONT = "ui-sans-serif, system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
PAPER = {"light": "#fbfaf7", "dark": "#1d1e22"}
INK = {"light": "#1b1b1f", "dark": "#ecebe6"}
QUIET = {"light": "#5c5c66", "dark": "#a6a6ad"}
ACCENT = {"light": "#b3441a", "dark": "#ff8a5c"}
MASKED = {"light": "#d9d7d1", "dark": "#3a3b41"}
HATCH = {"light": "#bdbab2", "dark": "#5a5b63"}
HATCHES = 36  # lines from side to side of a panel
HATCHED = "M0,0L1,0L1,1L0,1Z" + "".join(
    "M{:.3f},{:.3f}L{:.3f},{:.3f}".format(*ends, *ends[::-1])
    for ends in ((max(0, at - 1), min(1, at)) for at in np.arange(1, 2 * HATCHES) / HATCHES)
)
GRID = {"light": "#e6e3dc", "dark": "#33343a"}
SERIES = ("#3f7fc1", "#cf5f2a", "#3d8f66", "#9468c0", "#b8478a", "#85812b")  # readable on both grounds
BLUES = ["#fbfaf7", "#e3ebf3", "#c3d8ea", "#98bfdf", "#6a9fcd", "#4380b8", "#255f9c", "#0f427c", "#062a5c"]
CIVIDIS = ["#00204d", "#00336f", "#39486b", "#575c6d", "#707173", "#8a8779", "#a69d75", "#c4b56c", "#e4cf5b", "#ffea46"]
RDBU = (
    ["#67001f", "#b2182b", "#d6604d", "#f4a582", "#fddbc7"],
    ["#d1e5f0", "#92c5de", "#4393c3", "#2166ac", "#053061"],
)
PUOR = (
    ["#2d004b", "#542788", "#8073ac", "#b2abd2", "#d8daeb"],
    ["#fee0b6", "#fdb863", "#e08214", "#b35806", "#7f3b08"],
)
CLASSES = {  # no class is the page itself; pale or deep enough for the label in the cell
    "light": [PAPER["light"], "#a9cbee", "#b5dfb8", "#f7cf9a", "#dcc4f0"],
    "dark": [PAPER["dark"], "#2f5f96", "#2d6a45", "#8a5212", "#6b4799"],
}
RDBU_DARK = (
    ["#ff9b8f", "#e8604f", "#b23a35", "#7a2a2b", "#452425"],
    ["#22364a", "#285a86", "#3b82bd", "#6cabdf", "#a8d3f7"],
)
PUOR_DARK = (
    ["#c9b3ff", "#9e7fe6", "#7350b8", "#4f3a80", "#332b4a"],
    ["#4a3520", "#85511a", "#bf6f17", "#ee9233", "#ffc27d"],
)


def colorscale(scale: Scale, theme: Theme) -> list[tuple[float, str]]:
    """Plotly stops from 0 to 1; the middle of the signed scales is the page's background, classes have no middle."""
    if scale == "class":
        count = len(CLASSES[theme])
        return [((place + end) / count, colour) for place, colour in enumerate(CLASSES[theme]) for end in (0, 1)]
    if scale == "share":
        colours = BLUES if theme == "light" else CIVIDIS
    else:
        light = {"signed": RDBU, "difference": PUOR}
        dark = {"signed": RDBU_DARK, "difference": PUOR_DARK}
        low, high = (light if theme == "light" else dark)[scale]
        colours = [*low, PAPER[theme], *high]
    return [(i / (len(colours) - 1), colour) for i, colour in enumerate(colours)]


@dataclass(frozen=True)
class Panel:
    """One map: values [rows, columns] with labels; NaN is a masked cell. `hover` is a Plotly template.

    `positions` are the places of the columns (and, in a map, of the rows) in run number `run`, for linking words.
    """

    title: str
    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]
    scale: Scale
    hover: str
    run: int
    positions: Sequence[int]
    line: np.ndarray | None = None  # one value per column, drawn as a line above the map
    numbers: Sequence[int] = ()  # what the unnamed rows are called where they are not 1, 2, 3 …
    digits: str = ".2f"  # how the numbers in the cells are written, as d3 says it
    texts: Sequence[Sequence[str]] = ()  # what stands in the cells instead of numbers
    hovers: Sequence[Sequence[str]] = ()  # what is said of each cell, for %{hovertext} in `hover`
    classes: Sequence[str] = ()  # what the values 0, 1, 2 … mean on the scale "class"


@dataclass(frozen=True)
class Plot:
    """Plotly's data and layout in the light theme, the patch for each theme, and how the page may lay panels out."""

    data: list[Json]
    layout: Json
    themes: dict[str, Json]
    panels: Json = field(default_factory=dict)
    tokens: list[Json] = field(default_factory=list)  # which axis shows which tokens of which run
    playback: list[str] = field(default_factory=list)  # what each step is called, where the plot can be walked through

    def json(self, theme: str = "auto") -> Json:
        """What figure.js draws; with a fixed theme its colours are already in the layout."""
        layout = merged(self.layout, self.themes["dark" if theme == "dark" else "light"])
        return {
            "data": [painted(trace, theme) for trace in self.data],
            "layout": layout,
            "themes": self.themes,
            "panels": self.panels,
            "tokens": self.tokens,
            "playback": self.playback,
        }


def painted(trace: Json, theme: str) -> Json:
    """An image in the colours of a fixed theme: its address begins with the head that has them."""
    heads = trace.get("meta", {}).get("heads")
    if not heads or theme != "dark":
        return trace
    return trace | {"source": heads["dark"] + trace["source"][len(heads["dark"]) :]}


def typed(values: np.ndarray) -> Json:
    """An array as Plotly's base64 typed array."""
    packed = np.ascontiguousarray(values)
    encoded = {"dtype": DTYPES[str(packed.dtype)], "bdata": base64.b64encode(packed.data).decode("ascii")}
    return encoded | {"shape": ", ".join(map(str, packed.shape))} if packed.ndim > 1 else encoded


def escaped(label: str) -> str:
    """A label that Plotly shows as typed: its pseudo-HTML knows tags and entities."""
    return html.escape(label, quote=False)


def merged(base: Json, patch: Json) -> Json:
    """`base` with the values of `patch`, level by level."""
    result = dict(base)
    for key, value in patch.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return result


def span(panels: Sequence[Panel], scale: Scale) -> tuple[float, float]:
    """One range for all panels of a scale: 0 to 1 for shares, a step for each class, else symmetric around zero."""
    if scale == "class":
        return -0.5, len(CLASSES["light"]) - 0.5
    if scale == "share":
        return 0.0, 1.0
    largest = max(
        (float(np.nanmax(np.abs(panel.values), initial=0)) for panel in panels if panel.scale == scale), default=0
    )
    return (-largest, largest) if largest > 0 else (-1.0, 1.0)


def maps(panels: Sequence[Panel], lang: Lang, kind: Kind, titles: dict[Scale, str]) -> Plot:
    """Heatmaps side by side as one figure; `titles` names the colour bar of each scale.

    "map" has square cells and words on both sides, "lanes" other things at the left, "wide" many thin rows,
    "table" cells as wide as there is room, for what stands in them.
    """
    data: list[Json] = []
    layout: Json = {
        "separators": ",." if lang == "de" else ".,",
        "font": {"family": FONT, "size": 15},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": False,
        "annotations": [],
    }
    width = (1 - GAP * (len(panels) - 1)) / len(panels)
    axes: list[list[str]] = []
    tokens: list[Json] = []
    for number, panel in enumerate(panels):
        suffix = "" if number == 0 else str(number + 1)
        left = number * (width + GAP)
        domain = (left, left + width)
        add_map(data, layout, panel, suffix, domain, kind, lang)
        axes.append([f"x{suffix}", f"y{suffix}"])
        if panel.line is not None:
            beside = [each.line for each in panels if (each.scale == "difference") == (panel.scale == "difference")]
            axes[-1].append(add_line(data, layout, panel.line, suffix, number, line_range(beside)))
        linked = [f"x{suffix}", f"y{suffix}"] if kind == "map" else [f"x{suffix}"]
        tokens += [{"run": panel.run, "axis": axis, "positions": list(panel.positions)} for axis in linked]
    for scale in dict.fromkeys(panel.scale for panel in panels):
        layout[AXIS_OF[scale]] = color_axis(scale, span(panels, scale), titles[scale], panels[0].classes)
    rows, cells = (max(len(getattr(panel, side)) for panel in panels) for side in ("rows", "columns"))
    shape = {
        "columns": axes,
        "rows": rows,
        "cells": cells,
        "row_labels": kind != "wide",
        "kind": kind if kind in ("wide", "table") else "map",
    }
    scales = list(dict.fromkeys(panel.scale for panel in panels))
    masked = [number for number, panel in enumerate(panels) if np.isnan(panel.values).any()]
    return Plot(data, layout, {theme: themed(layout, scales, theme, masked) for theme in THEMES}, shape, tokens)


@dataclass(frozen=True)
class Axis:
    """An axis of a chart: its title, and `ticks` at 0, 1, 2 … instead of numbers, or at the places `at`.

    `words` are the places of those ticks in run `run`, for linking words.
    """

    title: str
    ticks: Sequence[str] = ()
    below: Sequence[str] = ()  # a second line of ticks, where two sentences share the axis
    log: bool = False
    limits: tuple[float, float] | None = None  # as shown; on a log axis the values, not their logarithms
    run: int = 0
    words: Sequence[int] = ()
    at: Sequence[float] = ()


@dataclass(frozen=True)
class Curve:
    """A line, its points or bars over x (0, 1, 2 … where not given); NaN leaves a gap. A "label" is its text alone.

    Curves of one `series` number have one colour. `hover` is a Plotly template; `texts` stand beside the points.
    `walked` curves are shown up to the step that playback has reached.
    """

    name: str
    y: np.ndarray
    x: np.ndarray | None = None
    series: int = 0
    dash: Literal["solid", "dash", "dot"] = "solid"
    kind: Literal["line", "points", "both", "bar", "label"] = "both"
    texts: Sequence[str] = ()
    hover: str = ""
    hovers: Sequence[str] = ()  # or what is said of each point; lines are separated by a line feed
    places: Sequence[str] = ()  # of the texts: "top center", "middle right" …
    walked: bool = False
    listed: bool = True  # in the legend
    right: bool = False  # measured on the second axis, at the right


def chart(
    curves: Sequence[Curve], lang: Lang, x: Axis, y: Axis, *, right: Axis | None = None, height: int = 420,
    square: bool = False,
) -> Plot:  # fmt: skip
    """Curves over one pair of axes; `right` is a second axis for values. `square` gives both axes one unit.

    Where `labels` name the curves there is no legend, but in a narrow figure, which leaves the labels out.
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
        last = max(float(np.nanmax(curve.x)) for curve in curves if curve.kind != "label" and curve.x is not None)
        layout["meta"] = {"ends": float(np.log10(last * 1.15)) if x.log else last}
    named = (("x", x), ("y", y))
    tokens = [{"run": axis.run, "axis": name, "positions": list(axis.words)} for name, axis in named if axis.words]
    themes: dict[str, Json] = {theme: themed(layout, [], theme, []) for theme in THEMES}
    return Plot(data, layout, themes, {"columns": [["x", "y"]], "kind": "chart"}, tokens)


def labels(curves: Sequence[Curve], y: Axis, gap: float) -> list[Curve]:
    """The names of curves right of their last points, in their colours; where two would touch, both give way.

    What follows a comma stands in a second line where a name is long. `gap` is the least distance of two names as a
    share of the axis.
    """
    assert y.limits is not None
    scaled = np.log if y.log else np.asarray
    low, high = (float(scaled(limit)) for limit in y.limits)
    ends = [int(np.flatnonzero(np.isfinite(curve.y))[-1]) for curve in curves]
    wanted = [(float(scaled(curve.y[end])) - low) / (high - low) for curve, end in zip(curves, ends, strict=True)]
    joint = ", " if all(len(curve.name) <= SHORT for curve in curves) else f"\n{BESIDE}"
    found = []
    for curve, end, place in zip(curves, ends, apart(wanted, gap), strict=True):
        height = low + place * (high - low)
        across = float(end if curve.x is None else curve.x[end])
        text = BESIDE + curve.name.replace(", ", joint)
        found.append(
            replace(curve, kind="label", listed=False, hover="", hovers=(), dash="solid", x=np.array([across]),
                    y=np.array([np.exp(height) if y.log else height]), texts=[text], places=["middle right"])
        )  # fmt: skip
    return found


def apart(places: Sequence[float], gap: float) -> list[float]:
    """The places moved as little as needed for none to be nearer than `gap` to the next; their order stays."""
    order = np.argsort(places, kind="stable")
    groups: list[list[float]] = []  # of places that touch: their sum and their number
    for place in (places[number] for number in order):
        groups.append([place, 1])
        while len(groups) > 1 and middle(groups[-1]) - middle(groups[-2]) < gap * (groups[-1][1] + groups[-2][1]) / 2:
            last = groups.pop()
            groups[-1] = [groups[-1][0] + last[0], groups[-1][1] + last[1]]
    spread = [
        middle(group) + gap * (number - (group[1] - 1) / 2) for group in groups for number in range(int(group[1]))
    ]
    found = [0.0] * len(places)
    for number, place in zip(order, spread, strict=True):
        found[number] = place
    return found


def middle(group: Sequence[float]) -> float:
    """The mean of a group's places."""
    return group[0] / group[1]


def label_places(points: np.ndarray, labels: Sequence[str], low: np.ndarray, high: np.ndarray) -> list[str]:
    """Beside each point [points, axes] the place where its label hides no other, or "" where there is none.

    Reckoned for a figure of usual size; labels that find no room are still told on hover.
    """
    size = np.array([960.0, 460.0])
    scale = float((size / np.maximum(high - low, 1e-9)).min())  # both axes have one unit
    middles = (points - low) * scale
    taken = np.concatenate([middles - 6, middles + 6], axis=1)  # left, bottom, right, top of each point, then of labels
    found = []
    for (x, y), label in zip(middles.tolist(), labels, strict=True):
        width, height = 8.2 * len(label) + 4, 18.0
        left = {"right": x + 8, "center": x - width / 2, "left": x - 8 - width}
        bottom = {"top": y + 7, "middle": y - height / 2, "bottom": y - 7 - height}
        corners = np.array([(left[across], bottom[down]) for down, across in map(str.split, PLACES)])[:, None]
        ends = corners + (width, height)
        overlaps = np.all((corners < taken[:, 2:]) & (taken[:, :2] < ends), axis=-1)
        free = np.flatnonzero(~np.any(overlaps, axis=1))
        if len(free):
            taken = np.vstack([taken, [*corners[free[0], 0], *ends[free[0], 0]]])
        found.append(PLACES[free[0]] if len(free) else "")
    return found


def beside(left: Plot, right: Plot) -> Plot:
    """Two charts with axes of their own side by side; the step that playback has reached holds for both."""
    data = left.data + [trace | {"xaxis": "x2", "yaxis": "y2"} for trace in right.data]
    other = {"xaxis2": right.layout["xaxis"] | {"anchor": "y2"}, "yaxis2": right.layout["yaxis"] | {"anchor": "x2"}}
    if "scaleanchor" in other["yaxis2"]:
        other["yaxis2"] |= {"scaleanchor": "x2"}
    layout = left.layout | other | {"showlegend": True}
    layout["xaxis"] = layout["xaxis"] | {"domain": (0, 0.46)}
    layout["xaxis2"] |= {"domain": (0.54, 1)}
    themes: dict[str, Json] = {theme: themed(layout, [], theme, []) for theme in THEMES}
    return replace(
        left, data=data, layout=layout, themes=themes, panels={"columns": [["x", "y"], ["x2", "y2"]], "kind": "chart"}
    )


def axis_json(axis: Axis, anchor: str) -> Json:
    """An axis of a chart."""
    found: Json = {
        "anchor": anchor, "title": {"text": lines(axis.title), "standoff": 10}, "automargin": True,
        "fixedrange": True, "zeroline": False, "showline": False, "ticks": "", "showgrid": not axis.ticks,
    }  # fmt: skip
    if axis.ticks:
        labels = [bold(label) for label in axis.ticks]
        for place, label in enumerate(axis.below[: len(labels)]):
            labels[place] += f"<br>{escaped(label)}"
        found |= {"tickvals": list(range(len(axis.ticks))), "ticktext": labels,
                  "autotickangles": [0, -45, -90], "range": [-0.5, len(axis.ticks) - 0.5]}  # fmt: skip
    if axis.at:
        found |= {"tickvals": list(axis.at), "showgrid": True, "type": "log" if axis.log else "linear"}
    elif axis.log:
        found |= {"type": "log"}
        if decades(axis) > 1.9:  # else a few numbers between the powers are named too
            found |= {
                "dtick": int(np.ceil(decades(axis) / MOST_POWERS)),
                "exponentformat": "power" if decades(axis) > 3 else "none",
            }
    if axis.limits:
        found["range"] = [float(np.log10(limit)) for limit in axis.limits] if axis.log else list(axis.limits)
    return found


def decades(axis: Axis) -> float:
    """How many powers of ten a log axis spans; 0 where it finds its limits itself."""
    return float(np.log10(axis.limits[1] / axis.limits[0])) if axis.limits else 0.0


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
        return found | {"type": "bar", "marker": {"color": colour}, "textposition": "outside", "cliponaxis": False}
    if curve.kind == "label":
        font = {"color": colour}
        return found | {
            "type": "scatter",
            "mode": "text",
            "textfont": font,
            "cliponaxis": False,
            "meta": {"label": True},
        }
    mode = {"line": "lines", "points": "markers", "both": "lines+markers"}[curve.kind]
    return found | {
        "type": "scatter", "mode": mode + ("+text" if curve.texts else ""),
        "cliponaxis": curve.kind == "line" and not curve.texts,
        "line": {"width": 2.5, "color": colour, "dash": curve.dash}, "marker": {"size": 7, "color": colour},
    }  # fmt: skip


def lines(text: str) -> str:
    """A text that Plotly shows as written, its line feeds too."""
    return escaped(text).replace("\n", "<br>")


def color_axis(scale: Scale, limits: tuple[float, float], title: str, classes: Sequence[str] = ()) -> Json:
    """A colour axis with its bar under the figure: values at the left, differences at the right."""
    right = scale == "difference"
    named = {"tickvals": list(range(len(classes))), "ticktext": [escaped(name) for name in classes]} if classes else {}
    return {
        "cmin": limits[0],
        "cmax": limits[1],
        "colorbar": {
            "orientation": "h", "thickness": 10, "len": 0.3, "x": 1 if right else 0,
            "xanchor": "right" if right else "left", "y": 0, "yanchor": "top", "ypad": 16, "nticks": 5,
            "outlinewidth": 0, "title": {"text": escaped(title), "side": "top", "font": {"size": 13}},
            "tickfont": {"size": 12}, **named,
        },
    }  # fmt: skip


def signed_cells(values: np.ndarray, digits: str, lang: Lang) -> list[list[str]]:
    """The numbers in the cells where some are negative: Plotly itself would write a hyphen for the minus."""
    if not (values < 0).any():
        return []
    sign = str.maketrans("-.", "−," if lang == "de" else "−.")
    return [
        ["" if np.isnan(value) else f"{value:{digits}}".translate(sign) for value in row] for row in values.tolist()
    ]


def add_map(
    data: list[Json], layout: Json, panel: Panel, suffix: str, domain: tuple[float, float], kind: Kind, lang: Lang
) -> None:
    """One panel's heatmap, axes and title."""
    rows, columns = panel.values.shape
    small = kind != "wide" and max(rows, columns) <= (2 if panel.texts else 1) * IN_CELLS  # a class is a short word
    trace: Json = {
        "type": "heatmap", "z": typed(panel.values.astype(np.float32)), "xaxis": f"x{suffix}", "yaxis": f"y{suffix}",
        "coloraxis": AXIS_OF[panel.scale], "hovertemplate": panel.hover + "<extra></extra>", "hoverongaps": False,
        "y0": 0 if panel.rows else 1,  # unnamed rows are units, and units count from 1
        "xgap": 2 if columns <= 2 * IN_CELLS else 0, "ygap": 2 if kind != "wide" and rows <= 2 * IN_CELLS else 0,
    }  # fmt: skip
    texts = panel.texts or (signed_cells(panel.values, panel.digits, lang) if small else ())
    if small:
        template = "%{text}" if texts else f"%{{z:{panel.digits}}}"
        trace |= {"texttemplate": template, "textfont": {"size": 13}}
    for name, cells in (("text", texts), ("hovertext", panel.hovers)):
        if cells:
            trace[name] = [[escaped(cell) for cell in row] for row in cells]
    data.append(trace)
    size = 15 if columns <= IN_CELLS else 12 if columns <= 40 else 10
    layout[f"xaxis{suffix}"] = {
        "domain": domain, "anchor": f"y{suffix}", "side": "top", "tickvals": list(range(columns)),
        "ticktext": [bold(label) for label in panel.columns], "showgrid": False, "zeroline": False, "showline": False,
        "ticks": "", "autotickangles": [0, -45, -90], "tickfont": {"size": size}, "fixedrange": True,
        "range": [-0.5, columns - 0.5],
    }  # fmt: skip
    names = {"tickvals": list(range(rows)), "ticktext": [bold(label) for label in panel.rows]}
    layout[f"yaxis{suffix}"] = {
        "domain": (0, 1) if panel.line is None else (0, 0.8), "anchor": f"x{suffix}", "showgrid": False,
        "zeroline": False,
        "showline": False, "ticks": "", "automargin": True, "fixedrange": True, "tickfont": {"size": size},
        **(names | {"range": [rows - 0.5, -0.5]} if panel.rows else {"nticks": 5, "range": [rows + 0.5, 0.5]}),
    }  # fmt: skip
    if panel.numbers:
        aliases = {str(place): str(number) for place, number in enumerate(panel.numbers, start=1)}
        layout[f"yaxis{suffix}"]["labelalias"] = aliases
    layout["annotations"].append({
        "text": escaped(panel.title), "xref": f"x{suffix} domain", "yref": f"y{suffix} domain", "x": 0, "y": 1,
        "xanchor": "left", "yanchor": "bottom", "showarrow": False, "yshift": 30, "font": {"size": 13},
    })  # fmt: skip


def line_range(lines: Sequence[np.ndarray | None]) -> list[float]:
    """One range for the lines above maps that show the same thing: 0 and all values, with some room."""
    values = np.concatenate([[0.0], *(line for line in lines if line is not None)])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.05 * (high - low or 1.0)
    return [low - room * (low < 0), high + room]


def add_line(
    data: list[Json], layout: Json, line: np.ndarray, suffix: str, number: int, limits: list[float]
) -> str:  # fmt: skip
    """The line above a map, over the same words; gives the name of its value axis."""
    axis = f"y{LINE_AXES + number}"
    data.append({
        "type": "scatter", "mode": "lines+markers", "x": list(range(len(line))), "y": typed(line),
        "xaxis": f"x{suffix}", "yaxis": axis, "hoverinfo": "skip", "line": {"width": 2}, "marker": {"size": 5},
    })  # fmt: skip
    layout[f"yaxis{LINE_AXES + number}"] = {
        "domain": (0.84, 1), "anchor": f"x{suffix}", "showgrid": False, "zeroline": True, "nticks": 3,
        "tickfont": {"size": 11}, "fixedrange": True, "automargin": True, "range": limits,
    }  # fmt: skip
    return axis


def behind(number: int, theme: Theme) -> Json:
    """A hatched ground under the cells of a panel: it shows where a cell has no value."""
    suffix = "" if number == 0 else str(number + 1)
    return {
        "type": "path", "layer": "below", "xref": f"x{suffix} domain", "yref": f"y{suffix} domain", "path": HATCHED,
        "fillcolor": MASKED[theme], "line": {"width": 1, "color": HATCH[theme]},
    }  # fmt: skip


def bold(label: str) -> str:
    """A word on an axis."""
    return f"<b>{escaped(label)}</b>"


def themed(layout: Json, scales: Sequence[Scale], theme: Theme, masked: Sequence[int]) -> Json:
    """All that a theme changes: a patch of the layout; behind the cells of the `masked` panels it is hatched."""
    patch: Json = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "shapes": [behind(number, theme) for number in masked],
        "font": {"color": INK[theme]},
        "colorway": [ACCENT[theme]],
        "hoverlabel": {"bgcolor": INK[theme], "bordercolor": INK[theme], "font": {"color": PAPER[theme]}},
    }
    for scale in scales:
        patch[AXIS_OF[scale]] = {"colorscale": colorscale(scale, theme)}
    for name in layout:
        if name.startswith(("xaxis", "yaxis")):
            patch[name] = {"tickfont": {"color": INK[theme]}, "linecolor": QUIET[theme], "zerolinecolor": QUIET[theme]}
            if layout[name].get("showgrid"):
                patch[name]["gridcolor"] = GRID[theme]
    return patch
