"""What a language model that reads from left to right expects at each token, from its logits."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from models import tokenizer
from models.shapes import Late
from models.trace import Prediction

if TYPE_CHECKING:
    from torch import Tensor

RANKS = 10  # how many of the likeliest next tokens a trace keeps
ROWS = 16  # tokens whose scores are looked at together: as much as stays in a processor's cache
SLICES = 20  # a row of scores lies in so many layers; only the columns with the largest maxima are sorted

Read = tuple[np.ndarray, np.ndarray, np.ndarray]


def predict(logits: "Tensor", ids: "Tensor", written: Callable[[int], str] = tokenizer.piece) -> Prediction:
    """Loss of each token given those before it, and the likeliest tokens after it, from logits [tokens, words].

    `written` turns an id into what people read. The logits are kept, and read when something of it is looked at: most
    pictures of a run do not show it.
    """
    scores, own = logits.numpy(), ids.numpy()

    @cache
    def found() -> Read:
        return read(scores, own)

    guesses = (len(scores), min(RANKS, scores.shape[1]))
    return Prediction(
        loss=Late(lambda: found()[0], (len(scores),), scores.nbytes),
        ids=Late(lambda: found()[1], guesses, dtype=np.int64),
        probabilities=Late(lambda: found()[2], guesses),
        written=written,
    )


def read(scores: np.ndarray, ids: np.ndarray) -> Read:
    """Losses [tokens], the likeliest tokens and their probabilities [tokens, ranks], from scores [tokens, words].

    By numpy, which computes this on the one thread that asks, whichever that is.
    """
    blocks = np.split(scores, range(ROWS, len(scores), ROWS))
    found = [likeliest(rows, RANKS) for rows in blocks]
    largest, places, sums = map(np.concatenate, zip(*found, strict=True))
    loss = np.full(len(ids), np.nan, np.float32)
    most = largest[:, :1]  # taken away first: logits of a hundred leave few digits for the logarithm
    loss[1:] = (most[:-1] - np.take_along_axis(scores[:-1], ids[1:, None], 1) + sums[:-1])[:, 0]
    return loss, places, np.exp(largest - most - sums)


def likeliest(scores: np.ndarray, ranks: int) -> Read:
    """The largest scores of each row and their places, largest first, [rows, ranks] each, and what the row is `above`.

    They stand in the `ranks` columns with the largest maxima, so only these are sorted.
    """
    columns = scores.shape[1] // SLICES
    if columns <= ranks:
        places = largest_first(scores, min(ranks, scores.shape[1]))
    else:
        whole = columns * SLICES
        maxima = scores[:, :whole].reshape(-1, SLICES, columns).max(1)
        chosen = maxima.argpartition(-ranks, axis=1)[:, -ranks:, None] + np.arange(0, whole, columns)
        rest = np.broadcast_to(np.arange(whole, scores.shape[1]), (len(scores), scores.shape[1] - whole))
        places = np.concatenate([chosen.reshape(len(scores), -1), rest], axis=1)
        among = largest_first(np.take_along_axis(scores, places, 1), ranks)
        places = np.take_along_axis(places, among, 1)
    values = np.take_along_axis(scores, places, 1)
    return values, places, above(scores, values)


def largest_first(scores: np.ndarray, ranks: int) -> np.ndarray:
    """The places of the largest scores of each row, [rows, ranks]."""
    places = scores.argpartition(-ranks, axis=1)[:, -ranks:]
    order = np.take_along_axis(scores, places, 1).argsort(axis=1)[:, ::-1]
    return np.take_along_axis(places, order, 1)


def above(scores: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """log Σ exp(score − largest) of each row, [rows, 1]; never below 0."""
    differences = scores - largest[:, :1]
    found: np.ndarray = np.log(np.exp(differences, out=differences).sum(1, keepdims=True))
    return found
