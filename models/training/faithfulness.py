"""How well attention and attributions agree over many sentences: the yardstick for a single one.

python -m models.training.faithfulness --corpora FOLDER --model NAME. Takes 200 sentences that the model has not learned
from and asks it of each what the page asks; writes the quartiles of Kendall's τ as faithfulness.json beside the model's
weights. No sentence of a corpus goes into it.
"""

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from tqdm import tqdm

from models import faithfulness, registry, tokenizer
from models.experiments import takes
from models.run import Run, perform
from models.trace import typed_places
from models.training import classification, entities
from models.training.corpora import lines
from models.training.faults import Fault, told

INTENTS, INTENTS_LEARNED = "intents_massive/dev.tsv.gz", "intents_massive/train.tsv.gz"
ENTITIES, ENTITIES_LEARNED = "ner_germeval2014/dev.bio.gz", "ner_germeval2014/train.bio.gz"
TEXT, TEXT_LEARNED = "text_klexikon/klexikon.validation.txt.gz", "text_klexikon/klexikon.train.txt.gz"
SENTENCES = 200
LEAST_WORDS = 4  # an order of two or three words says little
MOST_WORDS = 16  # of the sentences of news and encyclopaedia: those that people type are no longer


def measured(runs: list[Run]) -> dict[str, Any]:
    """Quartiles of τ over these runs for each pair of methods, and what even attention does to the answers."""
    found, same, drops, heads = [], 0, [], 0
    for run in tqdm(runs, unit="sentence"):
        trace = perform(run)
        assert trace.attribution is not None and trace.attention is not None
        worth, heads = trace.attribution, trace.attention.attention.shape[1]
        found.append(faithfulness.agreement(trace))
        same += int(worth.best(worth.even)) == worth.chosen
        drops.append(float(worth.outcomes[worth.chosen] - worth.even[worth.chosen]))
    lower, median, upper = np.nanquantile(np.stack(found), [0.25, 0.5, 0.75], axis=0)
    return {
        "sentences": len(runs),
        "methods": list(faithfulness.methods(heads)),
        **{name: np.round(part, 4).tolist() for name, part in
           (("lower", lower), ("median", median), ("upper", upper))},
        "even_same_class": round(same / len(runs), 4),
        "even_median_drop": round(float(np.median(drops)), 4),
    }  # fmt: skip


def chosen(sentences: Iterable[str], learned: Iterable[str], drawn: random.Random) -> list[str]:
    """The sentences that are measured: none that is also among those `learned`, and none of few words."""
    known = set(learned)
    return drawn.sample(
        [text for text in sentences if len(text.split()) >= LEAST_WORDS and text not in known], SENTENCES
    )


def short(sentences: Iterable[str]) -> Iterator[str]:
    """Those that are not longer than what people type."""
    return (text for text in sentences if len(text.split()) <= MOST_WORDS)


def intents(model: str, corpora: Path, drawn: random.Random) -> list[Run]:
    """Requests, with a capital letter at the start; the answer is a class."""
    unseen, learned = ((text for text, _ in classification.read(corpora / file)) for file in (INTENTS, INTENTS_LEARNED))
    texts = chosen(unseen, learned, drawn)
    return [Run(model, text[:1].upper() + text[1:], "attributions") for text in texts]


def names(model: str, corpora: Path, drawn: random.Random) -> list[Run]:
    """News and Wikipedia in which the model finds a name; the answer is the label of the first."""

    def named(text: str) -> bool:
        labelling = perform(Run(model, text)).labelling
        return labelling is not None and bool(labelling.entities)

    texts = (" ".join(words) for words, labels in entities.read(corpora / ENTITIES) if set(labels) != {"O"})
    learned = (" ".join(words) for words, _ in entities.read(corpora / ENTITIES_LEARNED))
    return [Run(model, text, "attributions") for text in chosen(filter(named, short(texts)), learned, drawn)]


def hidden_words(model: str, corpora: Path, drawn: random.Random) -> list[Run]:
    """Sentences of the encyclopaedia, in each of which some piece is hidden."""
    texts = chosen(short(lines(corpora / TEXT)), lines(corpora / TEXT_LEARNED), drawn)
    counts = [len(typed_places(tokenizer.tokenize(text, 256))) for text in texts]
    places = [1 + drawn.randrange(count) for count in counts]
    return [Run(model, text, "attributions", at=place) for text, place in zip(texts, places, strict=True)]


def next_words(model: str, corpora: Path, drawn: random.Random) -> list[Run]:
    """Sentences of the encyclopaedia, cut off after some word; the answer is the next piece."""
    texts = [text.split() for text in chosen(short(lines(corpora / TEXT)), lines(corpora / TEXT_LEARNED), drawn)]
    return [
        Run(model, " ".join(words[: drawn.randint(LEAST_WORDS, max(LEAST_WORDS, len(words) - 1))]), "attributions")
        for words in texts
    ]


ASKED = {  # by the field that its traces have: where the sentences are from, and how they are asked
    "class_probabilities": (INTENTS, intents),
    "label_probabilities": (ENTITIES, names),
    "predictions": (TEXT, next_words),
    "attention": (TEXT, hidden_words),
}


@told()
def main(
    corpora: Annotated[Path, typer.Option(help="the folder of the corpora (see models/training/README.md)")],
    model: Annotated[str, typer.Option(help="a Transformer with something to answer")] = "encoder-intent",
    seed: Annotated[int, typer.Option(help="which sentences are taken")] = 1,
) -> None:
    """Measures and writes faithfulness.json."""
    known = registry.catalogue().get(model)
    if known is None or not takes(known, "attributions"):
        fitting = ", ".join(each.name for each in registry.catalogue().values() if takes(each, "attributions"))
        raise Fault(f"'{model}' cannot be asked what counted for an answer; {fitting} can.")
    file, asked = next(entry for field, entry in ASKED.items() if field in known.fields)
    said = {"weights": known.hash, "file": file, "seed": seed}
    said |= measured(asked(model, corpora, random.Random(seed)))
    (known.folder / "faithfulness.json").write_text(json.dumps(said) + "\n", "utf-8")
    typer.echo(json.dumps(said))


if __name__ == "__main__":
    typer.run(main)
