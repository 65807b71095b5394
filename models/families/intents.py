"""Sentence classifiers: six networks that say what one wants of a voice assistant, from no order to the whole sentence.

The baselines stand here; rnn, lstm, gru and encoder are the traced networks of their own families with another head.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from models import tokenizer
from models.families import encoder, recurrent
from models.registry import Loaded, Model
from models.run import Change, changed
from models.trace import Check, Classification, States, Token, Trace
from models.window import window

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.classifiers import BagOfWords, FeedForward


class Baseline:
    """A classifier without a memory, in memory."""

    def __init__(self, model: Model, network: "BagOfWords | FeedForward"):
        self.model = model
        self.network = network

    def forward(self, text: str, change: Change | None = None) -> Trace:
        """Looks up the words of the text and classifies it, without special tokens.

        Change: `erased` makes that token padding: a vector of zeros, which does not count in a mean.
        """
        import torch

        tokens = tokenizer.tokenize(text, self.model.longest, start=False)
        ids = torch.tensor([[token.id for token in tokens]])
        erased = changed(change, len(tokens), "erased").get("erased")
        with torch.inference_mode():
            inputs = self.network.vectors(ids[0]).numpy()
            if erased is not None:
                ids[0, erased] = tokenizer.PAD
            logits = self.call(ids)[0]
            vectors = self.network.vectors(ids[0]).numpy()
            probabilities = logits.softmax(-1).numpy()
        counted = max(1, int((ids != tokenizer.PAD).sum()))
        check = Check(float(np.abs(rebuilt(self.network, vectors, counted) - logits.numpy()).max()), "NumPy")
        states = States(inputs=inputs, embeddings=vectors)
        said = Classification(class_names=self.network.classes, class_probabilities=probabilities)
        return Trace(model=self.model.name, text=text, tokens=tokens, check=check, states=states, classification=said)

    def scored(self, vectors: "Tensor") -> "Tensor":
        """Logits [texts, classes] from word vectors [texts, tokens, units]."""
        return self.network.scored(vectors)

    def call(self, ids: "Tensor") -> "Tensor":
        """The model itself: logits [1, classes] from ids [1, tokens]."""
        logits: Tensor = self.network(ids)
        return logits


def rebuilt(network: "BagOfWords | FeedForward", vectors: np.ndarray, counted: int) -> np.ndarray:
    """The logits [classes] once more, in NumPy, from the vectors [tokens, units]; `counted` of them are no padding."""
    from models.classifiers import FeedForward

    def product(layer: "nn.Linear", values: np.ndarray) -> np.ndarray:
        found: np.ndarray = layer.weight.numpy() @ values + layer.bias.numpy()
        return found

    if not isinstance(network, FeedForward):
        return product(network.head, vectors.sum(0) / counted)
    return product(network.head, np.tanh(product(network.hidden, window(vectors))))


def classes_so_far(names: tuple[str, ...], logits: "Tensor", _: tuple[Token, ...]) -> dict[str, Any]:
    """What a recurrent classifier finds after each token, from logits [tokens, classes]; the last one counts."""
    progress = logits.softmax(-1).numpy()
    said = Classification(class_names=names, class_probabilities=progress[-1], class_progress=progress)
    return {"classification": said}


def classes_at_once(names: tuple[str, ...], logits: "Tensor", _: tuple[Token, ...]) -> dict[str, Any]:
    """What a classifier finds that has read the whole text, from logits [classes]."""
    return {"classification": Classification(class_names=names, class_probabilities=logits.softmax(-1).numpy())}


def bag_of_words(model: Model) -> Baseline:
    """Reads the weights into memory."""
    from models import weights

    return Baseline(model, weights.bag_of_words(model.folder))


def feed_forward(model: Model) -> Baseline:
    """Reads the weights into memory."""
    from models import weights

    return Baseline(model, weights.feed_forward(model.folder))


def left_to_right(model: Model) -> recurrent.Recurrent:
    """Reads the weights into memory."""
    from models import weights

    network = weights.recurrent_classifier(model.folder)
    return recurrent.Recurrent(model, network, partial(classes_so_far, network.classes))


def whole_sentence(model: Model) -> encoder.Transformer:
    """Reads the weights into memory."""
    from models import capture, weights

    network = weights.sentence_encoder(model.folder, attention=capture.IMPLEMENTATION)
    names = tuple((network.config.id2label or {}).values())
    return encoder.traced(model, network, partial(classes_at_once, names))


def entry(
    kind: str, family: str, fields: tuple[str, ...], load: Callable[[Model], Loaded], gate_names: tuple[str, ...] = ()
) -> Model:
    """One of the six."""
    name = f"{kind}-intent"
    return Model(name=name, title=f"model.{name}.title", family=family, fields=fields, load=load, gate_names=gate_names)


WORDS = ("inputs", "embeddings")
MODELS = [
    entry("bag_of_words", "bag_of_words", (*WORDS, "class_probabilities"), bag_of_words),
    entry("feed_forward", "feed_forward", (*WORDS, "class_probabilities"), feed_forward),
    *(
        entry(
            cell, "recurrent", (*recurrent.fields(cell), "class_probabilities", "class_progress"), left_to_right, gates
        )
        for cell, gates in recurrent.GATE_NAMES.items()
    ),
    entry("encoder", "encoder", (*encoder.FIELDS, "class_probabilities"), whole_sentence),
]
