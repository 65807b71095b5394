"""The fixed window of the feed-forward network: as many words as its input has places for, in their order."""

import numpy as np

WINDOW = 16  # words


def window(vectors: np.ndarray) -> np.ndarray:
    """The first 16 of the vectors [tokens, units] one behind the other, [16 · units]; zeros where there are fewer."""
    filled = np.zeros((WINDOW, vectors.shape[1]), np.float32)
    filled[: len(vectors)] = vectors[:WINDOW]
    return filled.ravel()
