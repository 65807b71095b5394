"""Stills: draws a figure's own Plotly JSON with matplotlib, so that picture and page cannot differ; no browser needed.

Heatmaps are true vectors in SVG and PDF. Only the kinds of trace that the views use are known; any other raises.
"""

import base64
import html
import io
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from unicodedata import category

import numpy as np

from app.messages import Lang
from app.plotting import GRID, INK, MASKED, PAPER, QUIET, Json, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

LEAST_CAPTION = 8.5  # pixels, times scale
BELOW_TICKS = 18

Form = Literal["svg", "pdf", "png"]
MEDIA: dict[Form, str] = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}
DPI = 96.0  # Plotly's pixels are those of CSS
POINTS = 72 / DPI
FONT = "DejaVu Sans"  # comes with matplotlib
BORDER = 18  # pixels around everything
LEAST_CELL = 24  # pixels: rows of few columns are no flatter
DASHES = {"solid": "-", "dash": "--", "dot": ":"}
RECTANGLES = 40_000  # of a drawn picture: with more, the picture itself is embedded
WIDE_FROM = 2.2  # cells that would be so much wider than high stay flat
UNUSABLE = ("emoji", "color", "last resort")  # glyphs that are pictures, or boxes for what is missing

_drawing = threading.Lock()  # matplotlib's settings are those of the process


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


def still(plot: Json, form: Form, style: Style, caption: str) -> bytes:
    """The file: SVG, PDF or PNG; `plot` is what figure.js draws, with its theme's colours. Raises UnknownTrace."""
    import matplotlib

    settings = {
        "font.family": [FONT], "svg.fonttype": "none", "svg.hashsalt": "satzblick", "pdf.fonttype": 42,
        "text.usetex": False, "text.parse_math": False, "axes.unicode_minus": True, "hatch.linewidth": 0.6,
    }  # fmt: skip
    metadata: dict[Form, dict[str, Any]] = {
        "svg": {"Date": None, "Title": caption}, "pdf": {"CreationDate": None, "Title": caption},
        "png": {"Title": caption},
    }  # fmt: skip
    with _drawing, matplotlib.rc_context(settings):
        figure = draw(plot, style, caption)
        file = io.BytesIO()
        ground = "none" if style.transparent else PAPER[style.theme]
        figure.savefig(file, format=form, dpi=DPI, facecolor=ground, metadata=metadata[form])
    return file.getvalue()


