"""Counts which words are written with a capital in the middle of a sentence: python -m models.training.nouns --corpora
FOLDER writes models/nouns.txt.gz.

Source: the German text of models/training/README.md: Klexikon and Wikipedia (CC BY-SA), Tatoeba (CC BY 2.0 FR). What is
kept is a list of words without order or number.
"""

import gzip
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from models.nouns import POLITE, TABLE
from models.training.corpora import german_text
from models.training.faults import told

LEAST = 4  # times with a capital
SHARE = 0.8  # of its places in the middle of sentences; "biss", a verb and rarely a bite, stays out
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
STARTS = re.compile(r"[.!?:;„“”\"»«(–]\s*$")  # after these a capital may be that of a new sentence

HEAD = (
    "# German nouns and names: words mostly capitalised in mid-sentence, counted by models/training/nouns.py\n"
    "# Source: Klexikon and German Wikipedia (CC BY-SA), Tatoeba (CC BY 2.0 FR); this list: CC BY-SA 4.0\n"
)


def counted(sentences: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """How often each word stands in the middle of a sentence with and without a capital."""
    capitals: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for sentence in sentences:
        for match in WORD.finditer(sentence):
            word = match[0]
            if match.start() == 0 or STARTS.search(sentence, 0, match.start()) or (word.isupper() and len(word) > 1):
                continue
            (capitals if word[0].isupper() else others)[word.lower()] += 1
    return capitals, others


def nouns(capitals: Counter[str], others: Counter[str]) -> list[str]:
    """The words that are nouns by these counts, in the order of the alphabet."""
    return sorted(
        word
        for word, count in capitals.items()
        if count >= LEAST and count >= SHARE * (count + others[word]) and word not in POLITE and len(word) > 1
    )


@told()
def write(
    corpora: Annotated[Path, typer.Option(help="the folder of the corpora (see models/training/README.md)")],
    file: Annotated[Path, typer.Option(help="where to write the table")] = TABLE,
) -> None:
    """Reads all German training text and writes the table."""
    sentences = (line for text in german_text(corpora).values() for paragraph in text for line in paragraph)
    found = nouns(*counted(sentences))
    body = HEAD + "".join(f"{word}\n" for word in found)
    file.write_bytes(gzip.compress(body.encode(), 9, mtime=0))


if __name__ == "__main__":
    typer.run(write)
