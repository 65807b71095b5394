"""How the gradient of a loss flows back through time: exact, in closed form, from the gates of one forward run.

Going back over the steps k, the gradients of many losses are the rows of one matrix, so that a step costs a few matrix
products however many losses there are. L(t) = −log p(token t | tokens before), which hangs on the top layer's h(t−1).
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from models import registry, tokenizer
from models.families.recurrent import Recurrent, gates
from models.run import Change, Run
from models.trace import Check, Gradient, Trace

if TYPE_CHECKING:
    import torch
    from torch import nn

    from models.recurrence import RecurrentLanguageModel

Row = slice
Entry = Callable[[int], "tuple[Row, np.ndarray] | None"]


class LayerRun(NamedTuple):
    """A layer after its forward run: weights as in torch, states [tokens, units], gates [gates, tokens, units]."""

    mode: str
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    bias_hh: np.ndarray
    hidden: np.ndarray
    gates: np.ndarray
    cell: np.ndarray  # LSTM: [tokens, units]


class Flow(NamedTuple):
    """Norms of the gradients of each source: of h and c [layers, sources, tokens]; those of the inputs themselves."""

    hidden: np.ndarray
    cell: np.ndarray
    inputs: np.ndarray  # [tokens, units], of the first source


def flow(layers: Sequence[LayerRun], sources: int, entry: Entry) -> Flow:
    """Backward through all layers and steps; `entry(k)` says what the losses add to the top layer's gradient at step k.

    That is a pair: which sources, and ∂L/∂h(k) for each of these, [sources, units]; or None. Both the gradient of h and
    that of c are total: through all later steps and all layers above.
    """
    tokens, units = layers[0].hidden.shape
    dtype = layers[0].hidden.dtype
    g_h = [np.zeros((sources, units), dtype) for _ in layers]
    g_c = [np.zeros((sources, units), dtype) for _ in layers]
    hidden, cell = (np.zeros((len(layers), sources, tokens), dtype) for _ in range(2))
    inputs = np.zeros((tokens, layers[0].weight_ih.shape[1]), dtype)
    first = sources  # the sources before this one have no gradient yet
    for k in range(tokens - 1, -1, -1):
        if found := entry(k):
            g_h[-1][found[0]] += found[1]
            first = min(first, found[0].start)
        for number in range(len(layers) - 1, -1, -1):
            layer, dh = layers[number], g_h[number][first:]
            hidden[number, first:, k] = np.sqrt(np.einsum("su,su->s", dh, dh))
            pre, dh_before, dc = step_back(layer, k, dh, g_c[number][first:])
            if layer.mode == "LSTM":
                cell[number, first:, k] = np.sqrt(np.einsum("su,su->s", dc, dc))
                g_c[number][first:] = dc * layer.gates[1, k]
            g_h[number][first:] = dh_before
            if number:
                g_h[number - 1][first:] += pre @ layer.weight_ih
            elif first == 0:
                inputs[k] = pre[0] @ layer.weight_ih
    return Flow(hidden, cell, inputs)


def step_back(layer: LayerRun, k: int, dh: np.ndarray, dc: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One step of one layer: ∂L/∂(sums in the gates as they meet x), ∂L/∂h(k−1), and the whole ∂L/∂c(k) of an LSTM."""
    before = layer.hidden[k - 1] if k else np.zeros_like(layer.hidden[0])
    if layer.mode == "LSTM":
        i, f, g, o = layer.gates[:, k]
        c, c_before = layer.cell[k], layer.cell[k - 1] if k else np.zeros_like(layer.cell[0])
        squashed = np.tanh(c)
        dc = dc + dh * (o * (1 - squashed**2))
        pre = np.concatenate(
            [
                dc * (g * i * (1 - i)),
                dc * (c_before * f * (1 - f)),
                dc * (i * (1 - g**2)),
                dh * (squashed * o * (1 - o)),
            ],
            1,
        )
        return pre, pre @ layer.weight_hh, dc
    if layer.mode == "GRU":
        r, z, n = layer.gates[:, k]
        units = len(before)
        from_hidden = layer.weight_hh[2 * units :] @ before + layer.bias_hh[2 * units :]
        dn = dh * ((1 - z) * (1 - n**2))
        dz = dh * ((before - n) * z * (1 - z))
        dr = dn * (from_hidden * r * (1 - r))
        pre = np.concatenate([dr, dz, dn], 1)
        return pre, dh * z + np.concatenate([dr, dz, dn * r], 1) @ layer.weight_hh, dc
    pre = dh * (1 - layer.hidden[k] ** 2)
    return pre, pre @ layer.weight_hh, dc


def last_and_sum(seeds: np.ndarray) -> Entry:
    """Two sources: the loss of the last token, and that of all; seeds are ∂L(k+1)/∂h(k), [tokens − 1, units]."""

    def entry(k: int) -> tuple[Row, np.ndarray] | None:
        if k >= len(seeds):
            return None
        rows = slice(0, 2) if k == len(seeds) - 1 else slice(1, 2)
        return rows, seeds[k]

    return entry


def each(seeds: np.ndarray) -> Entry:
    """A source for each token: its own loss, which enters at the step before it."""
    return lambda k: (slice(k + 1, k + 2), seeds[k]) if k < len(seeds) else None


