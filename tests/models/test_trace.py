"""Shapes written beside the arrays are checked, within a part and across the parts of a trace."""

import numpy as np
import pytest

from models.trace import Check, ShapeError, States, Token, Trace, array, array_fields, part

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
    assert trace.nbytes == 3 * 3 * 2 * 4


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
