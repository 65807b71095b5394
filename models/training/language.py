"""What the language models learn: recurrent ones the next piece (sampled softmax), the encoder the masked pieces."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertForMaskedLM

from models.recurrence import RecurrentLanguageModel
from models.tokenizer import CLS, MASK, PAD, SEP
from models.training.text import Text
from models.training.vectors import piece_vectors

NEGATIVES = 1024
MASKED_SHARE = 0.2
IGNORED = -100  # the target of a position that is not to be predicted


def frequencies(texts: dict[str, Text], vocabulary: int) -> Tensor:
    """How often each piece occurs, as probabilities float32[vocabulary]; none is 0."""
    counts = np.ones(vocabulary)
    for text in texts.values():
        counts += np.bincount(text.ids, minlength=vocabulary)
        counts[SEP] += len(text.sentences) / 2
    return torch.from_numpy(counts / counts.sum()).float()


def start_recurrent(model: RecurrentLanguageModel, texts: dict[str, Text], seed: int, cache: Path) -> None:
    """Starts the word vectors from skip-gram and the bias from the pieces' frequencies."""
    vocabulary, units = model.vectors.weight.shape
    with torch.no_grad():
        model.vectors.weight.copy_(torch.from_numpy(piece_vectors(texts, units, seed, cache)))
        model.bias.copy_(frequencies(texts, vocabulary).log())


def start_encoder(model: BertForMaskedLM, texts: dict[str, Text], seed: int, cache: Path) -> None:
    """Starts the word vectors from skip-gram and the output bias from the pieces' frequencies."""
    vectors = model.bert.embeddings.word_embeddings.weight
    vocabulary, units = vectors.shape
    with torch.no_grad():
        vectors.copy_(torch.from_numpy(piece_vectors(texts, units, seed, cache)))
        model.cls.predictions.bias.copy_(frequencies(texts, vocabulary).log())


def next_piece_loss(model: RecurrentLanguageModel, frequency: Tensor, batch: np.ndarray) -> tuple[Tensor, int]:
    """Cross-entropy of the next piece against sampled negatives, corrected for how often each is drawn.

    Source: Jean et al. (2015), On Using Very Large Target Vocabulary; scoring always uses the whole vocabulary.
    """
    ids = torch.from_numpy(batch)
    known = ids[:, 1:] != PAD
    hidden = model(ids[:, :-1])[known]  # (n, units)
    targets = ids[:, 1:][known]  # (n,)
    negatives = torch.multinomial(frequency, NEGATIVES, replacement=True)
    expected = (NEGATIVES * frequency).log()
    vectors, bias = model.vectors.weight, model.bias
    positive = (hidden * vectors[targets]).sum(-1) + bias[targets] - expected[targets]
    negative = hidden @ vectors[negatives].T + bias[negatives] - expected[negatives]  # (n, negatives)
    negative = negative.masked_fill(negatives == targets[:, None], -torch.inf)
    scores = torch.cat([positive[:, None], negative], dim=1)
    return functional.cross_entropy(scores, torch.zeros_like(targets)), len(targets)


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


def parameters(model: nn.Module) -> int:
    """How many numbers the model has learned; shared ones count once."""
    return sum(parameter.numel() for parameter in model.parameters())
