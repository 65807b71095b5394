"""Maps of cells side by side on shared scales, lines above them, the ground behind masked cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.messages import Lang
from app.plotting.colours import CLASSES, THEMES, Scale
from app.plotting.plot import GAP, Cells, Json, Kind, Plot, blank, bold, escaped, suffix_of, themed, typed

IN_CELLS = 12  # up to so many cells across or down the value stands in the cell
NUMBER = "%{z:.2f}"  # how it is written there
PEAK = 11  # pixels: a point of a line that the summary names
LINE_AXES = 11  # value axes of lines are numbered from here, beyond those of the maps


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
    peaks: Sequence[int] = ()  # the points of that line that the summary names
    numbers: Sequence[int | str] = ()  # what the unnamed rows are called where they are not 1, 2, 3 …
    texts: Sequence[Sequence[str]] = ()  # what stands in the cells instead of numbers
    hovers: Sequence[Sequence[str]] = ()  # what is said of each cell, for %{hovertext} in `hover`
    framed: Sequence[Cells] = ()  # what the summary names, where rows have names
    classes: Sequence[str] = ()  # what the values 0, 1, 2 … mean on the scale "class"


def maps(panels: Sequence[Panel], lang: Lang, kind: Kind, titles: dict[Scale, str]) -> Plot:
    """Heatmaps side by side as one figure; `titles` names the colour bar of each scale.

    "map" has square cells and words on both sides, "lanes" other things at the left, "wide" many thin rows,
    "table" cells as wide as there is room, for what stands in them.
    """
    data: list[Json] = []
    layout = blank(lang)
    width = (1 - GAP * (len(panels) - 1)) / len(panels)
    shown = colour_axes([panel.scale for panel in panels])
    axes: list[list[str]] = []
    tokens: list[Json] = []
    for number, panel in enumerate(panels):
        suffix = suffix_of(number)
        left = number * (width + GAP)
        domain = (left, left + width)
        add_map(data, layout, panel, suffix, domain, kind, lang, shown[panel.scale])
        axes.append([f"x{suffix}", f"y{suffix}"])
        if panel.line is not None:
            beside = [each.line for each in panels if (each.scale == "difference") == (panel.scale == "difference")]
            axes[-1].append(add_line(data, layout, panel, suffix, number, line_range(beside)))
        linked = [f"x{suffix}", f"y{suffix}"] if kind == "map" else [f"x{suffix}"]
        tokens += [{"run": panel.run, "axis": axis, "positions": list(panel.positions)} for axis in linked]
    for scale, axis in shown.items():
        layout[axis] = color_axis(span(panels, scale), titles[scale], panels[0].classes, axis != "coloraxis")
    rows, cells = (max(len(getattr(panel, side)) for panel in panels) for side in ("rows", "columns"))
    shape = {
        "columns": axes,
        "rows": rows,
        "cells": cells,
        "row_labels": kind != "wide",
        "kind": kind if kind in ("wide", "table") else "map",
    }
    scales = {axis: scale for scale, axis in shown.items()}
    masked = [number for number, panel in enumerate(panels) if np.isnan(panel.values).any()]
    framed = [(number, cells) for number, panel in enumerate(panels) for cells in panel.framed]
    themes: dict[str, Json] = {theme: themed(layout, theme, scales, masked, framed) for theme in THEMES}
    return Plot(data, layout, themes, shape, tokens)


def cell(row: int, column: int) -> Cells:
    """One cell, to be framed."""
    return (row, row), (column, column)


def colour_axes(scales: Sequence[Scale]) -> dict[Scale, str]:
    """The colour axis of each scale: a difference, or the second of two, has another than the first."""
    found = dict.fromkeys(scales)
    return {scale: "coloraxis2" if place or scale == "difference" else "coloraxis" for place, scale in enumerate(found)}


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


def add_map(
    data: list[Json],
    layout: Json,
    panel: Panel,
    suffix: str,
    domain: tuple[float, float],
    kind: Kind,
    lang: Lang,
    colours: str,
) -> None:
    """One panel's heatmap, axes and title."""
    rows, columns = panel.values.shape
    small = kind != "wide" and max(rows, columns) <= (2 if panel.texts else 1) * IN_CELLS  # a class is a short word
    trace: Json = {
        "type": "heatmap", "z": typed(panel.values.astype(np.float32)), "xaxis": f"x{suffix}", "yaxis": f"y{suffix}",
        "coloraxis": colours, "hovertemplate": panel.hover + "<extra></extra>", "hoverongaps": False,
        "y0": 0 if panel.rows else 1,  # unnamed rows are units, and units count from 1
        "xgap": 2 if columns <= 2 * IN_CELLS else 0, "ygap": 2 if kind != "wide" and rows <= 2 * IN_CELLS else 0,
    }  # fmt: skip
    texts = panel.texts or (signed_cells(panel.values, lang) if small else ())
    if small:
        trace |= {"texttemplate": "%{text}" if texts else NUMBER, "textfont": {"size": 13}}
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


def signed_cells(values: np.ndarray, lang: Lang) -> list[list[str]]:
    """The numbers in the cells where some are negative: Plotly itself would write a hyphen for the minus, and one for
    what is rounded to nothing."""
    if not (values < 0).any():
        return []
    sign = str.maketrans("-.", "−," if lang == "de" else "−.")
    # z: no minus before 0.00
    return [["" if np.isnan(value) else f"{value:z.2f}".translate(sign) for value in row] for row in values.tolist()]


def color_axis(limits: tuple[float, float], title: str, classes: Sequence[str] = (), right: bool = False) -> Json:
    """A colour axis with its bar under the figure: values at the left, differences at the right."""
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


def line_range(lines: Sequence[np.ndarray | None]) -> list[float]:
    """One range for the lines above maps that show the same thing: 0 and all values, with some room."""
    values = np.concatenate([[0.0], *(line for line in lines if line is not None)])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.05 * (high - low or 1.0)
    return [low - room * (low < 0), high + room]


def add_line(data: list[Json], layout: Json, panel: Panel, suffix: str, number: int, limits: list[float]) -> str:
    """The line above a map, over the same words, with its peaks; gives the name of its value axis."""
    axis, line = f"y{LINE_AXES + number}", panel.line
    assert line is not None
    common = {"type": "scatter", "xaxis": f"x{suffix}", "yaxis": axis, "hoverinfo": "skip"}
    data.append(common | {
        "mode": "lines+markers", "x": list(range(len(line))), "y": typed(line), "line": {"width": 2},
        "marker": {"size": 5},
    })  # fmt: skip
    if panel.peaks:
        peaks = list(panel.peaks)
        data.append(
            common
            | {"mode": "markers", "x": peaks, "y": typed(line[peaks]), "marker": {"size": PEAK}, "cliponaxis": False}
        )
    layout[f"yaxis{LINE_AXES + number}"] = {
        "domain": (0.84, 1), "anchor": f"x{suffix}", "showgrid": False, "zeroline": True, "nticks": 3,
        "tickfont": {"size": 11}, "fixedrange": True, "automargin": True, "range": limits,
    }  # fmt: skip
    return axis
