"""How well attention and attributions agree over many sentences: the yardstick for a single one.

python -m models.training.faithfulness --corpora FOLDER. Takes sentences of the validation file of the intents, each
written with a capital letter at the start, and writes the quartiles of Kendall's τ as faithfulness.json beside the
model's weights; no sentence of the corpus goes into it.
"""

import json
import random
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from tqdm import tqdm

from models import faithfulness, registry
from models.run import Run, perform
from models.training.classification import read

FILE = "intents_massive/dev.tsv.gz"
SENTENCES = 200
LEAST_WORDS = 4  # an order of two or three words says little


def measured(model: str, sentences: list[str]) -> dict[str, Any]:
    """Quartiles of τ over these sentences for each pair of methods, and what even attention does to the answers."""
    found, same, drops = [], 0, []
    for sentence in tqdm(sentences, unit="sentence"):
        trace = perform(Run(model, sentence, "attributions"))
        assert trace.attribution is not None and trace.classification is not None and trace.attention is not None
        found.append(faithfulness.agreement(trace))
        chosen, heads = trace.attribution.chosen, trace.attention.attention.shape[1]
        same += int(trace.attribution.even.argmax()) == chosen
        drops.append(float(trace.classification.class_probabilities[chosen] - trace.attribution.even[chosen]))
    lower, median, upper = np.nanquantile(np.stack(found), [0.25, 0.5, 0.75], axis=0)
    return {
        "sentences": len(sentences),
        "methods": list(faithfulness.methods(heads)),
        **{name: np.round(part, 4).tolist() for name, part in
           (("lower", lower), ("median", median), ("upper", upper))},
        "even_same_class": round(same / len(sentences), 4),
        "even_median_drop": round(float(np.median(drops)), 4),
    }  # fmt: skip


def chosen(file: Path, seed: int) -> list[str]:
    """The sentences that are measured."""
    long_enough = [text for text, _ in read(file) if len(text.split()) >= LEAST_WORDS]
    return [text[:1].upper() + text[1:] for text in random.Random(seed).sample(long_enough, SENTENCES)]


def main(
    corpora: Annotated[Path, typer.Option(help="the folder of the corpora (see models/training/README.md)")],
    model: Annotated[str, typer.Option(help="an encoder that classifies")] = "encoder-intent",
    seed: Annotated[int, typer.Option(help="which sentences are taken")] = 1,
) -> None:
    """Measures and writes faithfulness.json."""
    folder = registry.get(model).folder
    said = {"weights": registry.get(model).hash, "file": FILE, "seed": seed}
    said |= measured(model, chosen(corpora / FILE, seed))
    (folder / "faithfulness.json").write_text(json.dumps(said) + "\n", "utf-8")
    typer.echo(json.dumps(said))


if __name__ == "__main__":
    typer.run(main)
