"""The closed form of the gradients against autograd over an explicit loop, in float64, and what is done to weights."""

import numpy as np
import pytest
import torch

from models import gradients, registry
from models.gradients import changed, each, flow, last_and_sum, layer_runs, loss_gradients
from models.recurrence import RecurrentLanguageModel
from models.run import Change, Run, perform

TEXT = "Der Mann, der sehr skeptisch ist, war da."
CELLS = ["rnn", "lstm", "gru"]


def small(cell: str) -> tuple[RecurrentLanguageModel, torch.Tensor]:
    torch.manual_seed(3)
    network = RecurrentLanguageModel(cell, 30, 7, 2).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    return network, torch.randint(0, 30, (9,))


def looped(network, ids):
    """Forward step by step through torch's cells' own formulas, all states kept; losses [tokens − 1]."""
    x = [vector for vector in network.vectors(ids).detach().requires_grad_()]
    states, cells = [], []
    for layer in network.split():
        h = c = torch.zeros(7, dtype=torch.float64)
        outputs, memory = [], []
        w_ih, w_hh, b_ih, b_hh = (
            getattr(layer, f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        for vector in x:
            a, b = w_ih @ vector + b_ih, w_hh @ h + b_hh
            if layer.mode == "LSTM":
                i, f, g, o = (a + b).chunk(4)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
                c.retain_grad()
                memory.append(c)
            elif layer.mode == "GRU":
                (ar, az, an), (br, bz, bn) = a.chunk(3), b.chunk(3)
                z = (az + bz).sigmoid()
                h = (1 - z) * (an + (ar + br).sigmoid() * bn).tanh() + z * h
            else:
                h = (a + b).tanh()
            h.retain_grad()
            outputs.append(h)
        states.append(outputs)
        cells.append(memory)
        x = outputs
    logits = network.logits(torch.stack(x))
    return states, cells, torch.nn.functional.cross_entropy(logits[:-1], ids[1:], reduction="none")


def norms(rows) -> np.ndarray:
    return np.array([[0 if h.grad is None else h.grad.norm().item() for h in row] for row in rows])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("source", ["last", "sum", 3])
def test_closed_form_equals_autograd_through_a_loop(cell, source):
    network, ids = small(cell)
    states, cells, losses = looped(network, ids)
    (losses[-1] if source == "last" else losses.sum() if source == "sum" else losses[source - 1]).backward()
    with torch.inference_mode():
        x, hidden = network.vectors(ids), []
        inputs = x
        for layer in network.split():
            x = layer(x)[0]
            hidden.append(x)
        seeds = loss_gradients(network, network.logits(x), ids).numpy()
        runs = layer_runs(network.split(), inputs.numpy(), [h.numpy() for h in hidden])
    if source == 3:
        found, row = flow(runs, len(ids), each(seeds)), source
    else:
        found, row = flow(runs, 2, last_and_sum(seeds)), ("last", "sum").index(source)
    expected = norms(states)
    assert found.hidden.dtype == np.float64
    assert np.abs(found.hidden[:, row] - expected).max() <= 1e-6 * expected.max()
    if cell == "lstm":
        expected = norms(cells)
        assert np.abs(found.cell[:, row] - expected).max() <= 1e-6 * expected.max()


@pytest.mark.parametrize("name", CELLS)
def test_the_trace_says_how_far_it_is_from_autograd(name):
    trace = perform(Run(name, TEXT, "gradients"))
    largest = trace.gradient.gradient_sum.max()  # float32: a sum over 14,000 words depends on its order
    assert trace.check.max_abs_error <= 2e-5 * largest and trace.check.against == "torch.autograd"
    assert not trace.gradient.gradient_last[:, -1].any() and (trace.gradient.gradient_sum[:, :-1] > 0).all()
    assert (trace.gradient.cell_gradient_last is not None) == (name == "lstm")


def test_the_check_tells_the_largest_error(monkeypatch):
    exact = gradients.by_autograd

    def off(*stated):
        found = exact(*stated)
        found[2, 5] += 0.25
        return found

    monkeypatch.setattr(gradients, "by_autograd", off)
    assert perform(Run("gru", TEXT, "gradients")).check.max_abs_error == pytest.approx(0.25, abs=1e-3)


@pytest.mark.parametrize("name", CELLS)
def test_the_maps_last_row_is_the_last_loss(name):
    trace = perform(Run(name, TEXT, "gradient_map"))
    part = trace.gradient
    assert part.gradient_map[:, -1] == pytest.approx(part.gradient_last, rel=1e-3, abs=1e-9)
    assert not part.gradient_map[:, np.triu_indices(len(trace.tokens))[0], np.triu_indices(len(trace.tokens))[1]].any()


def test_a_spectral_norm_is_the_largest_singular_value_and_the_bound_holds():
    network = changed(registry.load("rnn").network, Change("spectral_norm", amount=0.8))
    for number in range(2):
        weight = getattr(network.layers, f"weight_hh_l{number}").detach().numpy()
        assert np.linalg.norm(weight, 2) == pytest.approx(0.8, abs=1e-5)
    part = perform(Run("rnn", TEXT, "gradients", Change("spectral_norm", amount=0.8))).gradient
    enters = part.gradient_last.shape[1] - 2
    away = np.arange(enters, -1, -1)
    assert (part.gradient_last[-1, : enters + 1] <= part.gradient_last[-1, enters] * 0.8**away + 1e-6).all()
    assert part.spectral_norms == pytest.approx([0.8, 0.8], abs=1e-5)


def test_an_initial_lstm_has_the_open_forget_gates_that_training_starts_with():
    network = registry.load("lstm").network
    units = network.layers.hidden_size
    start = changed(network, Change("initial_weights", 1))
    for number in range(network.layers.num_layers):
        bias = getattr(start.layers, f"bias_ih_l{number}").detach().reshape(4, units)
        assert (bias[1].mean() - 1).abs() < 0.05 and bias[[0, 2, 3]].abs().max() <= units**-0.5


def test_initial_weights_come_from_the_seed_and_leave_the_model_alone():
    before = registry.load("gru").network.vectors.weight.clone()
    first, again, other = (
        perform(Run("gru", TEXT, "gradients", Change("initial_weights", seed))).gradient.gradient_last
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.equal(before, registry.load("gru").network.vectors.weight)
    trained = perform(Run("gru", TEXT, "gradients")).gradient.gradient_last
    assert not np.array_equal(first, trained)


def test_a_change_that_is_none_of_weights_is_refused():
    with pytest.raises(ValueError, match="erased"):
        changed(registry.load("rnn").network, Change("erased", 1))
