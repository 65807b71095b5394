"""Shapes written beside the arrays are checked, within a part and across the parts of a trace."""

import numpy as np
import pytest

from models.trace import Check, Layers, ShapeError, States, Token, Trace, array, array_fields, check, part

TOKENS = tuple(Token(text, i, i, i + 1, False) for i, text in enumerate("abc"))


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


def test_sizes_are_tied_to_the_tokens():
    with pytest.raises(ShapeError, match="tokens is 4, elsewhere 3"):
        Trace(model="m", text="abc", tokens=TOKENS, check=Check(0, "x"), states=states(tokens=4))


@pytest.mark.parametrize("wrong", [np.zeros((3, 2)), np.zeros(3, np.float32), np.zeros((1, 3, 2), np.float32)])
def test_type_and_dimensions_are_checked(wrong):
    with pytest.raises(ShapeError, match="expected float32"):
        States(inputs=wrong, embeddings=wrong, hidden=np.zeros((1, 3, 2), np.float32))


def test_a_trace_lists_its_arrays_with_their_axes():
    trace = Trace(model="m", text="abc", tokens=TOKENS, check=Check(0, "x"), states=states())
    assert {name: axes for name, axes, _ in trace.arrays()} == {
        "inputs": ("tokens", "units"),
        "embeddings": ("tokens", "units"),
        "hidden": ("layers", "tokens", "units"),
    }
    assert [name for name, _, _ in trace.arrays("hidden".__eq__)] == ["hidden"]
    assert trace.nbytes == 3 * 3 * 2 * 4


def test_a_trace_says_what_it_could_not_record():
    trace = Trace(model="m", text="abc", tokens=TOKENS, check=Check(0, "x"), states=states())
    assert trace.lacking(["hidden", "positions", "inputs", "gates"]) == ["positions"]


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


def test_the_error_of_a_layer_is_computed_when_asked_for():
    asked = []

    def error(layer):
        return lambda: asked.append(layer) or 0.1 * layer

    found = Check([error(layer) for layer in range(3)], "PyTorch")
    assert (found.of(1), found.of(1), asked) == (0.1, 0.1, [1])
    assert found.max_abs_error == 0.2 and asked == [1, 0, 2]
    assert Check(0.5, "PyTorch").of(7) == Check(0.5, "PyTorch").max_abs_error == 0.5


def test_the_size_of_a_trace_is_asked_without_making_a_layer():
    def never(_):
        raise AssertionError("a layer was made")

    zeros = np.zeros((3, 2), np.float32)
    lazy = States(inputs=zeros, embeddings=zeros, hidden=Layers(never, (4, 3, 2), nbytes=96))
    assert Trace(model="m", text="abc", tokens=TOKENS, check=Check(0, "x"), states=lazy).nbytes == 2 * 24 + 96
