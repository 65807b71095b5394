"""What the language models share in training: the pieces' frequencies and the loss against sampled pieces."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.tokenizer import SEP
from models.training.text import Text

NEGATIVES = 1024


def frequencies(texts: dict[str, Text], vocabulary: int) -> Tensor:
    """How often each piece occurs, as probabilities float32[vocabulary]; none is 0."""
    counts = np.ones(vocabulary)
    for text in texts.values():
        counts += np.bincount(text.ids, minlength=vocabulary)
        counts[SEP] += len(text.sentences) / 2
    return torch.from_numpy(counts / counts.sum()).float()


def sampled_softmax(hidden: Tensor, targets: Tensor, vectors: Tensor, bias: Tensor, frequency: Tensor) -> Tensor:
    """Mean cross-entropy of the targets [n] against sampled negatives, corrected for how often each is drawn.

    From hidden states [n, units] and output vectors [vocabulary, units]; scoring always uses the whole vocabulary.
    Source: Jean et al. (2015), On Using Very Large Target Vocabulary.
    """
    negatives = torch.multinomial(frequency, NEGATIVES, replacement=True)
    expected = (NEGATIVES * frequency).log()
    positive = (hidden * vectors[targets]).sum(-1) + bias[targets] - expected[targets]
    negative = hidden @ vectors[negatives].T + bias[negatives] - expected[negatives]  # (n, negatives)
    negative = negative.masked_fill(negatives == targets[:, None], -torch.inf)
    scores = torch.cat([positive[:, None], negative], dim=1)
    return functional.cross_entropy(scores, torch.zeros_like(targets))
