"""The places of a still: panels with cells of one size, words that turn where they would touch, bars of colours."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from app.plotting.plot import Json
from app.stills.frame import BORDER, limits, ticks
from app.stills.letters import drawable, fonts, plain
from app.stills.picture import SEAM, Picture, color_map, long_name
from app.stills.texts import fit_names, fit_numbers, fit_title, renderer_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

LEAST_CELL = 24  # pixels: rows of few columns are no flatter
LEAST_PANEL = 16  # pixels of height, times scale: with less, letters are made smaller
LEAST_COLUMN, MOST_COLUMNS = 6, 8  # the same of width, for each of so many columns
AIR = 10  # pixels between a title and what stands beside or above it
WIDE_FROM = 2.2  # cells that would be so much wider than high stay flat


def arrange(picture: Picture, caption: Any) -> None:
    """Gives the panels what legend, caption and colour bars leave, and turns words that would touch."""
    renderer = renderer_of(picture.figure)
    floor = caption.get_window_extent(renderer).y1 + picture.style.scale * 12
    ceiling = float(picture.style.height - BORDER)
    for legend in picture.figure.legends:
        ceiling = legend.get_window_extent(renderer).y0 - picture.style.scale * 10
    if picture.bars:
        floor += picture.style.scale * 52
    box = (float(BORDER), floor, float(picture.style.width - BORDER), ceiling)
    inner, before = box, None
    for _ in range(4):
        spread(picture, inner)
        for y in picture.axes:
            fit_names(picture, y)
        if before == (before := (inner, arranged(picture))):
            break  # once more would change nothing
        taken = union(axes.get_tightbbox(renderer) for axes in picture.axes.values())
        inner = (
            inner[0] + max(0, box[0] - taken.x0), inner[1] + max(0, box[1] - taken.y0),
            inner[2] - max(0, taken.x1 - box[2]), inner[3] - max(0, taken.y1 - box[3]),
        )  # fmt: skip
        inner = (inner[0], inner[1], max(inner[2], inner[0] + 20), max(inner[3], inner[1] + 20))
    spread(picture, inner)
    fit_numbers(picture)
    lowest = union(axes.get_tightbbox(renderer) for axes in picture.axes.values()).y0
    sides = union(axes.get_window_extent(renderer) for axes in picture.axes.values())
    for number, (_, bar) in enumerate(picture.bars):
        draw_bar(picture, bar, (sides.x0, sides.x1), lowest - picture.style.scale * 24, number)


def roomy(picture: Picture) -> bool:
    """Whether letters of this size leave each panel enough to be seen, and its first columns to be told apart."""
    for y, axes in picture.axes.items():
        box, columns = axes.get_window_extent(), picture.layout[long_name(picture.across[y])].get("tickvals", ())
        least_wide = LEAST_COLUMN * min(MOST_COLUMNS, len(columns))
        if box.height < LEAST_PANEL * picture.style.scale or box.width < least_wide * picture.style.scale:
            return False
    return True


def arranged(picture: Picture) -> list[Any]:
    """Where everything is that places depend on, and how the words are turned."""
    return [
        (axes.get_position().bounds, axes.get_xlim(), axes.get_ylim(),
         next((label.get_rotation() for label in axes.get_xticklabels()), 0))
        for axes in picture.axes.values()
    ]  # fmt: skip


def spread(picture: Picture, inner: tuple[float, float, float, float]) -> None:
    """Puts every panel into its share of the box (left, bottom, right, top in pixels); all cells are alike."""
    shape = picture.plot.get("panels", {})
    if shape.get("kind") == "map" and shape.get("rows"):
        spread_maps(picture, inner, shape["rows"])
        return
    left, bottom, right, top = inner
    domains = {y: picture.layout[long_name(picture.across[y])].get("domain", (0, 1)) for y in picture.axes}
    starts, gap = sorted({x0 for x0, _ in domains.values()}), extra_gap(picture)
    whole = right - left - gap * (len(starts) - 1)  # each panel gives its share to the names between them
    for y, (x0, x1) in domains.items():
        if x1 - x0 < 1:
            fit_title(picture, y, whole * (x1 - x0))
    shares = stacked(picture, top - bottom)
    for y, axes in picture.axes.items():
        x0, x1 = domains[y]
        axis = picture.layout[long_name(y)]
        y0, y1 = shares[y]
        start, wide = left + whole * x0 + gap * starts.index(x0), whole * (x1 - x0)
        high = (top - bottom) * (y1 - y0)
        put(picture, axes, start, bottom + (top - bottom) * y0, wide, high)
        if x1 - x0 == 1:
            axes.apply_aspect()
            fit_title(picture, y, picture.style.width - BORDER - axes.get_window_extent().x0)
        if axis.get("scaleanchor"):
            same_units(axes, picture.layout[long_name(picture.across[y])], axis, wide / high)


def same_units(axes: "Axes", over: Json, down: Json, shape: float) -> None:
    """Widens one of the two ranges until both axes have one unit."""
    (left, right), (low, high) = (axis.get("range") or now for axis, now in
                                  ((over, axes.get_xlim()), (down, axes.get_ylim())))  # fmt: skip
    wide, tall = max(right - left, (high - low) * shape), max(high - low, (right - left) / shape)
    axes.set_xlim((left + right - wide) / 2, (left + right + wide) / 2)
    axes.set_ylim((low + high - tall) / 2, (low + high + tall) / 2)


def spread_maps(picture: Picture, inner: tuple[float, float, float, float], rows: int) -> None:
    """Maps side by side with cells of one size: square ones of square maps, else wider."""
    left, bottom, right, top = inner
    sizes = {y: cells(picture, y) for y in picture.axes if "domain" in picture.layout[long_name(picture.across[y])]}
    panels = {y: size for y, size in sizes.items() if picture.layout[long_name(y)].get("domain", (0, 1))[0] == 0}
    gap = extra_gap(picture) + 30 * picture.style.scale
    wide = (right - left - gap * (len(panels) - 1)) / sum(panels.values())
    high = min((top - bottom) / rows, max(wide, LEAST_CELL * picture.style.scale))
    square = all(size == rows for size in panels.values())
    wide = min(wide, high * (1 if square else WIDE_FROM))
    start = left + (right - left - gap * (len(panels) - 1) - wide * sum(panels.values())) / 2
    for y, size in panels.items():
        put(picture, picture.axes[y], start, top - high * rows, wide * size, high * rows)
        room = (
            wide * size + gap - AIR * picture.style.scale if len(panels) > 1 else picture.style.width - BORDER - start
        )
        fit_title(picture, y, room)
        start += wide * size + gap


def stacked(picture: Picture, high: float) -> dict[str, tuple[float, float]]:
    """Where panels begin and end, as shares of the height in pixels.

    Of those that stand one over the other, words and titles get what they need and the panels share what is left.
    """
    found = {y: tuple(picture.layout[long_name(y)].get("domain", (0, 1))) for y in picture.axes}
    columns: dict[str, list[str]] = {}
    for y in sorted(picture.axes, key=lambda y: -found[y][0]):
        if "overlaying" not in picture.layout[long_name(y)]:
            columns.setdefault(picture.across[y], []).append(y)
    for rows in columns.values():
        heads = [head(picture, [other[place] for other in columns.values() if place < len(other)]) / high
                 for place in range(1, len(rows))]  # fmt: skip
        parts = [found[y][1] - found[y][0] for y in rows]
        top, bottom = found[rows[0]][1], found[rows[-1]][0]
        share = max(0.1, top - bottom - sum(heads)) / sum(parts)
        for y, part, above in zip(rows, parts, [0.0, *heads], strict=True):
            top -= above
            found[y] = (top - part * share, top)
            top -= part * share
    return found


def head(picture: Picture, panels: Iterable[str]) -> float:
    """Pixels that words and titles take above the cells, and a little air."""
    renderer, tallest = renderer_of(picture.figure), 0.0
    for y in panels:
        box = picture.axes[y].get_tightbbox(renderer)
        if box:
            tallest = max(tallest, box.y1 - picture.axes[y].get_window_extent(renderer).y1)
    return tallest + AIR * picture.style.scale


def cells(picture: Picture, y: str) -> int:
    """How many columns a map has."""
    low, high = limits(picture.layout[long_name(picture.across[y])])
    return round(abs(high - low))


def put(picture: Picture, axes: "Axes", left: float, bottom: float, wide: float, high: float) -> None:
    """Places axes by pixels."""
    width, height = picture.style.width, picture.style.height
    axes.set_position((left / width, bottom / height, max(wide, 1) / width, max(high, 1) / height))


def extra_gap(picture: Picture) -> float:
    """Pixels between panels for the names at the left of all but the first."""
    renderer = renderer_of(picture.figure)
    widest = 0.0
    for y, axes in picture.axes.items():
        if picture.layout[long_name(picture.across[y])].get("domain", (0, 1))[0] > 0:
            box = axes.yaxis.get_tightbbox(renderer)
            widest = max(widest, box.width if box else 0)
    return widest


def draw_bar(picture: Picture, bar: Json, sides: tuple[float, float], top: float, number: int) -> None:
    """A colour axis under the figure; its steps are vectors too."""
    look = bar["colorbar"]
    whole, count = sides[1] - sides[0], len(picture.bars)
    width = max(0.3 * whole, min(200 * picture.style.scale, 0.42 * picture.style.width))
    if count > 2:
        width = min(width, 0.28 * whole)
    apart = (whole - width) / (count - 1) if count > 1 else 0
    left = max(sides[0] + apart * number, 0)
    thick = 10 * picture.style.scale
    axes = picture.figure.add_axes(
        ((left) / picture.style.width, (top - thick - 8 * picture.style.scale) / picture.style.height,
         width / picture.style.width, thick / picture.style.height), label=bar["name"],
    )  # fmt: skip
    steps = np.linspace(bar["cmin"], bar["cmax"], 65)
    axes.pcolormesh(
        steps, [0, 1], ((steps[:-1] + steps[1:]) / 2)[None], cmap=color_map(bar["colorscale"]), vmin=bar["cmin"],
        vmax=bar["cmax"], edgecolors="face", linewidth=SEAM,
    )  # fmt: skip
    for side in axes.spines.values():
        side.set_visible(False)
    axes.yaxis.set_visible(False)
    ticks(picture, axes.xaxis, {"tickfont": {"size": 12}, "nticks": 4} | look | {"title": None}, True)
    text = plain(look["title"]["text"])
    axes.set_title(drawable(text), loc="left", fontsize=picture.style.points(12), color=picture.ink(), parse_math=False,
                   fontfamily=fonts(text), pad=picture.style.points(4))  # fmt: skip


def union(boxes: "Iterable[Bbox | None]") -> "Bbox":
    """The box around all."""
    from matplotlib.transforms import Bbox

    return Bbox.union([box for box in boxes if box is not None])
