"""Shapes written beside the arrays are checked when a part is made; a layer is made when it is looked at."""

import pickle
from copy import deepcopy

import numpy as np
import pytest

from models.shapes import Late, Layers, ShapeError, array, array_fields, check, part
from models.trace import States


def states(tokens: int = 3, units: int = 2) -> States:
    zeros = np.zeros((tokens, units), np.float32)
    return States(inputs=zeros, embeddings=zeros, hidden=zeros[None])


def test_sizes_are_tied_within_a_part():
    with pytest.raises(ShapeError, match="units is 5, elsewhere 2"):
        States(
            inputs=np.zeros((3, 2), np.float32),
            embeddings=np.zeros((3, 5), np.float32),
            hidden=np.zeros((1, 3, 2), np.float32),
        )


@pytest.mark.parametrize("wrong", [np.zeros((3, 2)), np.zeros(3, np.float32), np.zeros((1, 3, 2), np.float32)])
def test_type_and_dimensions_are_checked(wrong):
    with pytest.raises(ShapeError, match=r"inputs is float.*, expected float32\[tokens, units\]$"):
        States(inputs=wrong, embeddings=wrong, hidden=np.zeros((1, 3, 2), np.float32))


def test_parts_are_frozen():
    with pytest.raises(AttributeError):
        states().hidden = None


def test_specifications_are_read_when_a_part_is_defined():
    with pytest.raises(ShapeError, match="not an array specification"):
        array("float32(tokens)")

    @part
    class Own:
        values: np.ndarray = array("float32[tokens]")

    assert array_fields(Own) == {"values": ("float32", ("tokens",))}


def test_only_the_layer_looked_at_is_made():
    made = []

    def make(layer):
        made.append(layer)
        return np.full((3, 2), layer, np.float32)

    layers = Layers(make, (4, 3, 2))
    assert layers[2, 0].tolist() == [2, 2] and layers[-1].max() == 3
    assert made == [2, 3]
    assert np.asarray(layers).shape == layers.shape == (4, 3, 2) and len(layers) == 4
    assert layers[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert (layers - layers == 0).all() and np.abs(1 - layers).max() == 2
    with pytest.raises(IndexError):
        layers[4]
    check(States(inputs=make(0), embeddings=make(0), hidden=layers), {"tokens": 3})
    with pytest.raises(ShapeError, match="units is 2, elsewhere 5"):
        check(States(inputs=make(0), embeddings=make(0), hidden=layers), {"units": 5})


WHOLE = np.arange(48, dtype=np.float32).reshape(4, 3, 2, 2)
MASK = np.array([True, False, True])
INDICES = [
    0, -1, np.int64(1), slice(1, 3), ..., None, (), True, [0, 2], np.array([True, False, False, True]), WHOLE > 20,
    (0, ...), (..., 0), (0, None), (True, 0), (0, [0, 2]), (0, slice(None), [1, 0]), (-1, MASK, slice(None), [1, 1]),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
@pytest.mark.parametrize("late", [Layers(WHOLE.__getitem__, WHOLE.shape), Late(lambda: WHOLE, WHOLE.shape)])
def test_any_index_gives_what_an_array_gives(late, index):
    found = late[index]
    assert found.shape == WHOLE[index].shape and np.array_equal(found, WHOLE[index])


@pytest.mark.parametrize("late", [Layers(WHOLE.__getitem__, WHOLE.shape), Late(lambda: WHOLE, WHOLE.shape)])
def test_in_a_notebook_it_is_an_array_like_any(late):
    assert late.sum(-1).tolist() == WHOLE.sum(-1).tolist() and late.T.shape == WHOLE.T.shape and late.size == WHOLE.size
    assert [layer.shape for layer in late] == [(3, 2, 2)] * 4
    assert repr(late) == f"{type(late).__name__}(float32[4, 3, 2, 2])"
    for copied in (deepcopy(late), pickle.loads(pickle.dumps(late))):
        assert type(copied) is np.ndarray and np.array_equal(copied, WHOLE)
    with pytest.raises(TypeError, match="cannot be written to"):
        late += 1


def test_what_protocols_look_for_makes_nothing():
    def never(_):
        raise AssertionError("a layer was made")

    layers = Layers(never, (4, 3, 2))
    assert not hasattr(layers, "_repr_html_") and not hasattr(layers, "__array_interface__") and repr(layers)
