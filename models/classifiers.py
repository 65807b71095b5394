"""The networks that classify, as torch modules: two baselines without a memory, and a recurrent network with a head.

The encoder's classifiers are transformers' own: BertForSequenceClassification and BertForTokenClassification.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from models.recurrence import Cell, RecurrentNetwork
from models.tokenizer import PAD
from models.window import WINDOW

DROPOUT = 0.3  # while training


class BagOfWords(nn.Module):
    """The mean of the word vectors → classes: no order.

    The vectors are summed in the order of their ids, so that a sentence and its permutations agree to the last bit.
    """

    def __init__(self, vocabulary: int, units: int, classes: Sequence[str]):
        super().__init__()
        self.classes = tuple(classes)
        self.vectors = nn.Embedding(vocabulary, units, padding_idx=PAD)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(units, len(classes))

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [texts, classes] from ids [texts, tokens]."""
        ordered = ids.sort().values
        return self.scored(self.vectors(ordered), (ordered != PAD).sum(1, keepdim=True).clamp(min=1))

    def scored(self, vectors: Tensor, words: Tensor | None = None) -> Tensor:
        """Logits [texts, classes] from word vectors [texts, tokens, units], of which so many count: [texts, 1]."""
        mean = vectors.mean(1) if words is None else vectors.sum(1) / words
        logits: Tensor = self.head(self.dropout(mean))
        return logits


class FeedForward(nn.Module):
    """The first 16 word vectors in a row → a hidden layer → classes: it knows places, but cuts and pads."""

    def __init__(self, vocabulary: int, units: int, hidden: int, classes: Sequence[str]):
        super().__init__()
        self.classes = tuple(classes)
        self.vectors = nn.Embedding(vocabulary, units, padding_idx=PAD)
        self.dropout = nn.Dropout(DROPOUT)
        self.hidden = nn.Linear(WINDOW * units, hidden)
        self.head = nn.Linear(hidden, len(classes))

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [texts, classes] from ids [texts, tokens]."""
        window = ids.new_full((len(ids), WINDOW), PAD)
        window[:, : ids.shape[1]] = ids[:, :WINDOW]
        return self.scored(self.vectors(window))

    def scored(self, vectors: Tensor) -> Tensor:
        """Logits [texts, classes] from word vectors [texts, tokens, units]: the first 16, or zeros behind them."""
        window = nn.functional.pad(vectors[:, :WINDOW], (0, 0, 0, max(0, WINDOW - vectors.shape[1])))
        row = window.flatten(1)  # (texts, 16 · units)
        logits: Tensor = self.head(self.dropout(self.hidden(self.dropout(row)).tanh()))
        return logits


class RecurrentClassifier(RecurrentNetwork):
    """A recurrent network that scores classes after each token, from what it has read so far."""

    def __init__(self, cell: Cell, vocabulary: int, units: int, layers: int, classes: Sequence[str]):
        super().__init__(cell, vocabulary, units, layers)
        self.classes = tuple(classes)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(units, len(classes))

    def forward(self, ids: Tensor) -> Tensor:
        """Hidden states of the last layer, [texts, tokens, units], from ids [texts, tokens]."""
        hidden: Tensor = self.dropout(self.layers(self.dropout(self.vectors(ids)))[0])
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """The score of each class, [..., classes]."""
        scores: Tensor = self.head(hidden)
        return scores
