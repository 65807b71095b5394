"""The task `names`: what a model marks as names in sentences of our own, to be read beside what stands there."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.entities import LABELS, best_labels, spans, words
from models.tokenizer import tokenizer
from models.training import fine_tuning
from models.training.corpora import WrongFormat, lines
from models.training.likelihood import WrongModel
from models.training.text import LONGEST

# Sentences with the names in them, about half of them meant to be hard: small and large letters, a hyphen, a person who
# has a town's name, a club that has two. They were put down before these models were asked; four were changed after it,
# so that GermEval's classes leave nothing open and no name stands twice in a sentence.
SENTENCES: list[tuple[str, dict[str, str]]] = [
    ("Angela Merkel wohnt in Berlin.", {"Angela Merkel": "PER", "Berlin": "LOC"}),
    ("angela merkel wohnt in berlin", {"angela merkel": "PER", "berlin": "LOC"}),
    (
        "ANGELA MERKEL BESUCHTE SIEMENS IN MÜNCHEN.",
        {"ANGELA MERKEL": "PER", "SIEMENS": "ORG", "MÜNCHEN": "LOC"},
    ),
    ("Paris Hilton reiste nach London.", {"Paris Hilton": "PER", "London": "LOC"}),
    ("Volkswagen baut Autos in Wolfsburg.", {"Volkswagen": "ORG", "Wolfsburg": "LOC"}),
    ("Goethe schrieb Faust in Weimar.", {"Goethe": "PER", "Faust": "OTH", "Weimar": "LOC"}),
    ("Siemens baut in München ein neues Werk.", {"Siemens": "ORG", "München": "LOC"}),
    ("Die UNO tagt in New York.", {"UNO": "ORG", "New York": "LOC"}),
    ("Herr Müller-Lüdenscheidt badet gern.", {"Müller-Lüdenscheidt": "PER"}),
    ("Bayern München gewann gegen Borussia Dortmund.", {"Bayern München": "ORG", "Borussia Dortmund": "ORG"}),
    ("Köln liegt am Rhein.", {"Köln": "LOC", "Rhein": "LOC"}),
    ("Der Zug fährt von Hamburg nach Kiel.", {"Hamburg": "LOC", "Kiel": "LOC"}),
    ("Sie forscht am Max-Planck-Institut in Leipzig.", {"Max-Planck-Institut": "ORG", "Leipzig": "LOC"}),
    ("Herr Groß kommt aus Österreich.", {"Groß": "PER", "Österreich": "LOC"}),
    ("Wir sahen gestern den Film Star Wars.", {"Star Wars": "OTH"}),
    ("Die SPD wählte Willy Brandt zum Vorsitzenden.", {"SPD": "ORG", "Willy Brandt": "PER"}),
    ("Thomas Mann lebte lange in Lübeck.", {"Thomas Mann": "PER", "Lübeck": "LOC"}),
    ("Die Donau fließt durch Wien und Budapest.", {"Donau": "LOC", "Wien": "LOC", "Budapest": "LOC"}),
    ("Der Mann biss den Hund.", {}),
    ("Der deutsche Botschafter sprach mit Barack Obama.", {"Barack Obama": "PER"}),
]


def marked(model: nn.Module, file: Path | None, limit: int | None) -> dict[str, Any]:
    """The names that are found in our own sentences, and how many are right in boundaries and class; or in a file's."""
    if fine_tuning.class_names(model) != LABELS:
        raise WrongModel("does not mark named entities (rnn-, lstm-, gru- and encoder-entities do)")
    asked = [(sentence, None) for sentence in lines(file)] if file else SENTENCES
    rows: list[dict[str, Any]] = []
    for sentence, names in islice(asked, limit):
        row: dict[str, Any] = {"sentence": sentence, "top": found(model, sentence)}
        if names is not None:
            row["names"] = [f"{text} {name}" for text, name in names.items()]
        rows.append(row)
    if not rows:
        raise WrongFormat(f"There is no line with text in {file}.")
    return {"items": len(rows), **({} if file else counts(rows)), "sentences": rows}


def counts(rows: list[dict[str, Any]]) -> dict[str, int]:
    """How many names stand in these sentences, how many of them were found, and how much else was marked."""
    right = sum((Counter(row["names"]) & Counter(row["top"])).total() for row in rows)
    return {
        "names": sum(len(row["names"]) for row in rows),
        "right": right,
        "wrong": sum(len(row["top"]) for row in rows) - right,
    }


def found(model: nn.Module, sentence: str) -> list[str]:
    """The names in a sentence with their classes, in words of the tokenizer as on the pages: "New York LOC"."""
    encoding = tokenizer().encode(sentence, add_special_tokens=False)
    if len(encoding.ids) > LONGEST - 2:
        raise WrongFormat(f"“{sentence[:40]}…” is longer than {LONGEST} tokens.")
    parts = words(encoding.tokens)
    at_last = fine_tuning.reads_from_left(model)
    places = [1 + (end - 1 if at_last else start) for start, end in parts]  # 1: [CLS]
    logits = fine_tuning.token_logits(model, torch.tensor([fine_tuning.framed(model, encoding.ids)]))[0]
    borders = [(encoding.offsets[start][0], encoding.offsets[end - 1][1]) for start, end in parts]
    return [
        f"{sentence[borders[span.start][0] : borders[span.end - 1][1]]} {span.name}"
        for span in spans(best_labels(logits[places].numpy()))
    ]
