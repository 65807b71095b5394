"""The texts of a still in the room they have: broken into lines, turned, made smaller, every second one left out."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, inf
from typing import TYPE_CHECKING, Any

import numpy as np

from app.plotting.names import free_places
from app.stills.frame import NUMBERS
from app.stills.picture import AWAY, POINTS, Picture, long_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST_CAPTION = 8.5  # pixels, times scale
FILLED = 0.92  # of a cell's width, by the longest of its numbers
TITLE_LINES = 3  # over a panel
NAME_LINES = 3  # beside an axis
NARROWEST = 8  # letters' heights that a line of an axis' name has at least
BETWEEN = 0.25  # of their height, between names of points side by side
DOT = 4.5  # pixels, times scale: half a point
MOST_WAYS = 40  # points of paths whose names keep off the lines: more find no room as it is
APART = 1.6  # letters' heights from one number to the next above it


def renderer_of(figure: "Figure") -> Any:
    """What measures the texts of a figure."""
    return figure.canvas.get_renderer()  # type: ignore[attr-defined]  # Agg's, see draw()


def wrap(text: Any, room: float, most: int) -> None:
    """Breaks a text into at most so many lines of this length in pixels; of one that is longer the middle is left out:
    a sentence stands in the middle of captions and before what a title says of its line."""
    said: str = text.get_text()
    lines, kept = broken(text, said, room), len(said)
    while len(lines) > most and kept > 3:
        kept = kept * most // len(lines)
        tail = max(1, kept // 3)
        begun, ended = re.sub(r"\s\S{0,15}$", "", said[: kept - tail]), re.sub(r"^\S{0,15}\s", "", said[-tail:])
        lines = broken(text, f"{begun} … {ended}", room)
    text.set_text("\n".join(lines))


def broken(text: Any, said: str, room: float) -> list[str]:
    """These words in lines; what is longer than a line, such as an address, is broken between letters."""
    lines: list[str] = []
    for part in said.split("\n"):
        lines.append("")
        for word in part.split(" "):
            if lines[-1] and length(text, f"{lines[-1]} {word}") > room:
                lines.append("")
            line = f"{lines[-1]} {word}".strip()
            while len(line) > 1 and length(text, line) > room:
                begun = fitting(text, line, room)
                lines[-1:], line = [line[:begun], ""], line[begun:]
            lines[-1] = line
    return lines


def fitting(text: Any, line: str, room: float) -> int:
    """How many letters of a word have room, at least one."""
    return max(1, bisect_right(range(1, len(line)), room, key=lambda count: length(text, line[:count])))


def length(text: Any, line: str) -> float:
    """How long a line of this text would be in pixels."""
    text.set_text(line)
    box = text.get_window_extent(renderer_of(text.figure))
    return float(box.height if text.get_rotation() == 90 else box.width)


def fit(picture: Picture, text: Any, room: float, most: int) -> None:
    """Breaks a text anew, as it was before it was broken for another room."""
    text.set_text(picture.said.setdefault(text, text.get_text()))
    if text.get_text():
        wrap(text, room, most)


def fit_title(picture: Picture, y: str, room: float) -> None:
    """Breaks the title of a panel into lines that leave the next panel's alone."""
    fit(picture, picture.axes[y]._left_title, room, TITLE_LINES)  # type: ignore[attr-defined]


def fit_names(picture: Picture, y: str) -> None:
    """Gives the names of both axes the lines that fit beside them, and their words the room that they have."""
    from matplotlib.ticker import MaxNLocator

    axes = picture.axes[y]
    box = axes.get_window_extent()
    for target, room in ((axes.xaxis, box.width), (axes.yaxis, box.height)):
        least = NARROWEST * float(target.label.get_fontsize()) / POINTS
        fit(picture, target.label, max(room, least), NAME_LINES)
    if axes.xaxis in picture.worded:
        turn(picture, axes, words_size(picture, picture.across[y]))
    size = words_size(picture, y)
    if axes.yaxis in picture.worded:
        thin(picture, axes.yaxis, size)
    elif isinstance(numbers := axes.yaxis.get_major_locator(), MaxNLocator):
        most = picture.layout[long_name(y)].get("nticks", NUMBERS)
        numbers.set_params(nbins=max(1, min(most, int(box.height / (APART * size / POINTS)))))


def words_size(picture: Picture, name: str) -> float:
    """The size of an axis' words where they have room, in points."""
    return picture.style.points(picture.layout[long_name(name)].get("tickfont", {}).get("size", 13))


