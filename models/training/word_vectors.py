"""The training of the word vectors: gensim's skip-gram on whole words, on one thread so that it always gives the same.

(Only its vectors and the order of its words are kept. gensim starts from seeded random numbers, not from hashes.)
"""

import json
import time
from dataclasses import asdict, dataclass

import numpy as np
from safetensors.numpy import save_file

from models.training import outcome
from models.training.corpora import german_text
from models.training.lesson import Job
from models.word_vectors import WORD


@dataclass(frozen=True)
class Skipgram:
    """gensim's settings: so many words to each side, so many negative samples, frequent words thinned by `sample`."""

    units: int = 120
    epochs: int = 5
    window: int = 10
    negative: int = 10
    sample: float = 1e-4
    learning_rate: float = 0.05
    rarest: int = 5  # occurrences of the rarest word that takes part
    kept: int = 60_000  # of the most frequent words: 14.4 MB in float16
    seed: int = 1


RECIPE = Skipgram()


def train(job: Job, recipe: Skipgram = RECIPE) -> None:
    """Learns the vectors and writes those of the most frequent words."""
    from gensim.models import Word2Vec

    sentences = [
        WORD.findall(sentence)
        for text in german_text(job.corpora).values()
        for paragraph in text
        for sentence in paragraph
    ]
    started = time.monotonic()
    learned = Word2Vec(
        sentences, sg=1, vector_size=recipe.units, epochs=job.steps or recipe.epochs, window=recipe.window,
        negative=recipe.negative, sample=recipe.sample, alpha=recipe.learning_rate, min_count=recipe.rarest,
        seed=recipe.seed, workers=1,
    )  # fmt: skip
    seconds = time.monotonic() - started
    words, vectors = learned.wv.index_to_key[: recipe.kept], learned.wv.vectors[: recipe.kept]
    folder = job.weights / job.name
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"vectors": vectors.astype(np.float16)}, folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)
    (folder / "words.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    config = {"model_type": "word_vectors", "vocabulary": len(words), "units": recipe.units}
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    run = {
        "recipe": asdict(recipe),
        "steps": learned.epochs,
        "seconds": round(seconds, 3),
        "tokens": learned.corpus_total_words * learned.epochs,
        "loss": [],
    }
    (folder / outcome.CURVE).write_text(json.dumps(outcome.learning_curve(vectors.size, [run])) + "\n")
