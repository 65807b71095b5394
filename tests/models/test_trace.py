"""A trace ties its parts to its tokens, lists its arrays, and computes nothing that nobody looks at."""

import pickle

import numpy as np
import pytest

from models import registry
from models.shapes import Layers, ShapeError
from models.trace import Check, Prediction, States, Token, Trace

TOKENS = tuple(Token(text, i, i, i + 1, False) for i, text in enumerate("abc"))


def states(tokens: int = 3, units: int = 2) -> States:
    zeros = np.zeros((tokens, units), np.float32)
    return States(inputs=zeros, embeddings=zeros, hidden=zeros[None])


def test_sizes_are_tied_to_the_tokens():
    with pytest.raises(ShapeError, match="tokens is 4, elsewhere 3"):
        Trace(model="m", text="abc", tokens=TOKENS, check=Check(0, "x"), states=states(tokens=4))


def test_a_trace_lists_its_arrays_with_their_axes():
    trace = Trace(model="m", text="abc", tokens=TOKENS, check=Check(0, "x"), states=states())
    assert {name: axes for name, axes, _ in trace.arrays()} == {
        "inputs": ("tokens", "units"),
        "embeddings": ("tokens", "units"),
        "hidden": ("layers", "tokens", "units"),
    }
    assert [name for name, _, _ in trace.arrays("hidden".__eq__)] == ["hidden"]
    assert trace.nbytes == 3 * 3 * 2 * 4


def test_a_notebook_shows_the_shapes_of_a_trace_and_computes_nothing():
    zeros = np.zeros((3, 2), np.float32)
    lazy = States(inputs=zeros, embeddings=zeros, hidden=Layers(lambda _: pytest.fail("made"), (4, 3, 2)))
    assert repr(Trace(model="m", text="abc", tokens=TOKENS, check=Check(0, "x"), change="erased(1)", states=lazy)) == (
        "Trace of 'abc' by m, erased(1): 3 tokens\n"
        "  states: States(inputs=float32[3, 2], embeddings=float32[3, 2], hidden=float32[4, 3, 2])"
    )


def test_a_trace_says_what_it_could_not_record():
    trace = Trace(model="m", text="abc", tokens=TOKENS, check=Check(0, "x"), states=states())
    assert trace.lacking(["hidden", "positions", "inputs", "gates"]) == ["positions"]


def test_the_error_of_a_layer_is_computed_when_asked_for():
    asked = []

    def error(layer):
        return lambda: asked.append(layer) or 0.1 * layer

    found = Check([error(layer) for layer in range(3)], "PyTorch")
    assert (found.of(1), found.of(1), asked) == (0.1, 0.1, [1])
    assert found.max_abs_error == 0.2 and asked == [1, 0, 2]
    assert Check(0.5, "PyTorch").of(7) == Check(0.5, "PyTorch").max_abs_error == 0.5
    assert np.isnan(Check([lambda: 1e-8, lambda: np.nan, lambda: 1e-8], "PyTorch").max_abs_error)


def test_the_size_of_a_trace_is_asked_without_making_a_layer():
    def never(_):
        raise AssertionError("a layer was made")

    zeros = np.zeros((3, 2), np.float32)
    lazy = States(inputs=zeros, embeddings=zeros, hidden=Layers(never, (4, 3, 2), nbytes=96))
    assert Trace(model="m", text="abc", tokens=TOKENS, check=Check(0, "x"), states=lazy).nbytes == 2 * 24 + 96


@pytest.mark.parametrize("name", ["lstm", "encoder", "decoder"])
def test_a_trace_can_be_packed(name):
    trace = registry.load(name).forward("Der Hund")
    copy = pickle.loads(pickle.dumps(trace))
    arrays = {field: array for field, _, array in trace.arrays()}
    assert {field for field, _, _ in copy.arrays()} == set(arrays)
    assert all(np.array_equal(array, arrays[field], equal_nan=True) for field, _, array in copy.arrays())
    assert (copy.tokens, copy.check.against, copy.check.layers) == (
        trace.tokens, trace.check.against, trace.check.layers,
    )  # fmt: skip
    assert copy.check.max_abs_error == trace.check.max_abs_error
    assert copy.prediction is None or copy.prediction.words == trace.prediction.words


def test_a_check_of_one_number_stays_one():
    assert pickle.loads(pickle.dumps(Check(0.5, "PyTorch"))).of(7) == 0.5
    assert repr(Check(0.5, "PyTorch")) == "Check(against='PyTorch')"


def test_what_is_written_is_packed_without_the_model_that_writes_it():
    guess = Prediction(
        loss=np.array([np.nan, 1.5], np.float32), ids=np.array([[3, 4], [5, 3]]),
        probabilities=np.full((2, 2), 0.25, np.float32), written=lambda id_: f"piece {id_}",
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(guess)).words == (("piece 3", "piece 4"), ("piece 5", "piece 3"))
