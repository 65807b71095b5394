"""Plotly's JSON with a patch for each theme, typed arrays, and labels as they were typed."""

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from app.messages import Lang
from app.plotting.colours import (
    ACCENT,
    GRID,
    GROUND,
    HATCH,
    INK,
    MASKED,
    PAPER,
    QUIET,
    THEMES,
    Scale,
    Theme,
    colorscale,
)

Json = dict[str, Any]
Kind = Literal["map", "lanes", "wide", "table"]
Cells = tuple[tuple[int, int], tuple[int, int]]  # the first and the last row, and the first and the last column
DTYPES = {"float32": "f4", "float64": "f8", "int32": "i4", "uint8": "u1", "uint16": "u2"}
FONT = "ui-sans-serif, system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
GAP = 0.055  # between panels, as a share of the width
LINE, FRAME = 3, 7  # pixels: the line around cells that a summary names, and with the ground that it lies on
HATCHES = 36  # lines from side to side of a panel
HATCHED = "M0,0L1,0L1,1L0,1Z" + "".join(
    "M{:.3f},{:.3f}L{:.3f},{:.3f}".format(*ends, *ends[::-1])
    for ends in ((max(0, at - 1), min(1, at)) for at in np.arange(1, 2 * HATCHES) / HATCHES)
)


@dataclass(frozen=True)
class Plot:
    """Plotly's data and layout in the light theme, the patch for each theme, and how the page may lay panels out."""

    data: list[Json]
    layout: Json
    themes: dict[str, Json]
    panels: Json = field(default_factory=dict)
    tokens: list[Json] = field(default_factory=list)  # which axis shows which tokens of which run
    playback: list[str] = field(default_factory=list)  # what each step is called, where the plot can be walked through

    @property
    def standing(self) -> str:
        """The step that a still shows, where each takes the place of the one before; else the last one shows all."""
        return self.playback[-1] if any(trace.get("visible") is False for trace in self.data) else ""

    def json(self, theme: str = "auto") -> Json:
        """What static/figure/draw.js draws; with a fixed theme its colours are already in the layout."""
        layout = merged(self.layout, self.themes["dark" if theme == "dark" else "light"])
        return {
            "data": [painted(trace, theme) for trace in self.data],
            "layout": layout,
            "themes": self.themes,
            "panels": self.panels,
            "tokens": self.tokens,
            "playback": self.playback,
        }


def themed(
    layout: Json, theme: Theme, colours: Mapping[str, Scale] = {}, masked: Sequence[int] = (),
    framed: Sequence[tuple[int, Cells]] = (),
) -> Json:  # fmt: skip
    """All that a theme changes: a patch of the layout.

    `colours` are the scales of its colour axes; behind the cells of the `masked` panels it is hatched, and around the
    cells of `framed` (the number of a panel, and which of its cells) is a line, in the colour of words and numbers in
    the summary that names them. It lies on a line of the page's ground, since it may be as dark as its cell.
    """
    patch: Json = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "shapes": [behind(number, theme) for number in masked]
        + [around(*cells, *line) for line in ((FRAME, GROUND[theme]), (LINE, ACCENT[theme])) for cells in framed],
        "font": {"color": INK[theme]},
        "colorway": [ACCENT[theme]],
        "hoverlabel": {"bgcolor": INK[theme], "bordercolor": INK[theme], "font": {"color": PAPER[theme]}},
    }
    for axis, scale in colours.items():
        patch[axis] = {"colorscale": colorscale(scale, theme)}
    for name in layout:
        if name.startswith(("xaxis", "yaxis")):
            patch[name] = {"tickfont": {"color": INK[theme]}, "linecolor": QUIET[theme], "zerolinecolor": QUIET[theme]}
            if layout[name].get("showgrid"):
                patch[name]["gridcolor"] = GRID[theme]
    return patch