def changed(network: "RecurrentLanguageModel", change: Change | None) -> "RecurrentLanguageModel":
    """The network, or a copy with other weights; raises ValueError for a change that is none of weights.

    Initial weights are drawn as for training, an LSTM's forget gates open (a bias of 1) as there; the word vectors are
    random, while training starts with those of skip-gram.
    """
    import torch

    if change is None:
        return network
    made = deepcopy(network)
    if change.kind == "initial_weights":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(change.at)
            for module in made.modules():
                if isinstance(module, torch.nn.Embedding | torch.nn.RNNBase):
                    module.reset_parameters()
            with torch.no_grad():
                made.vectors.weight.mul_(made.vectors.embedding_dim**-0.5)
                made.bias.zero_()
                if made.cell == "lstm":
                    units = made.layers.hidden_size
                    for number in range(made.layers.num_layers):
                        getattr(made.layers, f"bias_ih_l{number}")[units : 2 * units] += 1
    elif change.kind == "spectral_norm":
        with torch.no_grad():
            for number in range(made.layers.num_layers):
                weight = getattr(made.layers, f"weight_hh_l{number}")
                weight.mul_(change.amount / float(torch.linalg.matrix_norm(weight.double(), 2)))
    else:
        raise ValueError(f"{change} does not change weights")
    return made


def trace(run: Run) -> Trace:
    """Norms of ∂L/∂h(k) of the last loss and of the sum; with the experiment gradient_map also of each token's loss."""
    import torch

    model = registry.get(run.model)
    loaded = registry.load(run.model)
    network = cast("RecurrentLanguageModel", cast(Recurrent, loaded).network)
    network = changed(network, run.change)
    reader = Recurrent(model, network, lambda *_: {})
    tokens = tokenizer.tokenize(run.text, model.longest)
    ids = torch.tensor([token.id for token in tokens])
    with torch.inference_mode():
        inputs, states, logits = reader.call(ids)
        layers = layer_runs(reader.layers, inputs.numpy(), [state.numpy() for state in states])
        seeds = loss_gradients(network, logits, ids).numpy()
    found = flow(layers, 2, last_and_sum(seeds))
    gated = layers[0].mode == "LSTM"
    gradient = Gradient(
        gradient_last=found.hidden[:, 0],
        gradient_sum=found.hidden[:, 1],
        cell_gradient_last=found.cell[:, 0] if gated else None,
        cell_gradient_sum=found.cell[:, 1] if gated else None,
        spectral_norms=largest_singular_values(layers) if layers[0].mode.startswith("RNN") else None,
        gradient_map=flow(layers, len(tokens), each(seeds)).hidden if run.experiment == "gradient_map" else None,
    )
    error = float(np.abs(found.inputs - by_autograd(reader, ids)).max())
    return Trace(
        model=run.model,
        text=run.text,
        tokens=tokens,
        check=Check(error, "torch.autograd"),
        change=str(run.change) if run.change else None,
        gradient=gradient,
    )


def largest_singular_values(layers: Sequence[LayerRun]) -> np.ndarray:
    """σ of each recurrent matrix, [layers]."""
    squares = (layer.weight_hh.T.astype(np.float64) @ layer.weight_hh for layer in layers)
    return np.array([np.sqrt(np.linalg.eigvalsh(square)[-1]) for square in squares], np.float32)


def layer_runs(layers: "Sequence[nn.RNNBase]", x: np.ndarray, states: Sequence[np.ndarray]) -> list[LayerRun]:
    """The layers with what they computed; x are the word vectors [tokens, units], states those after each layer."""
    found = []
    for layer, h in zip(layers, states, strict=True):
        names = ("weight_ih_l0", "weight_hh_l0", "bias_hh_l0")
        weight_ih, weight_hh, bias_hh = (getattr(layer, name).detach().numpy() for name in names)
        steps = gates(layer, x, h)
        found.append(LayerRun(layer.mode, weight_ih, weight_hh, bias_hh, h, steps.gates, steps.cell))
        x = h
    return found


def loss_gradients(network: "RecurrentLanguageModel", logits: "torch.Tensor", ids: "torch.Tensor") -> "torch.Tensor":
    """∂L(t)/∂h(t−1) in the top layer for t = 1, 2 …, [tokens − 1, units]: (p − 1 at the right word) · word vectors."""
    import torch

    wrong = logits[:-1].softmax(-1)
    wrong[torch.arange(len(ids) - 1), ids[1:]] -= 1
    return wrong @ network.vectors.weight


def by_autograd(reader: Recurrent, ids: "torch.Tensor") -> np.ndarray:
    """∂L(last)/∂(word vectors) [tokens, units] through torch's own layers."""
    import torch

    with torch.enable_grad():
        x = inputs = reader.network.vectors(ids).detach().requires_grad_()
        for layer in reader.layers:
            x = layer(x)[0]
        logits = reader.network.logits(x[-2])
        loss = torch.nn.functional.cross_entropy(logits[None], ids[-1:])
        (gradient,) = torch.autograd.grad(loss, inputs)
    found: np.ndarray = gradient.numpy()
    return found
