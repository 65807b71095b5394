"""What a language model that reads from left to right expects at each token, from its logits."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from models import tokenizer
from models.shapes import Late
from models.trace import Prediction

if TYPE_CHECKING:
    from torch import Tensor

RANKS = 10  # how many of the likeliest next tokens a trace keeps
ROWS = 128  # tokens whose logarithms are made at once: of 152,000 pieces 78 MB
SLICES = 20  # the scores of a row lie in so many layers, where they divide into them; each column has its largest

Read = tuple[np.ndarray, np.ndarray, np.ndarray]


def predict(
    logits: "Tensor", ids: "Sequence[int] | Tensor", written: Callable[[int], str] = tokenizer.piece
) -> Prediction:
    """Loss of each token given those before it, and the likeliest tokens after it, from logits [tokens, words].

    `written` turns an id into what people read. The logits are kept, and read when something of it is looked at: most
    pictures of a run do not show it.
    """
    own = np.asarray(ids)

    @cache
    def found() -> Read:
        return read(logits, own)

    guesses = (len(logits), min(RANKS, logits.shape[1]))
    return Prediction(
        loss=Late(lambda: found()[0], (len(logits),), logits.nbytes),
        ids=Late(lambda: found()[1], guesses, dtype=np.int64),
        probabilities=Late(lambda: found()[2], guesses),
        written=written,
    )


def read(logits: "Tensor", ids: np.ndarray) -> Read:
    """Losses [tokens], the likeliest tokens and their probabilities [tokens, ranks], from logits [tokens, words].

    Losses and probabilities are torch's own logarithms; only the likeliest are found faster than torch would.
    """
    import torch

    scores = logits.numpy()
    tokens, pieces = scores.shape
    ranks = min(RANKS, pieces)
    slices = 1 if pieces % SLICES or pieces // SLICES < ranks else SLICES
    layered = scores.reshape(tokens, slices, -1)
    places = largest(scores, candidates(layered, layered.max(1), ranks), ranks)
    loss, shares = np.full(tokens, np.nan, np.float32), np.empty(places.shape, np.float32)
    for start in range(0, tokens, ROWS):
        here = slice(start, start + ROWS)
        logarithms = torch.log_softmax(logits[here], 1).numpy()
        shares[here] = np.exp(np.take_along_axis(logarithms, places[here], 1))
        following = ids[1:][here]  # none after the last token
        loss[1:][here] = 0 - logarithms[np.arange(len(following)), following]  # 0 of what is certain, where −x is −0
    return loss, places, shares


def candidates(rows: np.ndarray, maxima: np.ndarray, ranks: int) -> np.ndarray:
    """Places, counted through all rows [rows, slices, columns], of the largest scores of each and of few others.

    The `ranks` largest maxima of columns reach the threshold, so at least as many scores do; what is not a number
    counts as one of them.
    """
    least = np.partition(maxima, -ranks, axis=1)[:, -ranks, None]
    row, column = np.divmod(np.flatnonzero(~(maxima < least)), maxima.shape[1])
    kept, layer = np.divmod(np.flatnonzero(~(rows[row, :, column] < least[row])), rows.shape[1])
    return np.ravel_multi_index((row[kept], layer, column[kept]), rows.shape)


def largest(scores: np.ndarray, found: np.ndarray, ranks: int) -> np.ndarray:
    """The places of the largest scores of each row, largest first, [tokens, ranks], among those that were found."""
    tokens, places = np.divmod(np.sort(found), scores.shape[1])  # of equals the first stays so
    order = np.lexsort((-scores[tokens, places], tokens))
    firsts = np.searchsorted(tokens, np.arange(len(scores)))
    chosen: np.ndarray = places[order[firsts[:, None] + np.arange(ranks)]]
    return chosen