def blank(lang: Lang) -> Json:
    """The layout of a figure that has no axes yet."""
    return {
        "separators": ",." if lang == "de" else ".,", "font": {"family": FONT, "size": 15},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "hovermode": "closest", "dragmode": False, "showlegend": False,
        "annotations": [],
    }  # fmt: skip


def suffix_of(number: int) -> str:
    """What stands behind the names of a panel's axes: Plotly counts from 1 and leaves the 1 out."""
    return str(number + 1) if number else ""


def axes_of(number: int) -> tuple[str, str]:
    """The names of a panel's two axes."""
    return f"x{suffix_of(number)}", f"y{suffix_of(number)}"


def behind(number: int, theme: Theme) -> Json:
    """A hatched ground under the cells of a panel: it shows where a cell has no value."""
    x, y = axes_of(number)
    return {
        "type": "path", "layer": "below", "xref": f"{x} domain", "yref": f"{y} domain", "path": HATCHED,
        "fillcolor": MASKED[theme], "line": {"width": 1, "color": HATCH[theme]},
    }  # fmt: skip


def around(number: int, cells: Cells, width: int, colour: str) -> Json:
    """A line around cells."""
    (x, y), ((top, bottom), (left, right)) = axes_of(number), cells
    return {
        "type": "rect", "xref": x, "yref": y, "x0": left - 0.5, "x1": right + 0.5,
        "y0": top - 0.5, "y1": bottom + 0.5, "line": {"width": width, "color": colour},
    }  # fmt: skip


def painted(trace: Json, theme: str) -> Json:
    """A trace in a fixed theme: with its ink, if it is a name; an image's palette is the head of its address."""
    meta = trace.get("meta", {})
    if theme == "dark" and (inks := meta.get("inks")):
        return trace | {"textfont": trace["textfont"] | {"color": inks["dark"]}}
    if theme == "dark" and (heads := meta.get("heads")):
        return trace | {"source": heads["dark"] + trace["source"][len(heads["dark"]) :]}
    return trace


def merged(base: Json, patch: Json) -> Json:
    """`base` with the values of `patch`, level by level."""
    result = dict(base)
    for key, value in patch.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return result


def beside(left: Plot, right: Plot) -> Plot:
    """Two charts with axes of their own side by side; the step that playback has reached holds for both."""
    data = left.data + [trace | {"xaxis": "x2", "yaxis": "y2"} for trace in right.data]
    other = {"xaxis2": right.layout["xaxis"] | {"anchor": "y2"}, "yaxis2": right.layout["yaxis"] | {"anchor": "x2"}}
    if "scaleanchor" in other["yaxis2"]:
        other["yaxis2"] |= {"scaleanchor": "x2"}
    layout = left.layout | other | {"showlegend": True}
    layout["xaxis"] = layout["xaxis"] | {"domain": (0, 0.46)}
    layout["xaxis2"] |= {"domain": (0.54, 1)}
    themes: dict[str, Json] = {theme: themed(layout, theme) for theme in THEMES}
    return replace(
        left, data=data, layout=layout, themes=themes, panels={"columns": [["x", "y"], ["x2", "y2"]], "kind": "chart"}
    )


def typed(values: np.ndarray) -> Json:
    """An array as Plotly's base64 typed array."""
    packed = np.ascontiguousarray(values)
    encoded = {"dtype": DTYPES[str(packed.dtype)], "bdata": base64.b64encode(packed.data).decode("ascii")}
    return encoded | {"shape": ", ".join(map(str, packed.shape))} if packed.ndim > 1 else encoded


def escaped(label: str) -> str:
    """A label that Plotly shows as typed: its pseudo-HTML knows tags and entities."""
    return html.escape(label, quote=False)


def bold(label: str) -> str:
    """A word on an axis."""
    return f"<b>{escaped(label)}</b>"


def lines(text: str) -> str:
    """A text that Plotly shows as written, its line feeds too."""
    return escaped(text).replace("\n", "<br>")
