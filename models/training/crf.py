"""A conditional random field over hand-made features, as a yardstick for the networks that mark named entities.

python -m models.training.crf --corpora CORPORA --file F prints its span F1; it is not part of the app, and needs
python-crfsuite, which comes with the tests.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from models.entities import spans
from models.training.entities import TRAINED_ON, read
from models.training.faults import told

RANGE = 2  # words to either side whose form counts
AFFIXES = (1, 2, 3, 4)
SETTINGS = {"c1": 0.1, "c2": 0.01, "max_iterations": 100, "feature.possible_transitions": True}


def features(words: Sequence[str], place: int) -> list[str]:
    """What the field knows of a word: its form, shape and ends, and the forms and shapes of its neighbours.

    The choice follows the usual ones: Finkel, Grenager and Manning (2005), Lample and others (2016) on baselines.
    """
    word = words[place]
    found = ["bias", f"word={word}", f"lower={word.lower()}", f"shape={shape(word)}"]
    found += [f"begin={word[:count]}" for count in AFFIXES] + [f"end={word[-count:]}" for count in AFFIXES]
    for step in (step for step in range(-RANGE, RANGE + 1) if step):
        there = place + step
        if 0 <= there < len(words):
            found += [f"{step}:lower={words[there].lower()}", f"{step}:shape={shape(words[there])}"]
        else:
            found.append(f"{step}:edge")
    return found


def shape(word: str) -> str:
    """Capitals as X, small letters as x, digits as 0, all else as it is; repeats stand once: "Köln-Ost": Xx-Xx."""
    kinds = ["X" if char.isupper() else "x" if char.islower() else "0" if char.isdigit() else char for char in word]
    return "".join(kind for place, kind in enumerate(kinds) if not place or kind != kinds[place - 1])


@told()
def main(
    corpora: Annotated[Path, typer.Option(help="the folder of the corpora (see models/training/README.md)")],
    file: Annotated[Path, typer.Option(help="what to score it on, BIO, plain or .gz")],
    limit: Annotated[int | None, typer.Option(min=1, help="learn from the first N sentences only")] = None,
) -> None:
    """Learns from the training sentences and prints precision, recall and F1 of whole names."""
    import pycrfsuite  # only here: the app does without

    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params(SETTINGS)
    for sentence in list(read(corpora / TRAINED_ON))[:limit]:
        trainer.append([features(sentence.words, place) for place in range(len(sentence.words))], sentence.labels)
    tagger = pycrfsuite.Tagger()
    with TemporaryDirectory() as folder:
        trainer.train(f"{folder}/crf")
        tagger.open(f"{folder}/crf")
        right = guessed = wanted = 0
        for sentence in read(file):
            labels = tagger.tag([features(sentence.words, place) for place in range(len(sentence.words))])
            there, found = set(spans(sentence.labels)), set(spans(labels))
            right, guessed, wanted = right + len(there & found), guessed + len(found), wanted + len(there)
    typer.echo(
        f"precision {right / max(guessed, 1):.3f}, recall {right / max(wanted, 1):.3f}, "
        f"F1 {2 * right / max(guessed + wanted, 1):.3f} over {wanted:,} names"
    )


if __name__ == "__main__":
    typer.run(main)
