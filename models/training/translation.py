"""The task `translation`: how much of the translations stands in those that people wrote (BLEU, by sacrebleu)."""

from itertools import islice
from pathlib import Path
from typing import Any

from models.training.corpora import WrongFormat, translations
from models.training.likelihood import WrongModel
from models.translation import BEAMS, Translator


def bleu(model: object, file: Path, limit: int | None) -> dict[str, Any]:
    """BLEU between 0 and 100 over all sentences of the file, one reference each; beside it that of the greedy search.

    The file has a German sentence and its English translation a line, parted by a tab.
    """
    if not isinstance(model, Translator):
        raise WrongModel("does not translate (translator does)")
    from sacrebleu.metrics.bleu import BLEU

    pairs = list(islice(translations(file), limit))
    if not pairs:
        raise WrongFormat(f"There are no sentence pairs in {file}.")
    german, english = map(list, zip(*pairs, strict=True))
    metric = BLEU()
    found = {beams: metric.corpus_score(model.translate(german, beams), [english]).score for beams in (1, BEAMS)}
    return {
        "items": len(pairs),
        "bleu": round(found[BEAMS], 3),
        "beams": BEAMS,
        "bleu_greedy": round(found[1], 3),
        "signature": str(metric.get_signature()),
    }
