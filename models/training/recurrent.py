"""The training of rnn, lstm and gru: all alike, so that comparing them is fair."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.recurrence import Cell, RecurrentLanguageModel
from models.tokenizer import PAD, tokenizer
from models.training import text
from models.training.language import frequencies, sampled_softmax
from models.training.lesson import Job, Lesson
from models.training.loop import Recipe
from models.training.text import Text
from models.training.vectors import piece_vectors

RECIPE = Recipe(steps=12_000, batch_tokens=2_048, learning_rate=2e-3)
LAYERS = 2


def lesson(job: Job, recipe: Recipe, cell: Cell) -> Lesson[np.ndarray]:
    """A recurrent language model with this kind of cell that learns each next piece."""
    texts = text.read(job.corpora, job.checkpoints)
    vocabulary = tokenizer().get_vocab_size()
    network = RecurrentLanguageModel(cell, vocabulary, job.units, LAYERS)
    return Lesson(
        network=network,
        config={"cell": cell, "vocabulary": vocabulary, "units": job.units, "layers": LAYERS},
        loss_of=partial(next_piece_loss, network, frequencies(texts, vocabulary)),
        batches_from=partial(text.batches, texts, recipe.seed, recipe.batch_tokens, 0),
        start=partial(start, network, texts, recipe.seed, job.checkpoints),
    )


def start(model: RecurrentLanguageModel, texts: dict[str, Text], seed: int, cache: Path) -> None:
    """Starts the word vectors from skip-gram, the bias from the pieces' frequencies, an LSTM's forget gates open.

    The open forget gates (a bias of 1) are those of Jozefowicz et al. (2015), An Empirical Exploration of Recurrent
    Network Architectures; without them an LSTM learns to remember last of all.
    """
    vocabulary, units = model.vectors.weight.shape
    with torch.no_grad():
        model.vectors.weight.copy_(torch.from_numpy(piece_vectors(texts, units, seed, cache)))
        model.bias.copy_(frequencies(texts, vocabulary).log())
        if model.cell == "lstm":
            for layer in range(model.layers.num_layers):
                getattr(model.layers, f"bias_ih_l{layer}")[units : 2 * units] += 1.0


def next_piece_loss(model: RecurrentLanguageModel, frequency: Tensor, batch: np.ndarray) -> tuple[Tensor, int]:
    """The loss of the next piece at each place of the batch, against sampled negatives."""
    ids = torch.from_numpy(batch)
    known = ids[:, 1:] != PAD
    hidden = model(ids[:, :-1])[known]  # (n, units)
    targets = ids[:, 1:][known]  # (n,)
    return sampled_softmax(hidden, targets, model.vectors.weight, model.bias, frequency), len(targets)
