"""Masked words: what an encoder puts in place of each word of a text, with that word hidden from it, one at a time."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from models import registry, tokenizer
from models.run import Run
from models.trace import Filling, Trace, typed_places

if TYPE_CHECKING:
    from torch import Tensor

    from models.families.encoder import Transformer

RANKS = 5
MOST = 64  # words hidden of one text, and so many readings of it
BATCH_TOKENS = 2048  # read at once


def trace(run: Run) -> Trace:
    """The text's trace, and the pieces that the model finds likely at each hidden place.

    Of a text with more than MOST words so many are hidden, at equal distances.
    """
    import torch

    loaded = cast("Transformer", registry.load(run.model))
    whole = loaded.forward(run.text)
    ids = torch.tensor([token.id for token in whole.tokens])
    typed = typed_places(whole.tokens)
    hidden = [typed[number * len(typed) // min(len(typed), MOST)] for number in range(min(len(typed), MOST))]
    with torch.inference_mode():
        found = logits(loaded, ids, torch.tensor(hidden)).log_softmax(-1)
    best = found.topk(RANKS)
    count = len(whole.tokens)
    loss = np.full(count, np.nan, np.float32)
    loss[hidden] = -found[torch.arange(len(hidden)), ids[hidden]].numpy()
    pieces = np.full((count, RANKS), -1, np.int64)
    pieces[hidden] = best.indices.numpy()
    shares = np.full((count, RANKS), np.nan, np.float32)
    shares[hidden] = best.values.exp().numpy()
    words = tuple(tuple(tokenizer.piece(id_) for id_ in row if id_ >= 0) for row in pieces.tolist())
    return replace(
        whole, filling=Filling(masked_loss=loss, masked_ids=pieces, masked_probabilities=shares, words=words)
    )


def logits(loaded: "Transformer", ids: "Tensor", places: "Tensor") -> "Tensor":
    """The scores of all pieces at each of these places, hidden by itself, [places, pieces], from ids [tokens]."""
    import torch

    assert loaded.head is not None
    rows = ids.repeat(len(places), 1)
    rows[torch.arange(len(places)), places] = tokenizer.MASK
    size = max(1, BATCH_TOKENS // len(ids))
    states = [
        loaded.network(input_ids=part).last_hidden_state[torch.arange(len(part)), at]
        for part, at in zip(torch.split(rows, size), torch.split(places, size), strict=True)
    ]
    found: Tensor = loaded.head(torch.cat(states))
    return found
