"""What a language model that reads from left to right expects at each token, from its logits."""

from collections.abc import Callable

import torch
from torch import Tensor

from models import tokenizer
from models.trace import Prediction

RANKS = 10  # how many of the likeliest next tokens a trace keeps
ROWS = 16  # tokens whose scores are looked at together: as much as stays in a processor's cache
SLICES = 20  # a row of scores lies in so many layers; only the columns with the largest maxima are sorted


def predict(logits: Tensor, ids: Tensor, written: Callable[[int], str] = tokenizer.piece) -> Prediction:
    """Loss of each token given those before it, and the likeliest tokens after it, from logits [tokens, words].

    `written` turns an id into what people read.
    """
    found = [likeliest(rows, RANKS) for rows in torch.split(logits, ROWS)]
    largest, places, sums = map(torch.cat, zip(*found, strict=True))
    loss = torch.full((len(ids),), torch.nan)
    most = largest[:, :1]  # taken away first: logits of a hundred leave few digits for the logarithm
    loss[1:] = (most[:-1] - logits[:-1].gather(1, ids[1:, None]) + sums[:-1])[:, 0]
    return Prediction(
        loss=loss.numpy(),
        ids=places.numpy(),
        probabilities=(largest - most - sums).exp().numpy(),
        words=tuple(tuple(map(written, row)) for row in places.tolist()),
    )


def likeliest(scores: Tensor, ranks: int) -> tuple[Tensor, Tensor, Tensor]:
    """The largest scores of each row and their places, largest first, [rows, ranks] each, and what the row is `above`.

    They stand in the `ranks` columns with the largest maxima, so only these are sorted: a third of the time of `topk`.
    """
    columns = scores.shape[1] // SLICES
    if columns <= ranks:
        found = scores.topk(min(ranks, scores.shape[1]))
        return found.values, found.indices, above(scores, found.values)
    whole = columns * SLICES
    maxima = scores[:, :whole].reshape(-1, SLICES, columns).amax(1)
    chosen = maxima.topk(ranks).indices[:, None] + torch.arange(0, whole, columns)[:, None]
    rest = torch.arange(whole, scores.shape[1]).expand(len(scores), -1)
    places = torch.cat([chosen.flatten(1), rest], dim=1)
    found = scores.gather(1, places).topk(ranks)
    return found.values, places.gather(1, found.indices), above(scores, found.values)


def above(scores: Tensor, largest: Tensor) -> Tensor:
    """log Σ exp(score − largest) of each row, [rows, 1]; never below 0."""
    return (scores - largest[:, :1]).exp_().sum(1, keepdim=True).log_()
