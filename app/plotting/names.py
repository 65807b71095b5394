"""Where the names of curves and of points stand: beside them, and none on another."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.plotting.charts import Axis, Curve

PLACES = (
    "top center", "bottom center", "middle right", "middle left", "top right", "top left",
    "bottom right", "bottom left",
)  # fmt: skip
SHORT = 16  # characters of a name that stands in one line beside its curve
BESIDE = "\u2002"  # keeps a text off the point or line that it stands beside
STEPS = 24  # places on each way from a point to the next that a label keeps off


def curve_names(curves: Sequence[Curve], y: Axis, gap: float, first: bool = False) -> list[Curve]:
    """The names of curves right of their last points, or left of the `first`, in their colours; where two would touch,
    both give way.

    What follows a comma stands in a second line where a name is long. `gap` is the least distance of two names as a
    share of the axis.
    """
    assert y.limits is not None
    scaled = np.log if y.log else np.asarray
    low, high = (float(scaled(limit)) for limit in y.limits)
    curves = [curve for curve in curves if np.isfinite(curve.y).any()]
    ends = [int(np.flatnonzero(np.isfinite(curve.y))[0 if first else -1]) for curve in curves]
    wanted = [(float(scaled(curve.y[end])) - low) / (high - low) for curve, end in zip(curves, ends, strict=True)]
    rank = np.argsort(np.argsort(wanted, kind="stable"))
    inside = (gap * (rank + 0.5), 1 - gap * (len(rank) - rank))  # the plot: beyond it Plotly draws no text
    placed = np.clip(apart(wanted, gap), *inside).tolist()
    side = "left" if first else "right"
    joint = ", " if all(len(curve.name) <= SHORT for curve in curves) else "\n"
    found = []
    for curve, end, place in zip(curves, ends, placed, strict=True):
        height = low + place * (high - low)
        across = float(end if curve.x is None else curve.x[end])
        rows = curve.name.replace(", ", joint).split("\n")
        text = "\n".join(row + BESIDE if first else BESIDE + row for row in rows)
        found.append(
            replace(curve, kind="label", listed=False, hover="", hovers=(), dash="solid", x=np.array([across]),
                    y=np.array([np.exp(height) if y.log else height]), texts=[text], places=[f"middle {side}"])
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


def label_places(
    points: np.ndarray, labels: Sequence[str], low: np.ndarray, high: np.ndarray, paths: Sequence[np.ndarray] = ()
) -> list[str]:
    """Beside each point [points, axes] the place where its label hides no other, or "" where there is none.

    Places on `paths` [points, axes] are the last to be taken. Reckoned for a figure of usual size; labels that find
    no room are still told on hover.
    """
    size = np.array([960.0, 460.0])
    scale = float((size / np.maximum(high - low, 1e-9)).min())  # both axes have one unit
    sizes = np.array([(8.2 * len(label) + 4, 18.0) for label in labels]).reshape(-1, 2)
    middles = (points - low) * scale
    return free_places(middles, sizes, middles, [(path - low) * scale for path in paths])


def free_places(
    middles: np.ndarray, sizes: np.ndarray, dots: np.ndarray, paths: Sequence[np.ndarray] = (), *,
    away: tuple[float, float] = (8.0, 7.0), dot: float = 6.0, sure: Sequence[bool] = (),
    inside: tuple[float, float, float, float] = (-np.inf, -np.inf, np.inf, np.inf),
) -> list[str]:  # fmt: skip
    """The places of labels of these sizes [labels, axes] beside their points, or ""; all in pixels, upwards.

    They keep off all points (`dots`), and none reaches out of `inside` (left, bottom, right, top). A `sure` label hides
    a point where it finds no other place.
    """
    over = {"right": away[0] + 0 * sizes[:, 0], "center": -sizes[:, 0] / 2, "left": -away[0] - sizes[:, 0]}
    down = {"top": away[1] + 0 * sizes[:, 1], "middle": -sizes[:, 1] / 2, "bottom": -away[1] - sizes[:, 1]}
    corners = np.stack([np.stack([over[side], down[row]], 1) for row, side in map(str.split, PLACES)], 1)
    corners = corners + middles[:, None]  # [labels, places, (left, bottom)]
    boxes = np.concatenate([corners, corners + sizes[:, None]], -1)
    within = (boxes[..., :2] >= inside[:2]).all(-1) & (boxes[..., 2:] <= inside[2:]).all(-1)
    free = within & ~touching(boxes, np.concatenate([dots - dot, dots + dot], 1)).any(-1)
    aside = free
    if len(paths):
        ways = np.concatenate([between(path) for path in paths])
        aside = free & ~touching(boxes, np.concatenate([ways - 2, ways + 2], 1)).any(-1)
    anywhere = within & np.array(sure or [False] * len(middles))[:, None]
    possible = np.stack([aside, free, anywhere], 1)  # [labels, what is tried in turn, places]
    found: list[str] = []
    for number, tried in enumerate(possible):
        place = int(tried.argmax()) % len(PLACES)
        found.append(PLACES[place] if tried.any() else "")
        if tried.any():  # what it covers is no longer free for those that follow
            possible[number + 1 :] &= ~touching(boxes[number + 1 :], boxes[number, place][None])[:, None, :, 0]
    return found


def between(path: np.ndarray) -> np.ndarray:
    """Points of a path and between them, close enough for a label not to slip through, [many, axes]."""
    steps = np.linspace(0, 1, STEPS, endpoint=False)[:, None, None]
    return np.concatenate([(path[:-1] + steps * np.diff(path, axis=0)).reshape(-1, 2), path[-1:]])


def touching(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether boxes (left, bottom, right, top) overlap, [..., boxes, others]."""
    found: np.ndarray = (
        (boxes[..., None, 0] < others[:, 2]) & (others[:, 0] < boxes[..., None, 2])
        & (boxes[..., None, 1] < others[:, 3]) & (others[:, 1] < boxes[..., None, 3])
    )  # fmt: skip
    return found
