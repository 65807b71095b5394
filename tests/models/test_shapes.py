"""Shapes written beside the arrays are checked when a part is made; a layer is made when it is looked at."""

import numpy as np
import pytest

from models.shapes import Layers, ShapeError, array, array_fields, check, part
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
    with pytest.raises(ShapeError, match="expected float32"):
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