def draw(plot: Json, style: Style, caption: str) -> "Figure":
    """The still as a figure of matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(style.width / DPI, style.height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)  # measures the texts
    picture = Picture(plot, style, figure)
    for trace in plot["data"]:
        picture.add(trace)
    picture.finish(caption)
    return figure


class Picture:
    """One figure while it is drawn."""

    def __init__(self, plot: Json, style: Style, figure: "Figure"):
        self.plot, self.style, self.figure = plot, style, figure
        self.layout: Json = plot["layout"]
        self.axes: dict[str, Axes] = {}  # by the name of their value axis
        self.across: dict[str, str] = {}  # value axis → its word axis
        self.bars: list[tuple[Axes, Json]] = []
        self.named: list[tuple[Any, str]] = []
        self.worded: set[Any] = set()  # the axes whose ticks are words

    def add(self, trace: Json) -> None:
        """Draws a trace on its axes."""
        draw = {"heatmap": self.heatmap, "scatter": self.scatter, "bar": self.bar, "image": self.image}.get(
            trace["type"]
        )
        if draw is None:
            raise UnknownTrace(f"a still cannot hold a trace of type {trace['type']}")
        if trace.get("visible", True) is True:
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
        """Cells as vectors; those without a value are hatched."""
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
        axes.pcolormesh(
            x, y, np.ma.masked_invalid(values), cmap=scale, vmin=colours["cmin"], vmax=colours["cmax"],
            edgecolors=GRID[self.style.theme] if gap else "face", linewidth=self.style.points(1) if gap else 0.1,
        )  # fmt: skip
        axes.set_xlim(x[0], x[-1])
        axes.set_ylim(y[-1], y[0])
        if template := trace.get("texttemplate"):
            share = (values - colours["cmin"]) / (colours["cmax"] - colours["cmin"])
            for row, column in np.ndindex(down, over):
                if np.isnan(values[row, column]):
                    continue
                text = trace["text"][row][column] if template == "%{text}" else None
                written = plain(text) if text is not None else self.number(float(values[row, column]), template)
                axes.text(
                    column + left, row + top, drawable(written), ha="center", va="center", parse_math=False,
                    fontsize=self.style.points(13), color=contrast(scale(float(share[row, column]))), label="cell",
                    fontfamily=fonts(written),
                )  # fmt: skip
        self.colour_bar(trace["coloraxis"], axes)

    def number(self, value: float, template: str) -> str:
        """A number as d3 writes it in a cell: %{z:.2f}."""
        form = re.fullmatch(r"%\{z:(\+?\.\d[f%])\}", template)
        if form is None:
            raise UnknownTrace(f"a still cannot write {template}")
        text = format(value, form[1]).replace("-", "−")
        return text.replace(".", ",") if self.style.lang == "de" else text

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
        face = marker.get("color", colour)
        many = not isinstance(face, str)
        dots = "markers" in mode and not many
        drawn = axes.plot(
            x, y, linestyle=DASHES[line.get("dash", "solid")] if "lines" in mode else "none", color=colour,
            linewidth=self.style.points(line.get("width", 2)), marker="o" if dots else "none",
            markersize=self.style.points(size_of(marker)), markerfacecolor=face if dots else colour,
            markeredgewidth=0, clip_on=False, zorder=3,
        )  # fmt: skip
        if many:
            axes.scatter(x, y, s=self.style.points(size_of(marker)) ** 2, c=list(face), zorder=3, linewidths=0)
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
            down, over = place.split()
            away = self.style.points(7)
            offset = ({"left": -away, "right": away}.get(over, 0), {"top": away, "bottom": -away}.get(down, 0))
            written = plain(text)
            axes.annotate(
                drawable(written), (x[number], y[number]), offset, textcoords="offset points", parse_math=False,
                ha={"left": "right", "right": "left", "center": "center"}[over],
                va={"top": "bottom", "bottom": "top", "middle": "center"}[down], annotation_clip=False,
                fontsize=self.style.points(size_of(font, 13)), color=font.get("color") or self.ink(),
                fontfamily=fonts(written), zorder=4,
            )  # fmt: skip

    def bar(self, trace: Json, axes: "Axes") -> None:
        """Bars, upright or lying."""
        colour = trace["marker"]["color"]
        lying = trace.get("orientation") == "h"
        y = numbers(trace["y"])
        x = numbers(trace["x"]) if "x" in trace else np.arange(len(y), dtype=float)
        count = sum(other["type"] == "bar" and other.get("yaxis") == trace.get("yaxis") for other in self.plot["data"])
        grouped = self.layout.get("barmode", "group") == "group"
        place = sum(len(container) > 0 for container in axes.containers)
        whole = 1 - self.layout.get("bargap", 0.2)
        width = whole / count if grouped else whole
        shift = (place - (count - 1) / 2) * width if grouped else 0
        if lying:
            drawn = axes.barh(y + shift, x, height=width, color=colour, zorder=3)
        else:
            drawn = axes.bar(x + shift, y, width=width, color=colour, zorder=3)
        if trace.get("showlegend", True) and trace.get("name"):
            self.named.append((drawn, plain(trace["name"])))
        for number, text in enumerate(trace.get("text", ())):
            at = (x[number], y[number] + shift) if lying else (x[number] + shift, y[number])
            written, away = plain(text), self.style.points(4)
            axes.annotate(
                drawable(written), at, (away, 0) if lying else (0, away), textcoords="offset points", parse_math=False,
                ha="left" if lying else "center", va="center" if lying else "bottom", annotation_clip=False,
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

    def finish(self, caption: str) -> None:
        """Axes, marks, legend and caption; then all in its place, until nothing is cut off."""
        for y, axes in self.axes.items():
            if "overlaying" not in self.layout[long_name(y)]:  # else it shares the words of the axes below
                self.word_axis(axes, self.layout[long_name(self.across[y])], y)
            self.value_axis(axes, self.layout[long_name(y)])
        for shape in self.layout.get("shapes", ()):
            self.shape(shape)
        notes = [(self.note(note), note) for note in self.layout.get("annotations", ())]
        if self.layout.get("showlegend") and len(self.named) > 1:
            self.legend()
        written = self.figure.text(
            BORDER / self.style.width, BORDER / self.style.height, drawable(caption), ha="left", va="bottom",
            fontsize=self.style.points(12), color=self.ink(True), parse_math=False, fontfamily=fonts(caption),
        )  # fmt: skip
        wrap(written, self.style.width - 2 * BORDER)
        self.arrange(written)
        self.captions([drawn for drawn, note in notes if note.get("name") == "caption"])

    def word_axis(self, axes: "Axes", axis: Json, y: str) -> None:
        """The axis across."""
        shared = [
            other for other in self.axes
            if self.across[other] == self.across[y] and "overlaying" not in self.layout[long_name(other)]
        ]  # fmt: skip
        anchored = len(shared) < 2 or long_name(axis.get("anchor", "y")) == long_name(y)
        if "range" in axis:
            axes.set_xlim(*limits(axis))
        if axis.get("type") == "log":
            axes.set_xscale("log")
        above = axis.get("side") == "top"
        axes.xaxis.set_ticks_position("top" if above else "bottom")
        self.ticks(axes.xaxis, axis, shown=anchored and axis.get("showticklabels", True))
        self.grid(axes, axis, "x")
        self.title(axes.xaxis, axis)

    def value_axis(self, axes: "Axes", axis: Json) -> None:
        """The axis down."""
        if axis.get("type") == "log":
            axes.set_yscale("log")
        if "range" in axis:
            axes.set_ylim(*limits(axis))
        elif axis.get("rangemode") == "tozero":
            low, high = axes.get_ylim()
            axes.set_ylim(min(low, 0), max(high, 0))
        if axis.get("side") == "right":
            axes.yaxis.set_ticks_position("right")
            axes.yaxis.set_label_position("right")
        self.ticks(axes.yaxis, axis, axis.get("showticklabels", True))
        self.grid(axes, axis, "y")
        self.title(axes.yaxis, axis)

    def ticks(self, target: Any, axis: Json, shown: bool) -> None:
        """Named ticks, or numbers in the reader's notation."""
        from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

        size = self.style.points(axis.get("tickfont", {}).get("size", 13))
        colour = axis.get("tickfont", {}).get("color") or self.ink()
        target.set_tick_params(which="both", length=0, labelsize=size, labelcolor=colour, pad=self.style.points(5))
        if not axis.get("visible", True) or not shown:
            target.set_major_locator(NullLocator())
            target.set_minor_locator(NullLocator())
        elif "ticktext" in axis:
            texts = [plain(text) for text in axis["ticktext"]]
            target.set_ticks(
                list(axis["tickvals"]), [drawable(text) for text in texts], parse_math=False, fontfamily=fonts(*texts),
                fontweight="bold" if any("<b>" in text for text in axis["ticktext"]) else "normal",
            )  # fmt: skip
            target.set_minor_locator(NullLocator())
            self.worded.add(target)
        else:
            if axis.get("type") != "log":
                target.set_major_locator(MaxNLocator(axis.get("nticks", 7), steps=[1, 2, 2.5, 5, 10]))
            else:
                target.set_minor_locator(NullLocator())
            aliases = axis.get("labelalias", {})
            target.set_major_formatter(FuncFormatter(lambda value, _: self.tick(value, aliases)))

    def tick(self, value: float, aliases: dict[str, str]) -> str:
        """A number at an axis."""
        text = f"{value:.6g}"
        text = aliases.get(text, text)
        if "e" in text:
            base, _, power = text.partition("e")
            text = f"{base}·10{str(int(power)).translate(RAISED)}".removeprefix("1·")
        text = text.replace("-", "−")
        return text.replace(".", ",") if self.style.lang == "de" else text

    def grid(self, axes: "Axes", axis: Json, which: Literal["x", "y"]) -> None:
        """Quiet lines where the figure has them."""
        if axis.get("showgrid"):
            axes.grid(True, which="major", axis=which, color=GRID[self.style.theme], linewidth=self.style.points(1))
            axes.set_axisbelow(True)

    def title(self, target: Any, axis: Json) -> None:
        """The name of an axis."""
        text = plain((axis.get("title") or {}).get("text", ""))
        if text:
            target.set_label_text(
                drawable(text), fontsize=self.style.points(14), color=self.ink(), parse_math=False,
                fontfamily=fonts(text),
            )  # fmt: skip
            target.labelpad = self.style.points(8)

    def place(self, ref: str, axis: Literal["x", "y"]) -> tuple[Any, bool]:
        """The axes that a coordinate is measured on, and whether as a share of them; None for the whole figure."""
        if ref == "paper":
            return None, True
        name, _, share = ref.partition(" ")
        for y, axes in self.axes.items():
            if name == (y if axis == "y" else self.across[y]):
                return axes, bool(share)
        raise UnknownTrace(f"there is no axis {ref}")

    def transform(self, item: Json) -> Any:
        """How the coordinates of a mark become places."""
        from matplotlib.transforms import blended_transform_factory as blended

        def one(axis: Literal["x", "y"]) -> Any:
            axes, share = self.place(item.get(f"{axis}ref", "paper"), axis)
            if axes is None:
                axes = next(iter(self.axes.values()))
            return axes.transAxes if share else axes.transData

        return blended(one("x"), one("y"))

    def shape(self, shape: Json) -> Any:
        """A rectangle or a line; the ground behind masked cells is drawn with the cells."""
        from matplotlib.lines import Line2D
        from matplotlib.patches import Rectangle

        if shape.get("fillcolor") == MASKED[self.style.theme] and shape.get("layer") == "below":
            return None
        line = shape.get("line", {})
        look: dict[str, Any] = {"linewidth": self.style.points(line.get("width", 2)), "clip_on": False,
                "zorder": 0.5 if shape.get("layer") == "below" else 4}  # fmt: skip
        x0, x1, y0, y1 = (shape[name] for name in ("x0", "x1", "y0", "y1"))
        edge = line.get("color") or self.ink()
        drawn: Any
        if shape["type"] == "line":
            drawn = Line2D((x0, x1), (y0, y1), color=edge, linestyle=DASHES[line.get("dash", "solid")], **look)
        elif shape["type"] == "rect":
            fill = shape.get("fillcolor", "none")
            drawn = Rectangle(
                (x0, y0), x1 - x0, y1 - y0, facecolor=css(fill), edgecolor=edge if line.get("width", 2) else "none",
                alpha=shape.get("opacity"), **look,
            )  # fmt: skip
        else:
            raise UnknownTrace(f"a still cannot hold a shape of type {shape['type']}")
        axes, _ = self.place(shape.get("yref", "paper"), "y")
        axes = axes or next(iter(self.axes.values()))
        drawn.set_transform(self.transform(shape))
        return axes.add_artist(drawn)

    def note(self, note: Json) -> Any:
        """A text in the figure; that over a panel stands above its words."""
        text, size = plain(note["text"]), self.style.points(note.get("font", {}).get("size", 13))
        colour = note.get("font", {}).get("color") or self.ink()
        axes, share = self.place(note.get("yref", "paper"), "y")
        if axes is not None and share and note.get("y") == 1 and note.get("xanchor") == "left":
            return axes.set_title(
                drawable(text), loc="left", fontsize=size, color=self.ink(True), parse_math=False,
                fontfamily=fonts(text), pad=self.style.points(8),
            )  # fmt: skip
        axes = axes or next(iter(self.axes.values()))
        below = -BELOW_TICKS if note.get("name") == "bar" else 0  # its ticks are notes too
        shift = (self.style.points(note.get("xshift", 0)), self.style.points(note.get("yshift", below)))
        return axes.annotate(
            drawable(text), (note["x"], note["y"]), shift, xycoords=self.transform(note), textcoords="offset points",
            ha={"auto": "center"}.get(note.get("xanchor", "center"), note.get("xanchor", "center")),
            va={"middle": "center", "auto": "center"}.get(note.get("yanchor", "middle"), note.get("yanchor", "middle")),
            fontsize=size, color=colour, parse_math=False, fontfamily=fonts(text), annotation_clip=False, zorder=5,
            rotation=-note.get("textangle", 0), fontweight="bold" if "<b>" in note["text"] else "normal",
        )  # fmt: skip

    def captions(self, drawn: Sequence[Any]) -> None:
        """Texts below the tiles of an atlas as large as these allow: whole, else their first words."""
        if not drawn:
            return
        renderer, axes = renderer_of(self.figure), drawn[0].axes
        (left, _), (right, _) = axes.transData.transform([(0, 0), (1, 0)])
        for brief in (False, True):
            if brief:
                for text in drawn:
                    text.set_text(text.get_text().split(" ")[0])
            longest = max(text.get_window_extent(renderer).width for text in drawn)
            size = drawn[0].get_fontsize() * min(1, 0.94 * (right - left) / longest)
            if size >= self.style.points(LEAST_CAPTION):
                break
        for text in drawn:
            text.set_fontsize(size)

    def legend(self) -> None:
        """The names of the curves, in rows above them."""
        names = [name for _, name in self.named]
        room = self.style.width - 2 * BORDER
        wide = max(self.style.scale * (8 * len(name) + 60) for name in names)
        found = self.figure.legend(
            [handle for handle, _ in self.named], [drawable(name) for name in names], loc="upper left", frameon=False,
            bbox_to_anchor=(BORDER / self.style.width, 1 - BORDER / self.style.height), borderaxespad=0, borderpad=0,
            ncols=max(1, min(len(names), int(room // wide))), fontsize=self.style.points(13), labelcolor=self.ink(),
            columnspacing=1.2, handlelength=1.6,
        )  # fmt: skip
        for text, name in zip(found.get_texts(), names, strict=True):
            text.set_parse_math(False)
            text.set_fontfamily(fonts(name))

    def arrange(self, caption: Any) -> None:
        """Gives the panels what legend, caption and colour bars leave, and turns words that would touch."""
        renderer = renderer_of(self.figure)
        floor = caption.get_window_extent(renderer).y1 + self.style.scale * 12
        ceiling = float(self.style.height - BORDER)
        for legend in self.figure.legends:
            ceiling = legend.get_window_extent(renderer).y0 - self.style.scale * 10
        if self.bars:
            floor += self.style.scale * 52
        box = (float(BORDER), floor, float(self.style.width - BORDER), ceiling)
        inner = box
        for _ in range(4):
            self.spread(inner)
            for axes in self.axes.values():
                if axes.xaxis in self.worded:
                    turn(axes, renderer)
            taken = union(axes.get_tightbbox(renderer) for axes in self.axes.values())
            inner = (
                inner[0] + max(0, box[0] - taken.x0), inner[1] + max(0, box[1] - taken.y0),
                inner[2] - max(0, taken.x1 - box[2]), inner[3] - max(0, taken.y1 - box[3]),
            )  # fmt: skip
            inner = (inner[0], inner[1], max(inner[2], inner[0] + 20), max(inner[3], inner[1] + 20))
        self.spread(inner)
        lowest = union(axes.get_tightbbox(renderer) for axes in self.axes.values()).y0
        sides = union(axes.get_window_extent(renderer) for axes in self.axes.values())
        for number, (_, bar) in enumerate(self.bars):
            self.draw_bar(bar, (sides.x0, sides.x1), lowest - self.style.scale * 24, number)

    def spread(self, inner: tuple[float, float, float, float]) -> None:
        """Puts every panel into its share of the box (left, bottom, right, top in pixels); all cells are alike."""
        shape = self.plot.get("panels", {})
        if shape.get("kind") == "map" and shape.get("rows"):
            self.spread_maps(inner, shape["rows"])
            return
        left, bottom, right, top = inner
        gaps = self.extra_gap()
        for y, axes in self.axes.items():
            x0, x1 = self.layout[long_name(self.across[y])].get("domain", (0, 1))
            axis = self.layout[long_name(y)]
            y0, y1 = axis.get("domain", (0, 1))
            start, wide = left + (right - left) * x0, (right - left) * (x1 - x0)
            if x0 > 0:
                start, wide = start + gaps, wide - gaps
            high = (top - bottom) * (y1 - y0)
            self.put(axes, start, bottom + (top - bottom) * y0, wide, high)
            if axis.get("scaleanchor"):
                self.same_units(axes, self.layout[long_name(self.across[y])], axis, wide / high)

    def same_units(self, axes: "Axes", over: Json, down: Json, shape: float) -> None:
        """Widens one of the two ranges until both axes have one unit."""
        (left, right), (low, high) = (axis.get("range") or now for axis, now in
                                      ((over, axes.get_xlim()), (down, axes.get_ylim())))  # fmt: skip
        wide, tall = max(right - left, (high - low) * shape), max(high - low, (right - left) / shape)
        axes.set_xlim((left + right - wide) / 2, (left + right + wide) / 2)
        axes.set_ylim((low + high - tall) / 2, (low + high + tall) / 2)

    def spread_maps(self, inner: tuple[float, float, float, float], rows: int) -> None:
        """Maps side by side with cells of one size: square ones of square maps, else wider."""
        left, bottom, right, top = inner
        sizes = {y: self.cells(y) for y in self.axes if "domain" in self.layout[long_name(self.across[y])]}
        panels = {y: size for y, size in sizes.items() if self.layout[long_name(y)].get("domain", (0, 1))[0] == 0}
        gap = self.extra_gap() + 30 * self.style.scale
        share = 0.8 if len(panels) < len(self.axes) else 1.0  # a line stands above the cells
        wide = (right - left - gap * (len(panels) - 1)) / sum(panels.values())
        high = min((top - bottom) * share / rows, max(wide, LEAST_CELL * self.style.scale))
        square = all(size == rows for size in panels.values())
        wide = min(wide, high * (1 if square else WIDE_FROM))
        start = left + (right - left - gap * (len(panels) - 1) - wide * sum(panels.values())) / 2
        for y, size in panels.items():
            self.put(self.axes[y], start, top - (top - bottom) * (1 - share) - high * rows, wide * size, high * rows)
            for other, axes in self.axes.items():
                if other != y and self.across[other] == self.across[y]:
                    self.put(axes, start, top - (top - bottom) * 0.16, wide * size, (top - bottom) * 0.16)
            start += wide * size + gap

    def cells(self, y: str) -> int:
        """How many columns a map has."""
        low, high = limits(self.layout[long_name(self.across[y])])
        return round(abs(high - low))

    def put(self, axes: "Axes", left: float, bottom: float, wide: float, high: float) -> None:
        """Places axes by pixels."""
        width, height = self.style.width, self.style.height
        axes.set_position((left / width, bottom / height, max(wide, 1) / width, max(high, 1) / height))

    def extra_gap(self) -> float:
        """Pixels between panels for the names at the left of all but the first."""
        renderer = renderer_of(self.figure)
        widest = 0.0
        for y, axes in self.axes.items():
            if self.layout[long_name(self.across[y])].get("domain", (0, 1))[0] > 0:
                box = axes.yaxis.get_tightbbox(renderer)
                widest = max(widest, box.width if box else 0)
        return widest

    def draw_bar(self, bar: Json, sides: tuple[float, float], top: float, number: int) -> None:
        """A colour axis under the figure; its steps are vectors too."""
        look = bar["colorbar"]
        whole, count = sides[1] - sides[0], len(self.bars)
        width = max(0.3 * whole, min(200 * self.style.scale, 0.42 * self.style.width))
        if count > 2:
            width = min(width, 0.28 * whole)
        apart = (whole - width) / (count - 1) if count > 1 else 0
        left = max(sides[0] + apart * number, 0)
        thick = 10 * self.style.scale
        axes = self.figure.add_axes(
            ((left) / self.style.width, (top - thick - 8 * self.style.scale) / self.style.height,
             width / self.style.width, thick / self.style.height), label=bar["name"],
        )  # fmt: skip
        steps = np.linspace(bar["cmin"], bar["cmax"], 65)
        axes.pcolormesh(
            steps, [0, 1], ((steps[:-1] + steps[1:]) / 2)[None], cmap=color_map(bar["colorscale"]), vmin=bar["cmin"],
            vmax=bar["cmax"], edgecolors="face", linewidth=0.2,
        )  # fmt: skip
        for side in axes.spines.values():
            side.set_visible(False)
        axes.yaxis.set_visible(False)
        self.ticks(axes.xaxis, {"tickfont": {"size": 12}, "nticks": 4} | look | {"title": None}, True)
        text = plain(look["title"]["text"])
        axes.set_title(drawable(text), loc="left", fontsize=self.style.points(12), color=self.ink(), parse_math=False,
                       fontfamily=fonts(text), pad=self.style.points(4))  # fmt: skip


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def renderer_of(figure: "Figure") -> Any:
    """What measures the texts of a figure."""
    return figure.canvas.get_renderer()  # type: ignore[attr-defined]  # Agg's, see draw()


def long_name(name: str) -> str:
    """x2 → xaxis2."""
    return f"{name[0]}axis{name[1:].removeprefix('axis')}"


def limits(axis: Json) -> tuple[float, float]:
    """The range of an axis; that of a log axis is given in powers of ten."""
    low, high = axis["range"]
    return (10**low, 10**high) if axis.get("type") == "log" else (low, high)


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


def css(colour: str) -> Any:
    """A colour of CSS as matplotlib knows it."""
    if parts := re.fullmatch(r"rgba?\(([^)]+)\)", colour.strip()):
        red, green, blue, *alpha = (float(part) for part in parts[1].split(","))
        return (red / 255, green / 255, blue / 255, alpha[0] if alpha else 1.0)
    return colour


def contrast(colour: tuple[float, float, float, float]) -> str:
    """Ink that can be read on a cell."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    return "#1b1b1f" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.2 else "#ffffff"


def plain(text: str) -> str:
    """A label as it was typed: Plotly's tags away, its entities undone."""
    return html.unescape(re.sub(r"</?(?:b|i|sub|sup|span)(?: [^>]*)?>", "", text.replace("<br>", "\n")))


@cache
def family_of(letter: str) -> str | None:
    """The first font of this system that has a glyph; None where no font has one."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    ours = font_manager.findfont(FONT)
    if FT2Font(ours).get_char_index(ord(letter)):
        return FONT
    for entry in sorted(font_manager.fontManager.ttflist, key=lambda entry: (entry.weight != 400, entry.name)):
        if any(word in f"{entry.name}{entry.fname}".lower() for word in UNUSABLE):
            continue
        try:
            if FT2Font(entry.fname).get_char_index(ord(letter)):
                return str(entry.name)
        except (RuntimeError, OSError):  # a file that FreeType does not read
            continue
    return None


def fonts(*texts: str) -> list[str]:
    """The families that these texts need, the usual one first."""
    needed = (family_of(letter) for text in texts for letter in dict.fromkeys(text) if letter.isprintable())
    return list(dict.fromkeys([FONT, *(family for family in needed if family)]))


def seen(letter: str) -> bool:
    """Whether a character can be drawn and seen."""
    return letter.isprintable() and family_of(letter) is not None


def drawable(text: str) -> str:
    """The text, with the code point of a character that no font has or nobody can see."""
    return "".join(
        " " if category(letter) == "Zs" else letter if letter == "\n" or seen(letter) else f"U+{ord(letter):04X}"
        for letter in text
    )


def wrap(text: Any, room: float) -> None:
    """Breaks a text into lines of this width in pixels."""
    words, lines, renderer = text.get_text().split(" "), [""], renderer_of(text.figure)
    for word in words:
        text.set_text(f"{lines[-1]} {word}".strip())
        if lines[-1] and text.get_window_extent(renderer).width > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    text.set_text("\n".join(lines))


def turn(axes: "Axes", renderer: "RendererBase") -> None:
    """Turns the words of an axis by 45, then 90 degrees, where they would touch."""
    labels = [label for label in axes.get_xticklabels() if label.get_text()]
    if len(labels) < 2:
        return
    above = axes.xaxis.get_ticks_position() == "top"
    for angle in (0, 45, 90):
        for label in labels:
            label.set_rotation(angle)
            label.set_rotation_mode("anchor" if angle else "default")
            label.set_horizontalalignment("center" if not angle else "left" if above else "right")
            label.set_verticalalignment(
                ("bottom" if above else "top") if not angle else "center" if angle == 90 else "baseline"
            )
        if angle == 90:
            return
        step = abs(axes.transData.transform((1, 0))[0] - axes.transData.transform((0, 0))[0])
        sizes = [label.get_window_extent(renderer) for label in labels]
        if angle == 0 and all(first.x1 + 4 <= second.x0 for first, second in zip(sizes, sizes[1:], strict=False)):
            return
        if angle == 45 and step > 1.6 * float(labels[0].get_fontsize()) / POINTS:
            return


def union(boxes: "Iterable[Bbox | None]") -> "Bbox":
    """The box around all."""
    from matplotlib.transforms import Bbox

    return Bbox.union([box for box in boxes if box is not None])
