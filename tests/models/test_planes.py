"""The planes of the states: fitted to fixed sentences, the same each time, and what an SVD gives."""

import numpy as np
import pytest

from models import planes, registry
from models.run import Run, perform

TEXT = "Der Mann biss den Hund"


@pytest.mark.parametrize(("name", "layer"), [("lstm", 1), ("encoder", 3)])
def test_the_plane_is_that_of_a_singular_value_decomposition(name, layer):
    rows = []
    for line in planes.SENTENCES.read_text("utf-8").splitlines():
        run = registry.load(name).forward(line)
        rows += [run.states.hidden[layer][place] for place, token in enumerate(run.tokens) if not token.special]
    states = np.array(rows, np.float64)
    _, sizes, directions = np.linalg.svd(states - states.mean(0), full_matrices=False)
    plane = planes.planes(name)[layer]
    for axis in range(2):
        assert abs(plane.directions[axis] @ directions[axis]) == pytest.approx(1, abs=1e-4)
        assert plane.explained[axis] == pytest.approx(sizes[axis] ** 2 / (sizes**2).sum(), rel=1e-3)
        assert plane.directions[axis][np.abs(plane.directions[axis]).argmax()] > 0


def test_equal_texts_have_equal_points():
    first, second = (perform(Run("gru", TEXT, "trajectory")).path for _ in range(2))
    planes.planes.cache_clear()
    third = perform(Run("gru", TEXT, "trajectory")).path
    assert np.array_equal(first.points, second.points) and np.allclose(first.points, third.points, atol=1e-5)


def test_points_are_states_in_the_plane():
    trace = perform(Run("rnn", TEXT, "trajectory"))
    plane = planes.planes("rnn")[0]
    expected = (np.asarray(trace.states.hidden)[0] - plane.middle) @ plane.directions.T
    assert trace.path.points[0] == pytest.approx(expected, abs=1e-5)
    assert (trace.path.spread[:, 0] < trace.path.spread[:, 1]).all()
