"""What stands around the traces of a still: axes and their words, marks, texts, and the names of the curves."""

from typing import TYPE_CHECKING, Any, Literal

from app.plotting.colours import GRID, MASKED
from app.plotting.plot import Json
from app.stills.letters import drawable, fonts, plain
from app.stills.picture import Picture, UnknownTrace, long_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BORDER = 18  # pixels around everything
BELOW_TICKS = 18
NUMBERS = 7  # at an axis that says no other
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def word_axis(picture: Picture, axes: "Axes", axis: Json, y: str) -> None:
    """The axis across."""
    shared = [
        other for other in picture.axes
        if picture.across[other] == picture.across[y] and "overlaying" not in picture.layout[long_name(other)]
    ]  # fmt: skip
    anchored = len(shared) < 2 or long_name(axis.get("anchor", "y")) == long_name(y)
    if "range" in axis:
        axes.set_xlim(*limits(axis))
    if axis.get("type") == "log":
        axes.set_xscale("log")
    above = axis.get("side") == "top"
    axes.xaxis.set_ticks_position("top" if above else "bottom")
    ticks(picture, axes.xaxis, axis, shown=anchored and axis.get("showticklabels", True))
    grid(picture, axes, axis, "x")
    title(picture, axes.xaxis, axis)


def value_axis(picture: Picture, axes: "Axes", axis: Json) -> None:
    """The axis down."""
    if axis.get("type") == "log":
        axes.set_yscale("log")
    if "range" in axis:
        axes.set_ylim(*limits(axis))
    if axis.get("side") == "right":
        axes.yaxis.set_ticks_position("right")
        axes.yaxis.set_label_position("right")
    ticks(picture, axes.yaxis, axis, axis.get("showticklabels", True))
    grid(picture, axes, axis, "y")
    title(picture, axes.yaxis, axis)


