"""The recurrent networks behind rnn, lstm and gru as torch modules; how they are traced stands in models/families."""

from typing import Literal

import torch
from torch import Tensor, nn

Cell = Literal["rnn", "lstm", "gru"]
CELLS: dict[str, type[nn.RNN] | type[nn.LSTM] | type[nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class RecurrentNetwork(nn.Module):
    """Word vectors → layers of one kind of cell."""

    def __init__(self, cell: Cell, vocabulary: int, units: int, layers: int):
        super().__init__()
        self.cell = cell
        self.vectors = nn.Embedding(vocabulary, units)
        self.layers = CELLS[cell](units, units, num_layers=layers, batch_first=True)

    def forward(self, ids: Tensor) -> Tensor:
        """Hidden states of the last layer, [texts, tokens, units], from ids [texts, tokens]."""
        hidden: Tensor = self.layers(self.vectors(ids))[0]
        return hidden

    def split(self) -> list[nn.RNNBase]:
        """Each layer as its own module that shares the weights: torch's stack shows its last layer's states only."""
        parts: list[nn.RNNBase] = []
        for number in range(self.layers.num_layers):
            layer = CELLS[self.cell](self.layers.input_size, self.layers.hidden_size, batch_first=True)
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                setattr(layer, f"{kind}_l0", getattr(self.layers, f"{kind}_l{number}"))
            parts.append(layer.eval())
        return parts


class RecurrentLanguageModel(RecurrentNetwork):
    """A recurrent network that guesses the next word; one matrix serves as input and output vectors."""

    def __init__(self, cell: Cell, vocabulary: int, units: int, layers: int):
        super().__init__(cell, vocabulary, units, layers)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def logits(self, hidden: Tensor) -> Tensor:
        """The score of each word of the vocabulary as the next one, [..., vocabulary]."""
        return nn.functional.linear(hidden, self.vectors.weight, self.bias)
