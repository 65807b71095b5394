"""The training of the decoder: a small GPT-2 learns each next piece, as the recurrent models do."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from models.tokenizer import CLS, PAD, SEP, tokenizer
from models.training import text
from models.training.language import frequencies, sampled_softmax
from models.training.lesson import Job, Lesson
from models.training.loop import Recipe
from models.training.text import Text
from models.training.vectors import piece_vectors

RECIPE = Recipe(steps=30_000, batch_tokens=1_200, learning_rate=1e-3, warmup=500)
SIMPLE_EPOCHS = 1  # of the simpler corpora alone, at the beginning


def lesson(job: Job, recipe: Recipe) -> Lesson[np.ndarray]:
    """A GPT-2 of the encoder's size that learns each next piece; one matrix serves as input and output vectors."""
    texts = text.read(job.corpora, job.checkpoints)
    vocabulary = tokenizer().get_vocab_size()
    config = GPT2Config(
        vocab_size=vocabulary, n_positions=text.LONGEST, n_embd=job.units, n_layer=4, n_head=4,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=CLS, eos_token_id=SEP,
    )  # fmt: skip
    network = GPT2LMHeadModel(config)
    simple_epochs = 0 if job.go_on else SIMPLE_EPOCHS
    return Lesson(
        network=network,
        config=network.config.to_dict(),
        loss_of=partial(next_piece_loss, network, frequencies(texts, vocabulary)),
        batches_from=partial(text.batches, texts, recipe.seed, recipe.batch_tokens, simple_epochs),
        start=partial(start, network, texts, recipe.seed, job.checkpoints),
    )


def start(model: GPT2LMHeadModel, texts: dict[str, Text], seed: int, cache: Path) -> None:
    """Starts the word vectors from skip-gram."""
    vectors = model.transformer.wte.weight
    with torch.no_grad():
        vectors.copy_(torch.from_numpy(piece_vectors(texts, vectors.shape[1], seed, cache)))


def next_piece_loss(model: GPT2LMHeadModel, frequency: Tensor, batch: np.ndarray) -> tuple[Tensor, int]:
    """The loss of the next piece at each place of the batch, against sampled negatives.

    [PAD] stands at the end only, where the causal mask hides it from all that counts.
    """
    ids = torch.from_numpy(batch)
    known = ids[:, 1:] != PAD
    hidden = model.transformer(ids[:, :-1], use_cache=False).last_hidden_state[known]  # (n, units)
    targets = ids[:, 1:][known]  # (n,)
    no_bias = torch.zeros_like(frequency)  # GPT-2 has none at its output
    return sampled_softmax(hidden, targets, model.lm_head.weight, no_bias, frequency), len(targets)
