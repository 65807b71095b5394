"""The task `masked`: what a model puts into the blanks of simple sentences, to be read and judged by a person."""

from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.tokenizer import CLS, MASK, SEP, piece, tokenizer
from models.training import likelihood
from models.training.corpora import WrongFormat, lines
from models.training.text import LONGEST

RANKS = 5
BLANK = "[MASK]"
# A sentence of everyday German with one word taken out, and that word: four nouns, verbs, articles, adjectives and
# prepositions. Each removed word is one piece, and none of the sentences stands in the training text (checked). Often
# other words fit as well, so how many come back is a lower bound of what reads well.
SENTENCES = [
    ("Im Winter liegt auf den Bergen viel [MASK].", "Schnee"),
    ("Die Mutter liest dem Kind ein [MASK] vor.", "Buch"),
    ("Ich trinke morgens gern eine Tasse [MASK].", "Kaffee"),
    ("Der Bäcker verkauft am Morgen frisches [MASK].", "Brot"),
    ("Der Vogel [MASK] auf einem Baum.", "sitzt"),
    ("Wir [MASK] heute Abend ins Kino.", "gehen"),
    ("Meine Schwester [MASK] jeden Tag zur Schule.", "geht"),
    ("Gestern [MASK] er sehr müde.", "war"),
    ("[MASK] Lehrerin erklärt den Kindern das Spiel.", "Die"),
    ("Sie kauft sich [MASK] neues Kleid.", "ein"),
    ("Das Kind spielt mit [MASK] Ball.", "dem"),
    ("Ich habe im Garten [MASK] Ball gefunden.", "einen"),
    ("Der Elefant ist ein sehr [MASK] Tier.", "großes"),
    ("Das Essen schmeckt sehr [MASK].", "gut"),
    ("Das war gestern ein [MASK] Film.", "guter"),
    ("Im Sommer ist es hier oft [MASK].", "heiß"),
    ("Der kleine Hund liegt müde [MASK] dem Tisch.", "unter"),
    ("Wir fahren [MASK] dem Zug nach Köln.", "mit"),
    ("Sie wohnt seit einem Jahr [MASK] München.", "in"),
    ("Er wartet [MASK] den Bus.", "auf"),
]


def top(model: nn.Module, file: Path | None, limit: int | None) -> dict[str, Any]:
    """The five likeliest pieces for each blank, and in how many of our own sentences the removed word is among them.

    A file has a sentence a line with one [MASK] each; without one, the twenty sentences above are taken.
    """
    sentences = [(sentence, None) for sentence in lines(file)] if file else SENTENCES
    rows: list[dict[str, Any]] = []
    for sentence, removed in islice(sentences, limit):
        ids = tokenizer().encode(sentence, add_special_tokens=False).ids
        if ids.count(MASK) != 1:
            raise WrongFormat(f"“{sentence}” has {ids.count(MASK)} {BLANK} instead of one.")
        if len(ids) > LONGEST - 2:
            raise WrongFormat(f"“{sentence[:40]}…” is longer than {LONGEST} tokens.")
        place = torch.tensor([ids.index(MASK) + 1])
        best = likelihood.masked_pieces(model, torch.tensor([[CLS, *ids, SEP]]), place)[0].exp().topk(RANKS)
        words = [piece(id_) for id_ in best.indices.tolist()]
        shares = [round(value, 4) for value in best.values.tolist()]
        rows.append({"sentence": sentence, "removed": removed, "top": words, "probabilities": shares})
    if not rows:
        raise WrongFormat(f"There is no line with text in {file}.")
    known = [row for row in rows if row["removed"]]
    found = {"removed_in_top": sum(row["removed"] in row["top"] for row in known)} if known else {}
    return {"items": len(rows), **found, "sentences": rows}
