"""The traces of a figure as matplotlib draws them: cells, curves, bars, and a picture made of equal pixels."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.messages import Lang, decimal
from app.plotting import Theme
from app.plotting.colours import GRID, INK, MASKED, QUIET
from app.plotting.plot import Json
from app.stills.letters import drawable, fonts, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

DPI = 96.0  # Plotly's pixels are those of CSS
POINTS = 72 / DPI
MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "cross": "P", "x": "X"}
DASHES = {"solid": "-", "dash": "--", "dot": ":"}
RECTANGLES = 40_000  # of a drawn picture: with more, the picture itself is embedded
SEAM = 0.6  # points that cells reach over their neighbours: with less, renderers let the ground shine through
AWAY = 7  # pixels from a point to its name, times scale
INK_TURN = 0.179  # luminance at which black and white have the same contrast
CELLS = 50_000  # of all maps of a still, three of 128 words: with more, each is a picture of a pixel for each cell


class UnknownTrace(ValueError):
    """A figure holds something that stills do not know how to draw."""


@dataclass(frozen=True)
class Style:
    """How a still looks: size in pixels, size of labels and lines, colours, and the ground."""

    width: int
    height: int
    scale: float
    theme: Theme
    transparent: bool
    lang: Lang

    def points(self, pixels: float) -> float:
        """A size in Plotly's pixels as matplotlib's points, scaled."""
        return pixels * POINTS * self.scale


class Picture:
    """One figure while it is drawn."""

    def __init__(self, plot: Json, style: Style, figure: "Figure"):
        self.plot, self.style, self.figure = plot, style, figure
        self.layout: Json = plot["layout"]
        self.axes: dict[str, Axes] = {}  # by the name of their value axis
        self.across: dict[str, str] = {}  # value axis → its word axis
        self.bars: list[tuple[Axes, Json]] = []
        self.named: list[tuple[Any, str]] = []
        self.worded: dict[Any, list[Any]] = {}  # the axes whose ticks are words, with these, seen or not
        self.beside: dict[Any, list[Any]] = {}  # names of points, by their axes
        self.said: dict[Any, str] = {}  # by titles and names, before they are broken into lines
        maps = [trace for trace in plot["data"] if trace["type"] == "heatmap" and visible(trace)]
        self.cells = sum(numbers(trace["z"]).size for trace in maps)

    def add(self, trace: Json) -> None:
        """Draws a trace on its axes."""
        draw = {"heatmap": self.heatmap, "scatter": self.scatter, "bar": self.bar, "image": self.image}.get(
            trace["type"]
        )
        if draw is None:
            raise UnknownTrace(f"a still cannot hold a trace of type {trace['type']}")
        if visible(trace):
            draw(trace, self.on(trace.get("xaxis", "x"), trace.get("yaxis", "y")))

    def on(self, x: str, y: str) -> "Axes":
        """The axes of this name, made where they are new."""
        if y not in self.axes:
            axis = self.layout[long_name(y)]
            if (base := axis.get("overlaying")) and base in self.axes:
                self.axes[y] = self.axes[base].twinx()
            else:
                self.axes[y] = self.figure.add_axes((0.1, 0.1, 0.8, 0.8), label=y)
            self.across[y] = x
            self.axes[y].set_facecolor("none")
            for side in self.axes[y].spines.values():
                side.set_visible(False)
        return self.axes[y]

    def ink(self, quiet: bool = False) -> str:
        """The colour of texts."""
        return (QUIET if quiet else INK)[self.style.theme]

    def heatmap(self, trace: Json, axes: "Axes") -> None:
        """Cells, as vectors where they are few enough; those without a value are hatched."""
        values = numbers(trace["z"])
        down, over = values.shape
        top, left = float(trace.get("y0", 0)), float(trace.get("x0", 0))
        x, y = np.arange(over + 1) + left - 0.5, np.arange(down + 1) + top - 0.5
        colours = self.layout[trace["coloraxis"]]
        scale = color_map(colours["colorscale"])
        if np.isnan(values).any():
            from matplotlib.patches import Rectangle

            axes.add_patch(
                Rectangle((x[0], y[0]), over, down, facecolor=MASKED[self.style.theme], hatch="////", linewidth=0,
                          edgecolor=self.ink(True), alpha=0.6, zorder=0.5)
            )  # fmt: skip
        gap = min(trace.get("xgap", 0), trace.get("ygap", 0))
        shown = np.ma.masked_invalid(values)
        coloured: dict[str, Any] = {"cmap": scale, "vmin": colours["cmin"], "vmax": colours["cmax"]}
        if self.cells > CELLS:
            axes.imshow(
                shown, extent=(x[0], x[-1], y[-1], y[0]), interpolation="none", aspect="auto", zorder=1, **coloured
            )
        else:
            axes.pcolormesh(
                x, y, shown, edgecolors=GRID[self.style.theme] if gap else "face",
                linewidth=self.style.points(1) if gap else SEAM, **coloured,
            )  # fmt: skip
        axes.set_xlim(x[0], x[-1])
        axes.set_ylim(y[-1], y[0])
        if "texttemplate" in trace:
            share = (values - colours["cmin"]) / (colours["cmax"] - colours["cmin"])
            for row, column in np.ndindex(down, over):
                if np.isnan(values[row, column]):
                    continue
                value = float(values[row, column])
                written = plain(trace["text"][row][column]) if "text" in trace else decimal(self.style.lang, value, 2)
                axes.text(
                    column + left, row + top, drawable(written), ha="center", va="center", parse_math=False,
                    fontsize=self.style.points(13), color=contrast(scale(float(share[row, column]))), label="cell",
                    fontfamily=fonts(written),
                )  # fmt: skip
        self.colour_bar(trace["coloraxis"], axes)

    def colour_bar(self, name: str, axes: "Axes") -> None:
        """Remembers the bar of a colour axis, once."""
        if all(bar["name"] != name for _, bar in self.bars):
            self.bars.append((axes, self.layout[name] | {"name": name}))

    def scatter(self, trace: Json, axes: "Axes") -> None:
        """Lines, points and the texts beside them."""
        y = numbers(trace["y"])
        x = numbers(trace["x"]) if "x" in trace else np.arange(len(y), dtype=float)
        mode, line, marker = trace.get("mode", "lines"), trace.get("line", {}), trace.get("marker", {})
        colour = line.get("color") or self.layout["colorway"][0]
        dots = MARKERS[marker.get("symbol", "circle")] if "markers" in mode else "none"
        drawn = axes.plot(
            x, y, linestyle=DASHES[line.get("dash", "solid")] if "lines" in mode else "none", color=colour,
            linewidth=self.style.points(line.get("width", 2)), marker=dots,
            markersize=self.style.points(size_of(marker)), markerfacecolor=marker.get("color", colour),
            markeredgewidth=0, clip_on=False, zorder=3, alpha=trace.get("opacity"),
        )  # fmt: skip
        if trace.get("showlegend", True) and trace.get("name"):
            self.named.append((drawn[0], plain(trace["name"])))
        if "text" in mode:
            self.texts(trace, axes, x, y)

    def texts(self, trace: Json, axes: "Axes", x: np.ndarray, y: np.ndarray) -> None:
        """What stands beside points."""
        places, found = trace.get("textposition", "top center"), trace["text"]
        font = trace.get("textfont", {})
        for number, text in enumerate([found] * len(x) if isinstance(found, str) else found):
            place = places if isinstance(places, str) else places[number]
            if not text or not place or np.isnan(y[number]):
                continue
            written = plain(text)
            name = axes.annotate(
                drawable(written), (x[number], y[number]), (0, 0), textcoords="offset points", parse_math=False,
                annotation_clip=False, fontsize=self.style.points(size_of(font, 13)),
                color=font.get("color") or self.ink(), fontfamily=fonts(written),
                fontweight=font.get("weight", "normal"), zorder=4,
            )  # fmt: skip
            self.put_beside(name, place)
            self.beside.setdefault(axes, []).append(name)

    def put_beside(self, name: Any, place: str) -> None:
        """Puts a name at this place beside its point: "top center", "middle right" …"""
        down, over = place.split()
        away = self.style.points(AWAY)
        name.set_position(({"left": -away, "right": away}.get(over, 0), {"top": away, "bottom": -away}.get(down, 0)))
        name.set_horizontalalignment({"left": "right", "right": "left", "center": "center"}[over])
        name.set_verticalalignment({"top": "bottom", "bottom": "top", "middle": "center"}[down])

    def bar(self, trace: Json, axes: "Axes") -> None:
        """Upright bars."""
        look = {"color": trace["marker"]["color"], "zorder": 3}
        if pattern := trace["marker"].get("pattern"):
            light = (pattern["fgcolor"], pattern["fgopacity"])
            look |= {"hatch": 2 * pattern["shape"], "edgecolor": light, "linewidth": 0}
        if line := trace["marker"].get("line"):  # an outline without a ground
            look = {
                "fill": False,
                "edgecolor": line["color"],
                "linewidth": self.style.points(line["width"]),
                "zorder": 4,
            }
        y = numbers(trace["y"])
        x = numbers(trace["x"]) if "x" in trace else np.arange(len(y), dtype=float)
        count = sum(other["type"] == "bar" and other.get("yaxis") == trace.get("yaxis") for other in self.plot["data"])
        grouped = self.layout.get("barmode", "group") == "group"
        place = sum(len(container) > 0 for container in axes.containers)
        whole = 1 - self.layout.get("bargap", 0.2)
        width = whole / count if grouped else whole
        shift = (place - (count - 1) / 2) * width if grouped else 0
        drawn = axes.bar(x + shift, y, width=width, **look)
        if trace.get("showlegend", True) and trace.get("name"):
            self.named.append((drawn, plain(trace["name"])))
        for number, text in enumerate(trace.get("text", ())):
            at, written = (x[number] + shift, y[number]), plain(text)
            axes.annotate(
                drawable(written), at, (0, self.style.points(4)), textcoords="offset points", parse_math=False,
                ha="center", va="bottom", annotation_clip=False,
                fontsize=self.style.points(13), color=self.ink(), fontfamily=fonts(written),
            )  # fmt: skip

    def image(self, trace: Json, axes: "Axes") -> None:
        """A picture that the view has drawn itself, all heads at a glance: as vectors where these are few enough."""
        from matplotlib import image
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        kind, _, packed = trace["source"].partition(",")
        if kind != "data:image/png;base64":
            raise UnknownTrace("a still cannot hold a picture of this kind")
        pixels = image.imread(io.BytesIO(base64.b64decode(packed)), format="png")
        down, over = pixels.shape[:2]
        left, top, wide, high = (trace.get(name, base) for name, base in (("x0", 0), ("y0", 0), ("dx", 1), ("dy", 1)))
        edges = (left - wide / 2, left + (over - 0.5) * wide, top + (down - 0.5) * high, top - high / 2)
        colours = rectangles(pixels)
        if sum(map(len, colours.values())) > RECTANGLES:
            axes.imshow(pixels, extent=edges, interpolation="nearest", aspect="equal", zorder=2)
        else:
            for colour, corners in colours.items():
                path = Path.make_compound_path_from_polys(corners * (wide, high) + (edges[0], edges[3]))
                axes.add_patch(PathPatch(path, facecolor=colour, edgecolor=colour, linewidth=0.1, zorder=2))
            axes.set_aspect("equal")
            axes.set_xlim(*edges[:2])
            axes.set_ylim(*edges[2:])
        axes.set_anchor("N")  # two atlases begin at one height


def visible(trace: Json) -> bool:
    """Whether a trace is drawn; of the frames of a playback only the last is."""
    return trace.get("visible", True) is True


def long_name(name: str) -> str:
    """x2 → xaxis2."""
    return f"{name[0]}axis{name[1:].removeprefix('axis')}"


def numbers(values: Any) -> np.ndarray:
    """An array of Plotly's: typed in base64, or a list with gaps."""
    if isinstance(values, dict):
        flat = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]).newbyteorder("<"))
        shape = [int(size) for size in str(values.get("shape", len(flat))).split(",")]
        return flat.reshape(shape).astype(float)
    return np.array([np.nan if value is None else value for value in values], float)


