"""The traces of rnn, lstm and gru against torch's own layers, run as one stack."""

import numpy as np
import pytest
import torch

from models import registry
from models.recurrence import RecurrentLanguageModel
from models.run import Change, Run, perform

SENTENCES = [
    "Der Mann biss den Hund.",
    "Der Mann, der sehr skeptisch ist und gestern spät gekommen ist, war da.",
    "weil",
]
CELLS = ["rnn", "lstm", "gru"]


def network(name: str) -> RecurrentLanguageModel:
    return registry.load(name).network


def ids(trace) -> torch.Tensor:
    return torch.tensor([[token.id for token in trace.tokens]])


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("name", CELLS)
def test_hidden_states_equal_the_stack_of_torch(name, text):
    trace = perform(Run(name, text))
    stack = network(name).layers
    with torch.no_grad():
        expected, _ = stack(network(name).vectors(ids(trace)))
    assert np.abs(trace.states.hidden[-1] - expected[0].numpy()).max() <= 1e-5
    assert trace.check.max_abs_error <= 1e-5
    assert trace.check.against == f"torch.nn.{type(stack).__name__}"


@pytest.mark.parametrize("text", SENTENCES)
def test_lstm_gates_and_cell_equal_lstm_cell_step_by_step(text):
    trace = perform(Run("lstm", text))
    stack = network("lstm").layers
    x = trace.states.inputs
    for layer in range(stack.num_layers):
        cell = torch.nn.LSTMCell(stack.input_size, stack.hidden_size)
        copy_weights(stack, layer, cell)
        h = c = torch.zeros(1, stack.hidden_size)
        for t, vector in enumerate(torch.from_numpy(x)):
            with torch.no_grad():
                sums = cell.weight_ih @ vector + cell.bias_ih + cell.weight_hh @ h[0] + cell.bias_hh
                h, c = cell(vector[None], (h, c))
            i, f, g, o = sums.chunk(4)
            expected = torch.stack([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()]).numpy()
            assert np.abs(trace.recurrence.gates[layer, :, t] - expected).max() <= 1e-5
            assert np.abs(trace.recurrence.cell[layer, t] - c[0].numpy()).max() <= 1e-5
            assert np.abs(trace.states.hidden[layer, t] - h[0].numpy()).max() <= 1e-5
        x = trace.states.hidden[layer]


def copy_weights(stack: torch.nn.RNNBase, layer: int, cell: torch.nn.RNNCellBase) -> None:
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name).copy_(getattr(stack, f"{name}_l{layer}"))


@pytest.mark.parametrize("text", SENTENCES)
def test_gru_gates_rebuild_the_states(text):
    trace = perform(Run("gru", text))
    reset, update, new = np.moveaxis(trace.recurrence.gates, 1, 0)
    before = np.concatenate([np.zeros_like(trace.states.hidden[:, :1]), trace.states.hidden[:, :-1]], axis=1)
    assert np.abs((1 - update) * new + update * before - trace.states.hidden).max() <= 1e-5
    stack = network("gru").layers
    weight, bias = (getattr(stack, f"{kind}_l0").chunk(3)[0] for kind in ("weight_ih", "bias_ih"))
    hidden_weight, hidden_bias = (getattr(stack, f"{kind}_l0").chunk(3)[0] for kind in ("weight_hh", "bias_hh"))
    expected = torch.from_numpy(trace.states.inputs) @ weight.T + bias + torch.from_numpy(before[0]) @ hidden_weight.T
    assert np.abs((expected + hidden_bias).sigmoid().numpy() - reset[0]).max() <= 1e-5


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_gates_lie_between_shut_and_open(name):
    trace = perform(Run(name, SENTENCES[1]))
    for number, gate in enumerate(trace.recurrence.gate_names):
        values = trace.recurrence.gates[:, number]
        assert values.max() <= 1
        assert values.min() >= (-1 if gate in ("candidate", "new") else 0)


@pytest.mark.parametrize("name", CELLS)
def test_loss_is_that_of_the_whole_vocabulary(name):
    trace = perform(Run(name, SENTENCES[0]))
    with torch.no_grad():
        logits = network(name).logits(torch.from_numpy(trace.states.hidden[-1]))
        expected = torch.nn.functional.cross_entropy(logits[:-1], ids(trace)[0, 1:], reduction="none")
    assert np.isnan(trace.prediction.loss[0])
    assert np.abs(trace.prediction.loss[1:] - expected.numpy()).max() <= 1e-4
    best = logits.softmax(-1).topk(trace.prediction.ids.shape[1])
    assert (trace.prediction.ids == best.indices.numpy()).all()
    assert np.abs(trace.prediction.probabilities - best.values.numpy()).max() <= 1e-4


@pytest.mark.parametrize("name", CELLS)
def test_the_future_does_not_reach_the_past(name):
    short, long = perform(Run(name, "Der Mann")), perform(Run(name, "Der Mann lacht"))
    tokens = len(short.tokens)
    assert np.abs(short.states.hidden - long.states.hidden[:, :tokens]).max() <= 1e-6


def test_models_have_learned_german():
    trace = perform(Run("lstm", "Der Mann ist in der"))
    guesses = trace.prediction.words[-1]
    assert any(word[0].isupper() for word in guesses[:5])  # a noun follows an article
    assert trace.prediction.loss[1:].mean() < np.log(14_000) / 1.5


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_a_wiped_memory_reads_on_as_if_the_text_began_there(name):
    whole = registry.load(name).forward("Der Mann biss den Hund", Change("reset_after", 2))
    plain = registry.load(name).forward("Der Mann biss den Hund")
    network = registry.load(name)
    import torch

    with torch.inference_mode():
        _, hidden, _ = network.call(torch.tensor([token.id for token in whole.tokens[3:]]))
    assert np.allclose(whole.states.hidden[1, 3:], hidden[1].numpy(), atol=1e-6)
    assert np.allclose(whole.states.hidden[1, :3], plain.states.hidden[1, :3], atol=1e-5)
    assert whole.check.max_abs_error <= 1e-5
    assert whole.prediction.loss[3] == pytest.approx(plain.prediction.loss[3], abs=1e-4)
    assert abs(whole.prediction.loss[4] - plain.prediction.loss[4]) > 1e-2


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "encoder"])
def test_an_erased_word_leaves_the_words_that_cannot_see_it(name):
    plain = registry.load(name).forward("Der Mann biss den Hund")
    erased = registry.load(name).forward("Der Mann biss den Hund", Change("erased", 2))
    assert not erased.states.embeddings[2].any() or name == "encoder"
    assert np.abs(erased.states.hidden[-1, 3] - plain.states.hidden[-1, 3]).max() > 1e-3
    before = np.abs(erased.states.hidden[-1, :2] - plain.states.hidden[-1, :2]).max()
    assert before > 1e-3 if name == "encoder" else before < 1e-6


def test_an_unknown_change_is_refused():
    with pytest.raises(ValueError, match="no_positions"):
        registry.load("lstm").forward("Hund", Change("no_positions"))
