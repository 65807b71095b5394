"""The task `next_word`: how a model goes on after simple beginnings, to be read and judged by a person."""

from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.tokenizer import CLS, piece, tokenizer
from models.training import likelihood
from models.training.corpora import WrongFormat, lines
from models.training.masked import RANKS
from models.training.text import LONGEST

# Beginnings of everyday German sentences. After each of them only some words, or words of one kind, read well.
BEGINNINGS = [
    "Ich trinke gern",
    "Der Hund ist sehr",
    "Wir fahren morgen nach",
    "Die Kinder spielen im",
    "Er hat gestern ein neues",
    "Sie wohnt in einem kleinen",
    "Das Wetter ist heute",
    "Kannst du mir bitte",
    "Meine Mutter kommt aus",
    "Der Zug kommt in zehn",
    "Ich weiß nicht, ob",
    "Im Winter ist es sehr",
    "Er ging in die Stadt, um",
    "Das Buch liegt auf dem",
    "Deutschland ist ein",
    "Die Katze schläft auf",
    "Wie spät",
    "Sie können sehr gut",
    "Der Lehrer fragt die",
    "Ich habe keine",
]


def top(model: nn.Module, file: Path | None, limit: int | None) -> dict[str, Any]:
    """The five likeliest pieces after each of our own beginnings, or after each line of the file."""
    rows: list[dict[str, Any]] = []
    for beginning in islice(lines(file) if file else BEGINNINGS, limit):
        ids = [CLS, *tokenizer().encode(beginning, add_special_tokens=False).ids]
        if len(ids) > LONGEST:
            raise WrongFormat(f"“{beginning[:40]}…” is longer than {LONGEST} tokens.")
        last = torch.zeros(1, len(ids), dtype=torch.bool)
        last[0, -1] = True
        best = likelihood.next_logits(model, torch.tensor([ids]), last)[0].softmax(-1).topk(RANKS)
        words = [piece(id_) for id_ in best.indices.tolist()]
        shares = [round(value, 4) for value in best.values.tolist()]
        rows.append({"sentence": beginning, "top": words, "probabilities": shares})
    if not rows:
        raise WrongFormat(f"There is no line with text in {file}.")
    return {"items": len(rows), "sentences": rows}
