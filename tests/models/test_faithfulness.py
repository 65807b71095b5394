"""Kendall's τ is SciPy's; the methods are the rows that they say; the yardstick belongs to these weights."""

import warnings

import numpy as np
import pytest
from scipy.stats import kendalltau

from models import faithfulness, registry
from models.run import Run, perform

BY_HAND = np.array([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [1, 3, 2, 5, 4], [1, 1, 2, 2, 3], [2, 2, 2, 2, 2]], float)


def test_tau_is_that_of_scipy_ties_included():
    found = faithfulness.kendall(BY_HAND)
    assert found[0, :3] == pytest.approx([1, -1, 0.6])  # 8 pairs in order, 2 reversed, of 10
    for row, one in enumerate(BY_HAND):
        for column, other in enumerate(BY_HAND):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = kendalltau(one, other).statistic
            assert found[row, column] == pytest.approx(expected, nan_ok=True)
    assert np.isnan(found[4]).all()  # what is even has no order
    assert np.isnan(faithfulness.kendall(np.ones((2, 1)))).all()


def test_the_weights_are_those_of_the_trace():
    trace = perform(Run("encoder-intent", "Weck mich um sieben", "attributions"))
    attention = np.asarray(trace.attention.attention)
    found = faithfulness.weights(trace)
    names = faithfulness.methods(4)
    assert found.shape == (len(names), len(trace.tokens) - 2)
    assert found[1] == pytest.approx(attention[3, 1, 0, 1:-1])
    assert found[names.index("mean")] == pytest.approx(attention[3, :, 0, 1:-1].mean(0))
    rolled = np.eye(len(trace.tokens))
    for layer in attention:
        rolled = (layer.mean(0) + np.eye(len(rolled))) / 2 @ rolled
    assert found[names.index("rollout")] == pytest.approx(rolled[0, 1:-1], abs=1e-6)
    assert found[-1] == pytest.approx(trace.attribution.erasure[1:-1])
    assert faithfulness.agreement(trace) == pytest.approx(faithfulness.kendall(np.abs(found)))


@pytest.mark.parametrize("model", ["encoder-intent", "encoder-entities", "encoder", "decoder"])
def test_the_yardstick_is_of_these_weights_and_says_quartiles(model):
    found = faithfulness.yardstick(model)
    assert found["weights"] == registry.get(model).hash and found["sentences"] == 200
    lower, median, upper = (np.array(found[name]) for name in ("lower", "median", "upper"))
    assert tuple(found["methods"]) == faithfulness.methods(4) and median.shape == (9, 9)
    assert (lower <= median).all() and (median <= upper).all() and (np.diagonal(median) == 1).all()
    assert 0 <= found["even_same_class"] <= 1 and faithfulness.yardstick("encoder@0") is None
