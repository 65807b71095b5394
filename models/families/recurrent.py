"""Recurrent networks: traced by the fused layers of torch, then all gates in one matrix product.

MODELS are the language models rnn, lstm and gru; a fine-tuned one is the same network with something else to say.
Written with the usual letters: i, f, g, o are the LSTM's input, forget, candidate and output, c its cell; r, z, n the
GRU's reset, update and new state; x is a layer's input, h its hidden state.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from models import tokenizer
from models.registry import Model
from models.run import Change, changed
from models.shapes import Layers
from models.trace import Check, Recurrence, States, Token, Trace

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.classifiers import RecurrentClassifier
    from models.recurrence import RecurrentLanguageModel

GATE_NAMES = {"rnn": (), "lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "new")}

# Logits of one text and its tokens → parts of a trace.
ReadOut = Callable[["Tensor", tuple[Token, ...]], dict[str, Any]]


class Recurrent:
    """A recurrent network in memory; `read_out` makes parts of a trace of its logits [tokens, outputs]."""

    def __init__(self, model: Model, network: "RecurrentLanguageModel | RecurrentClassifier", read_out: ReadOut):
        self.model = model
        self.network = network
        self.read_out = read_out
        self.layers = network.split()

    def forward(self, text: str, change: Change | None = None, read_out: ReadOut | None = None) -> Trace:
        """Reads [CLS] and the text from left to right, starting from a state of zeros; `read_out` instead of its own.

        Changes: `reset_after` starts from zeros once more after that token, `erased` gives it a word vector of zeros.
        """
        import torch

        tokens = tokenizer.tokenize(text, self.model.longest)
        ids = torch.tensor([token.id for token in tokens])
        changes = changed(change, len(tokens), "reset_after", "erased")
        start = changes["reset_after"] + 1 if "reset_after" in changes else 0
        with torch.inference_mode():
            inputs, hidden, logits = self.call(ids, start, changes.get("erased"))
            said = (read_out or self.read_out)(logits, tokens)
        vectors, states = inputs.numpy(), [state.numpy() for state in hidden]
        entered = vectors
        if "erased" in changes:
            entered = vectors.copy()
            entered[changes["erased"]] = 0
        before = [entered, *states]

        @lru_cache(maxsize=1)  # gates, cell and check of a layer are asked for together
        def steps(layer: int) -> Steps:
            return gates(self.layers[layer], before[layer], states[layer], start)

        def error(layer: int) -> float:
            return float(np.abs(steps(layer).hidden - states[layer]).max())

        recurrence = None
        if names := self.model.gate_names:
            shape = (len(states), *states[0].shape)
            recurrence = Recurrence(
                gate_names=names,
                gates=Layers(
                    lambda layer: steps(layer).gates, (shape[0], len(names), *shape[1:]), len(names) * vectors.nbytes
                ),
                cell=Layers(lambda layer: steps(layer).cell, shape) if "forget" in names else None,
            )
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=Check(
                [partial(error, layer) for layer in range(len(states))], f"torch.nn.{type(self.layers[0]).__name__}"
            ),
            states=States(inputs=vectors, embeddings=entered, hidden=Layers.of(states)),
            recurrence=recurrence,
            **said,
        )

    def scored(self, vectors: "Tensor") -> "Tensor":
        """Logits after the last token, [texts, outputs], from word vectors [texts, tokens, units]."""
        return self.network.logits(self.network.layers(vectors)[0][:, -1])

    def call(
        self, ids: "Tensor", start: int = 0, erased: int | None = None
    ) -> tuple["Tensor", list["Tensor"], "Tensor"]:
        """The model itself: word vectors and hidden states of each layer [tokens, units], logits [tokens, outputs].

        At token `start` the state is zero again; in place of the word vector of token `erased` zeros are read.
        """
        import torch

        x = inputs = self.network.vectors(ids)
        if erased is not None:
            x = inputs.clone()
            x[erased] = 0
        hidden = []
        for layer in self.layers:
            x = torch.cat([layer(part)[0] for part in (x[:start], x[start:]) if len(part)]) if start else layer(x)[0]
            hidden.append(x)
        return inputs, hidden, self.network.logits(x)


class Steps(NamedTuple):
    """All time steps of one layer: gates [gates, tokens, units], cell [tokens, units] (an LSTM's), hidden rebuilt."""

    gates: np.ndarray
    cell: np.ndarray
    hidden: np.ndarray


def gates(layer: "nn.RNNBase", x: np.ndarray, h: np.ndarray, start: int = 0) -> Steps:
    """What the layer did with its inputs x to reach its states h, both [tokens, units]; at `start` it began anew.

    From the known h(t−1) all steps are one product; only c needs a loop. Order and formulas are those of torch.nn.
    """
    before = np.zeros_like(h)  # h(t−1)
    before[1:] = h[:-1]
    before[start : start + 1] = 0
    from_input, from_hidden = each_gate(layer, "ih", x), each_gate(layer, "hh", before)
    none = np.empty((0, *h.shape), np.float32)
    if layer.mode == "LSTM":
        gate = np.add(from_input, from_hidden, out=from_input)
        i, f, g, o = gate
        for part, squash in ((i, sigmoid), (f, sigmoid), (g, np.tanh), (o, sigmoid)):
            squash(part, out=part)
        cell = i * g
        for t, (forget, last, now) in enumerate(zip(f[1:], cell, cell[1:], strict=False), start=1):
            if t != start:
                now += forget * last
        return Steps(gate, cell, o * np.tanh(cell))
    if layer.mode == "GRU":
        reset, update = sigmoid(from_input[:2] + from_hidden[:2])
        new = np.tanh(from_input[2] + reset * from_hidden[2])  # reset acts after the product with h, as in torch.nn.GRU
        return Steps(np.stack([reset, update, new]), none, (1 - update) * new + update * before)
    return Steps(none, none, np.tanh(from_input + from_hidden)[0])


def each_gate(layer: "nn.RNNBase", kind: str, vectors: np.ndarray) -> np.ndarray:
    """What each gate gets from vectors [tokens, inputs] by the weights `ih` or `hh`, [gates, tokens, units]."""
    weight, bias = (getattr(layer, f"{name}_{kind}_l0").detach().numpy() for name in ("weight", "bias"))
    found: np.ndarray = vectors @ weight.reshape(-1, layer.hidden_size, vectors.shape[1]).swapaxes(1, 2)
    found += bias.reshape(-1, 1, layer.hidden_size)
    return found


def sigmoid(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """1 / (1 + e⁻ˣ), by way of tanh, which does not overflow; into `out` where that is given."""
    found: np.ndarray = np.multiply(x, np.float32(0.5), out=out)
    np.tanh(found, out=found)
    found *= np.float32(0.5)
    found += np.float32(0.5)
    return found


def next_word(logits: "Tensor", tokens: tuple[Token, ...]) -> dict[str, Any]:
    """What a language model expects after each token."""
    from models.prediction import predict

    return {"prediction": predict(logits, [token.id for token in tokens])}


def load(model: Model) -> Recurrent:
    """Reads the weights into memory."""
    from models import weights

    return Recurrent(model, weights.recurrent(model.folder), next_word)


def fields(cell: str) -> tuple[str, ...]:
    """The arrays in the traces of a network with this kind of cell, apart from what it says."""
    gated = {"rnn": (), "lstm": ("gates", "cell"), "gru": ("gates",)}[cell]
    return ("inputs", "embeddings", "hidden", *gated)


MODELS = [
    Model(
        name=name,
        title=f"model.{name}.title",
        family="recurrent",
        fields=(*fields(name), "loss", "predictions"),
        gate_names=names,
        load=load,
    )
    for name, names in GATE_NAMES.items()
]
