"""Rows over the same words, one below the other: maps, bars, and what a row adds up to in a column at its right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from app.messages import Lang
from app.plotting import IN_CELLS, Plot, Scale, Theme
from app.plotting.colours import MASKED, SERIES, THEMES
from app.plotting.maps import NUMBER, color_axis, signed_cells
from app.plotting.plot import Json, blank, bold, escaped, themed, typed

NAMED = 12  # so many lines at most have names, and their numbers in the cells
ASIDE = 1.5  # columns that a total takes at the right: half a one of nothing, and its own
# Pixels of a row by what it holds; on a slide static/figure/stack.js makes it lower where there is no room.
HEIGHTS = {"cells": 34, "bars": 110, "units": 116}
TITLE = 30
APART = 0.06  # between two stacks, as a share of the width


@dataclass(frozen=True)
class Row:
    """Values [lines, words] as a map, or [1, words] as bars; NaN is a masked cell. `hover` is a Plotly template.

    `colours` names the colour axis that it shares with other rows; `total` [lines] stands at the right under its name.
    """

    title: str
    values: np.ndarray
    hover: str
    short: str = ""  # the title in a word, for slides
    colours: str = ""
    names: Sequence[str] = ()
    total: np.ndarray | None = None
    total_name: str = ""
    total_hover: str = ""
    texts: Sequence[str] = ()  # of bars
    outlines: np.ndarray | None = None  # [words], bars of another run around these; NaN: none
    hovers: Sequence[str] = ()  # of bars, in place of `hover`
    limit: float = 1.0  # of bars
    step: int = 0  # from which step of a playback on it is shown
    high: int = 0  # pixels, where it shall be higher than usual

    @property
    def kind(self) -> str:
        """What the row holds: "bars", one line or a few named ones of "cells", many thin lines of "units"."""
        return "bars" if not self.colours else "cells" if len(self.values) <= NAMED else "units"

    @property
    def first(self) -> int:
        """The number of the first line: units count from 1."""
        return 1 if self.kind == "units" else 0

    @property
    def height(self) -> int:
        """Its usual height in pixels."""
        return self.high or HEIGHTS[self.kind] * (len(self.values) if self.kind == "cells" else 1)


@dataclass(frozen=True)
class Stack:
    """The rows of one run over its words; `positions` are the words' places in run number `run`."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    run: int
    positions: Sequence[int]


def stacks(
    found: Sequence[Stack], lang: Lang, colours: Mapping[str, tuple[Scale, str]], playback: Sequence[str] = ()
) -> Plot:
    """One stack, or two beside each other; `colours` are the scale and the title of each colour axis."""
    layout = blank(lang) | {"bargap": 0.3, "barmode": "overlay"}
    data: list[Json] = []
    shown = {name: f"coloraxis{number}".removesuffix("1") for number, name in enumerate(colours, start=1)}
    masked: list[Json] = []
    placed = []
    width = (1 - APART * (len(found) - 1)) / len(found)
    for number, stack in enumerate(found):
        left = number * (width + APART)
        first = sum(len(other.rows) for other in found[:number]) + 1
        placed.append(add(data, layout, masked, stack, number, first, (left, left + width), shown, lang))
    for name, (scale, title) in colours.items():
        layout[shown[name]] = color_axis(spread(found, name, scale), title)
    panels = {"kind": "stack", "stacks": placed,
              "columns": [[stack["x"], row["y"]] for stack in placed for row in stack["rows"]]}  # fmt: skip
    tokens = [{"run": stack.run, "axis": place["x"], "positions": list(stack.positions)}
              for stack, place in zip(found, placed, strict=True) if stack.positions]  # fmt: skip
    scales = {shown[name]: scale for name, (scale, _) in colours.items()}
    themes: dict[str, Json] = {theme: coloured(layout, theme, scales, masked) for theme in THEMES}
    return Plot(data, layout, themes, panels, tokens, list(playback))


