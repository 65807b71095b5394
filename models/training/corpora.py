"""Reads the corpora in the formats they are published in, plain or gzipped (sources and licences: README.md here)."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from models.training.faults import Fault

KLEXIKON = "text_klexikon/klexikon.train.txt.gz"
WIKIPEDIA = "text_klexikon/wiki.train.txt.gz"
TATOEBA = "translation_tatoeba/train.tsv.gz"


class WrongFormat(Fault):
    """The file is not in the format that is read here."""


def open_text(path: Path) -> TextIO:
    """The file as UTF-8 text, gunzipped where its name ends in .gz."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def lines(path: Path) -> Iterator[str]:
    """Each line that is not empty, without blanks at its ends."""
    with open_text(path) as text:
        yield from filter(None, map(str.strip, text))


def paragraphs(path: Path) -> Iterator[list[str]]:
    """The sentences of each paragraph: a sentence a line, a blank line between paragraphs."""
    sentences: list[str] = []
    with open_text(path) as text:
        for line in text:
            if sentence := line.strip():
                sentences.append(sentence)
            elif sentences:
                yield sentences
                sentences = []
    if sentences:
        yield sentences


def rows(path: Path) -> Iterator[list[str]]:
    """The cells of each line of a tab-separated file, header included; quotes are ordinary characters."""
    with open_text(path) as text:
        yield from csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE)


def table(path: Path, columns: list[str]) -> Iterator[list[str]]:
    """The lines under a header that must name exactly these columns; raises WrongFormat with the line's number."""
    for number, row in enumerate(rows(path), start=1):
        if number == 1 and row != columns:
            raise WrongFormat(f"The first line of {path} must name the columns {', '.join(columns)}, parted by tabs.")
        if row and len(row) != len(columns):
            raise WrongFormat(f"Line {number} of {path} has {len(row)} cells instead of {len(columns)}.")
        if row and number > 1:
            yield row


def translations(path: Path) -> Iterator[tuple[str, str]]:
    """German sentences with their English translations; raises WrongFormat with the line's number."""
    for number, row in enumerate(rows(path), start=1):
        if row and len(row) != 2:
            raise WrongFormat(f"Line {number} of {path} has {len(row)} cells instead of 2.")
        if row:
            yield row[0], row[1]


def german_text(corpora: Path) -> dict[str, list[list[str]]]:
    """The German training text as paragraphs of sentences, by corpus; each Tatoeba sentence is its own paragraph."""
    return {
        "tatoeba": [[german] for german, _ in translations(corpora / TATOEBA)],
        "klexikon": list(paragraphs(corpora / KLEXIKON)),
        "wikipedia": list(paragraphs(corpora / WIKIPEDIA)),
    }