def size_of(font: Json, standard: float = 6) -> float:
    """One size for all points of a trace."""
    size = font.get("size", standard)
    return float(size if isinstance(size, int | float) else max(size))


def rectangles(pixels: np.ndarray) -> dict[tuple[float, ...], np.ndarray]:
    """The equal pixels of a picture [rows, columns, 4] in one rectangle, by colour: corners [rectangles, 4, (x, y)].

    Rows that are alike make one; in it equal neighbours do. What is clear has none.
    """
    words = np.ascontiguousarray((pixels * 255).round().astype(np.uint8)).view(np.uint32)[..., 0]
    begins = np.flatnonzero(np.r_[True, (words[1:] != words[:-1]).any(1)])
    rows = words[begins]
    changes = np.ones(rows.shape, bool)
    changes[:, 1:] = rows[:, 1:] != rows[:, :-1]
    row, left = np.nonzero(changes)
    right = np.where(np.r_[row[1:] != row[:-1], True], rows.shape[1], np.r_[left[1:], 0])
    top, bottom = begins[row], np.r_[begins[1:], len(words)][row]
    corners = np.stack([left, top, right, top, right, bottom, left, bottom], 1).reshape(-1, 4, 2).astype(float)
    found = rows[row, left]
    parts = {int(word): corners[found == word] for word in np.unique(found)}
    rgba = {word: tuple(float(part) / 255 for part in np.array([word], np.uint32).view(np.uint8)) for word in parts}
    return {rgba[word]: part for word, part in parts.items() if rgba[word][3]}


def color_map(stops: Sequence[Sequence[Any]]) -> "LinearSegmentedColormap":
    """Plotly's stops as a map of colours."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("scale", [(float(place), colour) for place, colour in stops], N=512)


def contrast(colour: tuple[float, float, float, float]) -> str:
    """Ink that can be read on a cell: black or white; near the turn no other has enough contrast."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    return "#000000" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > INK_TURN else "#ffffff"
