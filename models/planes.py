"""A plane for the states of each layer, fitted once to sentences of our own, so that all sentences share one map."""

from dataclasses import replace
from functools import cache
from pathlib import Path as File
from typing import NamedTuple

import numpy as np

from models import registry
from models.run import Run
from models.trace import Path, Trace, typed_places

SENTENCES = File(__file__).parent / "reference.txt"
AXES = 2


class Plane(NamedTuple):
    """Middle [units], directions [axes, units]; the sentences' share of variance [axes] and extent [limits, axes]."""

    middle: np.ndarray
    directions: np.ndarray
    explained: np.ndarray
    spread: np.ndarray

    def points(self, states: np.ndarray) -> np.ndarray:
        """States [tokens, units] as points [tokens, axes]."""
        found: np.ndarray = (states - self.middle) @ self.directions.T
        return found


@cache
def planes(name: str) -> tuple[Plane, ...]:
    """One plane per layer of a model: the two main directions (PCA) of its states over all words of the sentences.

    The sign of a direction is free; here the unit that counts most counts positive.
    """
    from sklearn.decomposition import PCA

    model = registry.load(name)
    found = []
    runs = [model.forward(line) for line in SENTENCES.read_text("utf-8").splitlines() if line]
    first = runs[0].states
    assert first is not None and first.hidden is not None
    for layer in range(len(first.hidden)):
        rows = [words_only(run, layer) for run in runs]
        states = np.concatenate(rows)
        fitted = PCA(AXES, svd_solver="full").fit(states)
        directions = fitted.components_
        signs = np.sign(directions[np.arange(AXES), np.abs(directions).argmax(1)])
        directions = (directions * signs[:, None]).astype(np.float32)
        middle = fitted.mean_.astype(np.float32)
        plane = Plane(middle, directions, fitted.explained_variance_ratio_.astype(np.float32), np.zeros((2, AXES)))
        there = plane.points(states)
        found.append(plane._replace(spread=np.stack([there.min(0), there.max(0)]).astype(np.float32)))
    return tuple(found)


def words_only(run: Trace, layer: int) -> np.ndarray:
    """The states of a layer without those of special tokens, [words, units]."""
    assert run.states is not None and run.states.hidden is not None
    kept = typed_places(run.tokens)
    rows: np.ndarray = run.states.hidden[layer][kept]
    return rows


def trace(run: Run) -> Trace:
    """The forward run with its states as points of the model's planes."""
    found = registry.load(run.model).forward(run.text)
    assert found.states is not None and found.states.hidden is not None
    fitted = planes(run.model)
    hidden = found.states.hidden
    path = Path(
        points=np.stack([plane.points(hidden[layer]) for layer, plane in enumerate(fitted)]).astype(np.float32),
        explained=np.stack([plane.explained for plane in fitted]),
        spread=np.stack([plane.spread for plane in fitted]),
    )
    return replace(found, path=path)