def add(
    data: list[Json], layout: Json, masked: list[Json], stack: Stack, number: int, first: int,
    domain: tuple[float, float], shown: Mapping[str, str], lang: Lang,
) -> Json:  # fmt: skip
    """One stack with its axes, the first of its rows on value axis `first`; what static/figure/stack.js places."""
    x = "x" if number == 0 else f"x{number + 1}"
    names = [f"y{place}" if place > 1 else "y" for place in range(first, first + len(stack.rows))]
    aside = ASIDE if any(row.total is not None for row in stack.rows) else 0
    layout[f"xaxis{x[1:]}"] = word_axis(stack.columns, domain, names[0], aside)
    for row, y, rise in zip(stack.rows, names, domains(stack.rows), strict=True):
        layout[f"yaxis{y[1:]}"] = line_axis(row, x, rise)
        named = f"<b>{escaped(stack.title)}</b><br>" if stack.title and y == names[0] else ""
        layout["annotations"].append(note(named + escaped(row.title), x, y))
        if row.total is not None:
            layout["annotations"].append(note(bold(row.total_name), x, y, len(stack.columns) + ASIDE - 1))
        data += traces(row, x, y, shown.get(row.colours, ""), len(stack.columns), lang)
        masked += [hidden(x, y, span) for span in gaps(row.values)] if row.colours else []
    rows = [
        {
            "y": y,
            "kind": row.kind,
            "lines": len(row.values),
            "height": row.height,
            "short": row.short,
            "limit": row.limit,
        }
        for row, y in zip(stack.rows, names, strict=True)
    ]
    return {"x": x, "rows": rows, "columns": len(stack.columns) + aside}