def ticks(picture: Picture, target: Any, axis: Json, shown: bool) -> None:
    """Named ticks, or numbers in the reader's notation."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    size = picture.style.points(axis.get("tickfont", {}).get("size", 13))
    colour = axis.get("tickfont", {}).get("color") or picture.ink()
    target.set_tick_params(which="both", length=0, labelsize=size, labelcolor=colour, pad=picture.style.points(5))
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
        picture.worded[target] = target.get_ticklabels()
    else:
        if axis.get("type") != "log":
            target.set_major_locator(MaxNLocator(axis.get("nticks", NUMBERS), steps=[1, 2, 2.5, 5, 10]))
        else:
            target.set_minor_locator(NullLocator())
        aliases = axis.get("labelalias", {})
        target.set_major_formatter(FuncFormatter(lambda value, _: tick(picture, value, aliases)))


def tick(picture: Picture, value: float, aliases: dict[str, str]) -> str:
    """A number at an axis."""
    text = f"{value:.6g}"
    text = aliases.get(text, text)
    if "e" in text:
        base, _, power = text.partition("e")
        text = f"{base}·10{str(int(power)).translate(RAISED)}".removeprefix("1·")
    text = text.replace("-", "−")
    return text.replace(".", ",") if picture.style.lang == "de" else text


def grid(picture: Picture, axes: "Axes", axis: Json, which: Literal["x", "y"]) -> None:
    """Quiet lines where the figure has them."""
    if axis.get("showgrid"):
        axes.grid(True, which="major", axis=which, color=GRID[picture.style.theme], linewidth=picture.style.points(1))
        axes.set_axisbelow(True)


def title(picture: Picture, target: Any, axis: Json) -> None:
    """The name of an axis."""
    text = plain((axis.get("title") or {}).get("text", ""))
    if text:
        target.set_label_text(
            drawable(text), fontsize=picture.style.points(14), color=picture.ink(), parse_math=False,
            fontfamily=fonts(text),
        )  # fmt: skip
        target.labelpad = picture.style.points(8)


def place(picture: Picture, ref: str, axis: Literal["x", "y"]) -> tuple[Any, bool]:
    """The axes that a coordinate is measured on, and whether as a share of them."""
    name, _, share = ref.partition(" ")
    for y, axes in picture.axes.items():
        if name == (y if axis == "y" else picture.across[y]):
            return axes, bool(share)
    raise UnknownTrace(f"there is no axis {ref}")


def transform(picture: Picture, item: Json) -> Any:
    """How the coordinates of a mark become places."""
    from matplotlib.transforms import blended_transform_factory as blended

    def one(axis: Literal["x", "y"]) -> Any:
        axes, share = place(picture, item[f"{axis}ref"], axis)
        return axes.transAxes if share else axes.transData

    return blended(one("x"), one("y"))


def draw_shape(picture: Picture, shape: Json) -> Any:
    """A rectangle; the ground behind masked cells is drawn with the cells."""
    from matplotlib.patches import Rectangle

    if shape.get("fillcolor") == MASKED[picture.style.theme] and shape.get("layer") == "below":
        return None
    if shape["type"] != "rect":
        raise UnknownTrace(f"a still cannot hold a shape of type {shape['type']}")
    line, (x0, x1, y0, y1) = shape["line"], (shape[name] for name in ("x0", "x1", "y0", "y1"))
    drawn = Rectangle(
        (x0, y0), x1 - x0, y1 - y0, facecolor=shape.get("fillcolor", "none"), edgecolor=line["color"],
        linewidth=picture.style.points(line["width"]), zorder=0.5 if shape.get("layer") == "below" else 4,
        clip_on=False,
    )  # fmt: skip
    axes, _ = place(picture, shape["yref"], "y")
    drawn.set_transform(transform(picture, shape))
    return axes.add_artist(drawn)


def draw_note(picture: Picture, note: Json) -> Any:
    """A text in the figure; that over a panel stands above its words."""
    text, size = plain(note["text"]), picture.style.points(note.get("font", {}).get("size", 13))
    colour = note.get("font", {}).get("color") or picture.ink()
    axes, share = place(picture, note["yref"], "y")
    if share and note.get("y") == 1 and note.get("xanchor") == "left":
        return axes.set_title(
            drawable(text), loc="left", fontsize=size, color=picture.ink(True), parse_math=False,
            fontfamily=fonts(text), pad=picture.style.points(8),
        )  # fmt: skip
    below = -BELOW_TICKS if note.get("name") == "bar" else 0  # its ticks are notes too
    shift = (picture.style.points(note.get("xshift", 0)), picture.style.points(note.get("yshift", below)))
    return axes.annotate(
        drawable(text), (note["x"], note["y"]), shift, xycoords=transform(picture, note), textcoords="offset points",
        ha={"auto": "center"}.get(note.get("xanchor", "center"), note.get("xanchor", "center")),
        va={"middle": "center", "auto": "center"}.get(note.get("yanchor", "middle"), note.get("yanchor", "middle")),
        fontsize=size, color=colour, parse_math=False, fontfamily=fonts(text), annotation_clip=False, zorder=5,
        rotation=-note.get("textangle", 0), fontweight="bold" if "<b>" in note["text"] else "normal",
    )  # fmt: skip


def legend(picture: Picture) -> None:
    """The names of the curves, in rows above them."""
    names = [name for _, name in picture.named]
    room = picture.style.width - 2 * BORDER
    wide = max(picture.style.scale * (8 * len(name) + 70) for name in names)
    found = picture.figure.legend(
        [handle for handle, _ in picture.named], [drawable(name) for name in names], loc="upper left", frameon=False,
        bbox_to_anchor=(BORDER / picture.style.width, 1 - BORDER / picture.style.height), borderaxespad=0, borderpad=0,
        ncols=max(1, min(len(names), int(room // wide))), fontsize=picture.style.points(13), labelcolor=picture.ink(),
        columnspacing=1.2, handlelength=2.6,
    )  # fmt: skip
    for text, name in zip(found.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_fontfamily(fonts(name))


def limits(axis: Json) -> tuple[float, float]:
    """The range of an axis; that of a log axis is given in powers of ten."""
    low, high = axis["range"]
    return (10**low, 10**high) if axis.get("type") == "log" else (low, high)
