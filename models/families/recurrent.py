"""Recurrent networks: traced by the fused layers of torch, then all gates in one matrix product.

MODELS are the language models rnn, lstm and gru; a fine-tuned one is the same network with something else to say.
Written with the usual letters: i, f, g, o are the LSTM's input, forget, candidate and output, c its cell; r, z, n the
GRU's reset, update and new state; x is a layer's input, h its hidden state.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from models import tokenizer
from models.registry import Model
from models.trace import Check, Recurrence, States, Token, Trace

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.classifiers import RecurrentClassifier
    from models.recurrence import RecurrentLanguageModel

GATE_NAMES = {"rnn": (), "lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "new")}


ReadOut = Callable[
    ["Tensor", tuple[Token, ...]], dict[str, Any]
]  # logits of one text and its tokens → parts of a trace


class Recurrent:
    """A recurrent network in memory; `read_out` makes parts of a trace of its logits [tokens, outputs]."""

    def __init__(self, model: Model, network: "RecurrentLanguageModel | RecurrentClassifier", read_out: ReadOut):
        self.model = model
        self.network = network
        self.read_out = read_out
        self.layers = network.split()

    def forward(self, text: str) -> Trace:
        """Reads [CLS] and the text from left to right, starting from a state of zeros."""
        import torch

        tokens = tokenizer.tokenize(text, self.model.longest)
        ids = torch.tensor([token.id for token in tokens])
        with torch.inference_mode():
            inputs, hidden, logits = self.call(ids)
            layers_in = [inputs, *hidden[:-1]]
            steps = [gates(layer, x, h) for layer, x, h in zip(self.layers, layers_in, hidden, strict=True)]
            said = self.read_out(logits, tokens)
        error = max(float(np.abs(rebuilt - h.numpy()).max()) for (_, _, rebuilt), h in zip(steps, hidden, strict=True))
        recurrence = None
        if names := self.model.gate_names:
            cells = [cell for _, cell, _ in steps if cell is not None]
            recurrence = Recurrence(
                gate_names=names,
                gates=np.stack([gate for gate, _, _ in steps]),
                cell=np.stack(cells) if cells else None,
            )
        vectors = inputs.numpy()
        return Trace(
            model=self.model.name,
            text=text,
            tokens=tokens,
            check=Check(error, f"torch.nn.{type(self.layers[0]).__name__}"),
            states=States(inputs=vectors, embeddings=vectors, hidden=torch.stack(hidden).numpy()),
            recurrence=recurrence,
            **said,
        )

    def call(self, ids: "Tensor") -> tuple["Tensor", list["Tensor"], "Tensor"]:
        """The model itself: word vectors and hidden states of each layer [tokens, units], logits [tokens, outputs]."""
        x = inputs = self.network.vectors(ids)
        hidden = []
        for layer in self.layers:
            x = layer(x)[0]
            hidden.append(x)
        return inputs, hidden, self.network.logits(x)


def gates(layer: "nn.RNNBase", x: "Tensor", h: "Tensor") -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Gates [gates, tokens, units], cell states [tokens, units] and the hidden states that follow from them.

    From the known h(t−1) all steps are one product; only c needs a loop. Order and formulas are those of torch.nn.
    """
    import torch

    names = ("weight_ih_l0", "bias_ih_l0", "weight_hh_l0", "bias_hh_l0")
    weight_ih, bias_ih, weight_hh, bias_hh = (cast("Tensor", getattr(layer, name)) for name in names)
    before = torch.cat([h.new_zeros(1, h.shape[1]), h[:-1]])  # h(t−1)
    from_input = torch.addmm(bias_ih, x, weight_ih.T)
    from_hidden = torch.addmm(bias_hh, before, weight_hh.T)
    if layer.mode == "LSTM":
        i, f, g, o = (from_input + from_hidden).chunk(4, dim=1)
        gate = torch.stack([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()])
        written = (gate[0] * gate[2]).numpy()
        kept = gate[1].numpy()
        cell = np.empty_like(written)
        c = np.zeros_like(written[0])
        for t in range(len(cell)):
            c = cell[t] = kept[t] * c + written[t]
        return gate.numpy(), cell, gate[3].numpy() * np.tanh(cell)
    if layer.mode == "GRU":
        r, z, n = from_input.chunk(3, dim=1)
        r_hidden, z_hidden, n_hidden = from_hidden.chunk(3, dim=1)
        reset, update = (r + r_hidden).sigmoid(), (z + z_hidden).sigmoid()
        new = (n + reset * n_hidden).tanh()  # reset acts after the product with h, as in torch.nn.GRU
        rebuilt = (1 - update) * new + update * before
        return torch.stack([reset, update, new]).numpy(), None, rebuilt.numpy()
    return np.empty((0, *h.shape), np.float32), None, (from_input + from_hidden).tanh().numpy()


def next_word(logits: "Tensor", tokens: tuple[Token, ...]) -> dict[str, Any]:
    """What a language model expects after each token."""
    import torch

    from models.prediction import predict

    return {"prediction": predict(logits, torch.tensor([token.id for token in tokens]))}


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
