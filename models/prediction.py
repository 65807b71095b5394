"""What a language model that reads from left to right expects at each token, from its logits."""

from collections.abc import Callable

import torch
from torch import Tensor

from models import tokenizer
from models.trace import Prediction

RANKS = 10  # how many of the likeliest next tokens a trace keeps
BLOCK = 100  # pieces whose largest score is looked at first


def predict(logits: Tensor, ids: Tensor, written: Callable[[int], str] = tokenizer.piece) -> Prediction:
    """Loss of each token given those before it, and the likeliest tokens after it, from logits [tokens, words].

    `written` turns an id into what people read.
    """
    log_probabilities = logits.log_softmax(-1)
    values, best = likeliest(log_probabilities, RANKS)
    loss = torch.full((len(ids),), torch.nan)
    loss[1:] = -log_probabilities[:-1].gather(1, ids[1:, None])[:, 0]
    return Prediction(
        loss=loss.numpy(),
        ids=best.numpy(),
        probabilities=values.exp().numpy(),
        words=tuple(tuple(map(written, row)) for row in best.tolist()),
    )


def likeliest(scores: Tensor, ranks: int) -> tuple[Tensor, Tensor]:
    """The largest scores of each row and their places, largest first, [rows, ranks] each.

    They stand in the `ranks` blocks with the largest maxima, so only these are sorted: a tenth of the time of `topk`.
    """
    whole = scores.shape[1] // BLOCK * BLOCK
    if whole <= ranks * BLOCK:
        found = scores.topk(min(ranks, scores.shape[1]))
        return found.values, found.indices
    blocks = scores[:, :whole].reshape(len(scores), -1, BLOCK).amax(-1).topk(ranks).indices
    inside = (blocks[:, :, None] * BLOCK + torch.arange(BLOCK)).flatten(1)
    rest = torch.arange(whole, scores.shape[1]).expand(len(scores), -1)
    places = torch.cat([inside, rest], dim=1)
    found = scores.gather(1, places).topk(ranks)
    return found.values, places.gather(1, found.indices)
