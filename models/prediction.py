"""What a language model that reads from left to right expects at each token, from its logits."""

from collections.abc import Callable

import torch
from torch import Tensor

from models import tokenizer
from models.trace import Prediction

RANKS = 10  # how many of the likeliest next tokens a trace keeps


def predict(logits: Tensor, ids: Tensor, written: Callable[[int], str] = tokenizer.piece) -> Prediction:
    """Loss of each token given those before it, and the likeliest tokens after it, from logits [tokens, words].

    `written` turns an id into what people read. Uses the logits up: they fill megabytes, and every copy costs more than
    the arithmetic.
    """
    best = logits.topk(RANKS)
    highest = best.values[:, :1]
    following = logits.gather(1, ids.roll(-1)[:, None]) - highest
    total = logits.sub_(highest).exp_().sum(-1, keepdim=True).log()  # of the differences: logits near 100 cost digits
    loss = torch.full((len(ids),), torch.nan)
    loss[1:] = (total - following)[:-1, 0]
    return Prediction(
        loss=loss.numpy(),
        ids=best.indices.numpy(),
        probabilities=(best.values - highest - total).exp().numpy(),
        words=tuple(tuple(map(written, row)) for row in best.indices.tolist()),
    )
