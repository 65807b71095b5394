"""The training of the encoder: a small BERT learns to fill masked pieces; snapshots show it on the way."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import BertConfig, BertForMaskedLM

from models.tokenizer import CLS, MASK, PAD, SEP, tokenizer
from models.training import text
from models.training.language import frequencies
from models.training.lesson import Job, Lesson
from models.training.loop import Recipe
from models.training.text import Text
from models.training.vectors import piece_vectors

RECIPE = Recipe(steps=8_000, batch_tokens=1_280, learning_rate=1e-3, warmup=500)
SIMPLE_EPOCHS = 1  # of the simpler corpora alone, at the beginning
MASKED_SHARE = 0.2
SNAPSHOTS = (0, 100, 500, 2_000)  # steps whose weights are kept beside the last ones


def lesson(job: Job, recipe: Recipe) -> Lesson[np.ndarray]:
    """A BERT that learns the masked pieces."""
    texts = text.read(job.corpora, job.checkpoints)
    network = BertForMaskedLM(configuration(job.units))
    simple_epochs = 0 if job.go_on else SIMPLE_EPOCHS
    return Lesson(
        network=network,
        config=network.config.to_dict(),
        loss_of=partial(masked_piece_loss, network),
        batches_from=partial(text.batches, texts, recipe.seed, recipe.batch_tokens, simple_epochs),
        start=partial(start, network, texts, recipe.seed, job.checkpoints),
    )


def configuration(units: int) -> BertConfig:
    """The sizes of the encoder, whatever head it has."""
    return BertConfig(
        vocab_size=tokenizer().get_vocab_size(), hidden_size=units, num_hidden_layers=4, num_attention_heads=4,
        intermediate_size=4 * units, max_position_embeddings=text.LONGEST, type_vocab_size=1, pad_token_id=PAD,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip


def start(model: BertForMaskedLM, texts: dict[str, Text], seed: int, cache: Path) -> None:
    """Starts the word vectors from skip-gram and the output bias from the pieces' frequencies."""
    vectors = model.bert.embeddings.word_embeddings.weight
    vocabulary, units = vectors.shape
    with torch.no_grad():
        vectors.copy_(torch.from_numpy(piece_vectors(texts, units, seed, cache)))
        model.cls.predictions.bias.copy_(frequencies(texts, vocabulary).log())


def masked_piece_loss(model: BertForMaskedLM, batch: np.ndarray) -> tuple[Tensor, int]:
    """Cross-entropy at the masked places only: 80 % read [MASK], 10 % another piece, 10 % stay (Devlin et al. 2019)."""
    ids = torch.from_numpy(batch)
    known = ids != PAD
    chosen = (torch.rand(ids.shape) < MASKED_SHARE) & known & (ids != CLS) & (ids != SEP)
    chosen[0, 1] = True  # at least one place, however short the batch
    targets = ids[chosen]
    kind = torch.rand(ids.shape)
    seen = ids.masked_fill(chosen & (kind < 0.8), MASK)
    others = torch.randint(MASK + 1, model.config.vocab_size, ids.shape)
    seen = torch.where(chosen & (kind >= 0.9), others, seen)
    hidden = model.bert(seen, attention_mask=None if known.all() else known.long()).last_hidden_state
    logits = model.cls(hidden[chosen])  # (masked, vocabulary)
    return functional.cross_entropy(logits, targets), int(known.sum())