def turn(picture: Picture, axes: "Axes", size: float) -> None:
    """Turns the words of an axis by 45, then 90 degrees, where they would touch."""
    labels = [label for label in picture.worded[axes.xaxis] if label.get_text()]
    if len(labels) < 2:
        return
    above, renderer = axes.xaxis.get_ticks_position() == "top", renderer_of(picture.figure)
    whole(labels, size)
    for angle in (0, 45, 90):
        for label in labels:
            label.set_rotation(angle)
            label.set_rotation_mode("anchor" if angle else "default")
            label.set_horizontalalignment("center" if not angle else "left" if above else "right")
            label.set_verticalalignment(
                ("bottom" if above else "top") if not angle else "center" if angle == 90 else "baseline"
            )
        if angle == 90:
            thin(picture, axes.xaxis, size)
            return
        step = abs(axes.transData.transform((1, 0))[0] - axes.transData.transform((0, 0))[0])
        sizes = [label.get_window_extent(renderer) for label in labels]
        if angle == 0 and all(first.x1 + 4 <= second.x0 for first, second in zip(sizes, sizes[1:], strict=False)):
            return
        if angle == 45 and step > 1.6 * size / POINTS:
            return


def whole(labels: Iterable[Any], size: float) -> None:
    """All words again, as large as they are where they have room."""
    for label in labels:
        label.set_fontsize(size)
        label.set_visible(True)


def thin(picture: Picture, target: Any, size: float) -> None:
    """Makes words that stand one over the other smaller, and where that is not enough keeps each second, third …"""
    named = zip(picture.worded[target], target.get_ticklocs(), strict=True)
    shown = [(label, at) for label, at in named if label.get_text()]
    if len(shown) < 2:
        return
    labels, places = zip(*shown, strict=True)
    whole(labels, size)
    across, renderer, axes = target.axis_name == "x", renderer_of(picture.figure), target.axes
    pixels = [
        axes.transData.transform((at, axes.get_ylim()[0]) if across else (axes.get_xlim()[0], at)) for at in places
    ]
    step = min((float(abs(second - first).max()) for first, second in pairwise(pixels)), default=inf)
    boxes = [label.get_window_extent(renderer) for label in labels]
    thick = max(box.width if across else box.height for box in boxes)
    smaller = min(size, max(picture.style.points(LEAST_CAPTION), size * step / thick))
    nth = max(1, ceil(thick * smaller / size / max(step, 0.1) - 0.01))
    for number, label in enumerate(labels):
        label.set_fontsize(smaller)
        label.set_visible(number % nth == 0)


def fit_numbers(picture: Picture) -> None:
    """Makes the texts of cells small enough for their cells; what could not be read then is left out."""
    renderer = renderer_of(picture.figure)
    for axes in picture.axes.values():
        texts = [text for text in axes.texts if text.get_label() == "cell"]
        if not texts:
            continue
        (left, top), (right, bottom) = axes.transData.transform([(0, 0), (1, 1)])
        boxes = [text.get_window_extent(renderer) for text in texts]
        wide, high = max(1.0, *(box.width for box in boxes)), max(1.0, *(box.height for box in boxes))
        size = float(texts[0].get_fontsize())
        fitting = size * min(1.0, FILLED * abs(right - left) / wide, abs(bottom - top) / high)
        for text in texts:
            text.set_fontsize(fitting)
            text.set_visible(fitting >= picture.style.points(LEAST_CAPTION) or fitting == size)


def fit_points(picture: Picture) -> None:
    """Names the points of planes where their names hide nothing in this picture; what has no room is left out."""
    renderer = renderer_of(picture.figure)
    for y, axes in picture.axes.items():
        names = picture.beside.get(axes, ())
        if not names or not picture.layout[long_name(y)].get("scaleanchor"):
            continue
        lines = [axes.transData.transform(line.get_xydata()) for line in axes.lines]
        joined = [way for way, line in zip(lines, axes.lines, strict=True) if line.get_linestyle() != "None"]
        box, sizes = axes.get_window_extent(), [name.get_window_extent(renderer) for name in names]
        places = free_places(
            axes.transData.transform([name.xy for name in names]),
            np.array([(size.width + BETWEEN * size.height, size.height) for size in sizes]),
            np.concatenate(lines), joined if sum(map(len, lines)) <= MOST_WAYS else (),
            away=(AWAY * picture.style.scale,) * 2, dot=DOT * picture.style.scale, inside=box.extents,
            sure=[name.get_fontweight() != "normal" for name in names],
        )  # fmt: skip
        for name, place in zip(names, places, strict=True):
            name.set_visible(bool(place))
            if place:
                picture.put_beside(name, place)


def captions(picture: Picture, drawn: Sequence[Any]) -> None:
    """Texts below the tiles of an atlas as large as these allow: whole, else their first words."""
    if not drawn:
        return
    renderer, axes = renderer_of(picture.figure), drawn[0].axes
    (left, _), (right, _) = axes.transData.transform([(0, 0), (1, 0)])
    for brief in (False, True):
        if brief:
            for text in drawn:
                text.set_text(text.get_text().split(" ")[0])
        longest = max(text.get_window_extent(renderer).width for text in drawn)
        size = drawn[0].get_fontsize() * min(1, 0.94 * (right - left) / longest)
        if size >= picture.style.points(LEAST_CAPTION):
            break
    for text in drawn:
        text.set_fontsize(size)