def domains(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Bottom and top of each row as shares of the figure, the first one at the top."""
    whole = sum(row.height + TITLE for row in rows) - TITLE
    tops = [0, *accumulate(row.height + TITLE for row in rows)]
    return [(1 - (top + row.height) / whole, 1 - top / whole) for top, row in zip(tops, rows, strict=False)]


def word_axis(columns: Sequence[str], domain: tuple[float, float], anchor: str, aside: float) -> Json:
    """The words across, above the first row."""
    return {
        "domain": domain, "anchor": anchor, "side": "top", "tickvals": list(range(len(columns))),
        "ticktext": [bold(label) for label in columns], "showgrid": False, "zeroline": False, "showline": False,
        "ticks": "", "autotickangles": [0, -45, -90], "tickfont": {"size": 15 if len(columns) <= IN_CELLS else 12},
        "fixedrange": True, "range": [-0.5, len(columns) - 0.5 + aside],
    }  # fmt: skip


def line_axis(row: Row, x: str, domain: tuple[float, float]) -> Json:
    """What stands at the left of a row: names, or nothing."""
    found: Json = {"domain": domain, "anchor": x, "showgrid": False, "zeroline": False, "showline": False, "ticks": "",
                   "fixedrange": True, "automargin": True}  # fmt: skip
    if row.kind == "bars":
        return found | {"range": [0, row.limit * 1.22], "showticklabels": False, "zeroline": True}
    first = row.first
    found["range"] = [len(row.values) - 0.5 + first, first - 0.5]
    if not row.names:
        return found | {"showticklabels": False}
    return found | {"tickvals": list(range(len(row.names))), "ticktext": [bold(name) for name in row.names],
                    "tickfont": {"size": 14}}  # fmt: skip


def note(text: str, x: str, y: str, column: float | None = None) -> Json:
    """A text over a row: at its left end, or over one column."""
    across = {"xref": f"{x} domain", "x": 0, "xanchor": "left"}
    if column is not None:
        across = {"xref": x, "x": column, "xanchor": "center"}
    return across | {"text": text, "yref": f"{y} domain", "y": 1, "yanchor": "bottom", "align": "left",
                     "showarrow": False, "font": {"size": 13}}  # fmt: skip


def traces(row: Row, x: str, y: str, colours: str, columns: int, lang: Lang) -> list[Json]:
    """A row's map or bars, and the column of its total."""
    at: Json = {"xaxis": x, "yaxis": y, "meta": {"from": row.step}}
    if row.kind == "bars":
        at |= {"type": "bar", "x": list(range(columns)), "cliponaxis": False, "textangle": 0, "textposition": "outside"}
        bars = at | {
            "y": typed(row.values[0].astype(np.float32)),
            "marker": {"color": SERIES[0]},
            "text": [escaped(text) for text in row.texts],
            "hovertemplate": row.hover + "<extra></extra>",
        }
        if row.hovers:
            bars |= {"hovertext": [escaped(text) for text in row.hovers],
                     "hovertemplate": "%{hovertext}<extra></extra>"}  # fmt: skip
        if row.outlines is None:
            return [bars]
        around = at | {"y": typed(row.outlines.astype(np.float32)), "hoverinfo": "skip",
                       "marker": {"color": "rgba(0,0,0,0)", "line": {"color": SERIES[1], "width": 2}}}  # fmt: skip
        if row.texts:  # over the higher one of the two
            higher = row.outlines > row.values[0]
            around["text"] = [text if above else "" for text, above in zip(bars["text"], higher, strict=True)]
            bars["text"] = ["" if above else text for text, above in zip(bars["text"], higher, strict=True)]
        return [bars, around]
    ready: Json = at | {"type": "heatmap", "y0": row.first, "coloraxis": colours, "hoverongaps": False,
                        "xgap": 2 if columns <= 2 * IN_CELLS else 0,
                        "ygap": 2 if row.kind == "cells" else 0}  # fmt: skip
    if row.kind == "cells" and columns <= 2 * IN_CELLS:
        cells = signed_cells(row.values, lang)
        ready |= {"texttemplate": "%{text}" if cells else NUMBER, "textfont": {"size": 13}}
        ready |= {"text": cells} if cells else {}
    found = [ready | {"z": typed(row.values.astype(np.float32)), "hovertemplate": row.hover + "<extra></extra>"}]
    if row.total is not None:
        found.append(ready | {"z": typed(row.total[:, None].astype(np.float32)), "x0": columns + ASIDE - 1,
                              "hovertemplate": row.total_hover + "<extra></extra>"})  # fmt: skip
    return found


def gaps(values: np.ndarray) -> list[tuple[int, int]]:
    """First and last column of each stretch of masked cells."""
    masked = np.concatenate([[0], np.isnan(values).all(0), [0]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(masked) == 1), np.flatnonzero(np.diff(masked) == -1)
    return list(zip(starts.tolist(), (ends - 1).tolist(), strict=True))


def hidden(x: str, y: str, span: tuple[int, int]) -> Json:
    """The ground of masked cells."""
    return {"type": "rect", "layer": "below", "xref": x, "yref": f"{y} domain", "x0": span[0] - 0.5,
            "x1": span[1] + 0.5, "y0": 0, "y1": 1, "line": {"width": 0}}  # fmt: skip


def spread(found: Sequence[Stack], name: str, scale: Scale) -> tuple[float, float]:
    """One range for all rows of a colour axis: 0 to 1 for shares, else symmetric around zero."""
    if scale == "share":
        return 0.0, 1.0
    arrays: list[Any] = [part for stack in found for row in stack.rows if row.colours == name
                         for part in (row.values, row.total) if part is not None]  # fmt: skip
    largest = max((float(np.nanmax(np.abs(part), initial=0)) for part in arrays), default=0.0)
    return (-largest, largest) if largest > 0 else (-1.0, 1.0)


def coloured(layout: Json, theme: Theme, scales: Mapping[str, Scale], masked: Sequence[Json]) -> Json:
    """All that a theme changes."""
    shapes = [shape | {"fillcolor": MASKED[theme]} for shape in masked]
    return themed(layout, theme, scales) | {"shapes": shapes}
