"""The task `similarity`: do word vectors find those words near to each other that people find similar?"""

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from models.training.corpora import WrongFormat, table
from models.training.likelihood import WrongModel
from models.word_vectors import WordVectors

COLUMNS = ["wort_a", "wort_b", "score_0_50"]


def correlation(model: object, file: Path, limit: int | None) -> dict[str, Any]:
    """Spearman's rank correlation of cosines and human scores, over the pairs of which both words are known.

    A word counts as known in another case too ("Hell" is looked up as "hell"). The pairs left out are counted.
    """
    if not isinstance(model, WordVectors):
        raise WrongModel("has no vectors of whole words (word_vectors does)")
    pairs = list(islice(table(file, COLUMNS), limit))
    known = [(a, b, number(score, file)) for a, b, score in pairs if None not in (model.row(a), model.row(b))]
    if len(known) < 2:
        raise WrongFormat(f"There are no two pairs of known words in {file}.")
    cosines = np.array([model.cosine(a, b) for a, b, _ in known])
    scores = np.array([score for _, _, score in known])
    return {
        "items": len(pairs),
        "spearman": round(float(np.corrcoef(ranks(cosines), ranks(scores))[0, 1]), 5),
        "coverage": round(len(known) / len(pairs), 5),
        "left_out": len(pairs) - len(known),
    }


def number(score: str, file: Path) -> float:
    """A human score; raises WrongFormat where it is no number."""
    try:
        return float(score)
    except ValueError:
        raise WrongFormat(f"'{score}' in {file} is no number.") from None


def ranks(values: np.ndarray) -> np.ndarray:
    """The rank of each value, the smallest first; equal values share the mean of their ranks."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last: np.ndarray = np.cumsum(counts)
    shared: np.ndarray = (last - (counts - 1) / 2)[group]
    return shared
