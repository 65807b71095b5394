"""Skip-gram vectors of the tokenizer's pieces: where the language models' word vectors start from."""

from pathlib import Path

import numpy as np

from models.tokenizer import tokenizer
from models.training.cache import whole
from models.training.text import Text


def piece_vectors(texts: dict[str, Text], units: int, seed: int, cache: Path) -> np.ndarray:
    """float32[vocabulary, units] with a mean length of 1, learned by gensim on all training text; kept in the cache."""
    file = cache / f"piece_vectors_{units}.npy"
    if not file.exists():
        from gensim.models import Word2Vec

        sentences = [list(map(str, ids)) for text in texts.values() for ids in text.each_sentence()]
        learned = Word2Vec(
            sentences, vector_size=units, sg=1, window=5, negative=5, min_count=1, sample=1e-4, epochs=2,
            workers=1, seed=seed,
        ).wv  # fmt: skip
        random = np.random.default_rng(seed)
        vectors = random.normal(size=(tokenizer().get_vocab_size(), units)).astype(np.float32) / np.sqrt(units)
        scale = np.linalg.norm(learned.vectors, axis=1).mean()
        for key, index in learned.key_to_index.items():
            vectors[int(key)] = learned.vectors[index] / scale
        with whole(file) as partial:
            np.save(partial, vectors)
    found: np.ndarray = np.load(file)
    return found
