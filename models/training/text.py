"""The German training text as token ids, grouped into examples of one or several sentences and into batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from models.tokenizer import CLS, PAD, SEP, tokenizer
from models.training.cache import whole
from models.training.corpora import german_text

LONGEST = 256  # tokens of an example, [CLS] and [SEP] included
# How long examples become: most are one sentence, some reach further, so that memory and late positions are trained.
LENGTHS = {1: 0.55, 64: 0.30, LONGEST: 0.15}
WIKIPEDIA_SHARE = 0.15  # of the Wikipedia paragraphs, drawn anew each epoch; all of the simpler text, every epoch


@dataclass(frozen=True)
class Text:
    """One corpus: all its token ids in a row, where each sentence starts, and where each paragraph starts."""

    ids: np.ndarray  # int32[tokens]
    sentences: np.ndarray  # int64[sentences + 1], offsets into ids
    paragraphs: np.ndarray  # int64[paragraphs + 1], offsets into sentences

    def each_sentence(self) -> Iterator[list[int]]:
        """The ids of one sentence after the other."""
        for start, end in pairwise(self.sentences.tolist()):
            yield self.ids[start:end].tolist()


def read(corpora: Path, cache: Path) -> dict[str, Text]:
    """All German training text, tokenised once and kept in the cache folder."""
    names = ("tatoeba", "klexikon", "wikipedia")
    if not all((cache / f"{name}.npz").exists() for name in names):
        for name, paragraphs in german_text(corpora).items():
            sentences = [sentence for paragraph in paragraphs for sentence in paragraph]
            encoded = [encoding.ids for encoding in tokenizer().encode_batch_fast(sentences, add_special_tokens=False)]
            with whole(cache / f"{name}.npz") as file:
                np.savez(
                    file,
                    ids=np.concatenate([np.asarray(ids, np.int32) for ids in encoded]),
                    sentences=np.cumsum([0] + [len(ids) for ids in encoded]),
                    paragraphs=np.cumsum([0] + [len(paragraph) for paragraph in paragraphs]),
                )
    return {name: Text(**np.load(cache / f"{name}.npz")) for name in names}


def examples(text: Text, paragraphs: np.ndarray, random: np.random.Generator) -> list[np.ndarray]:
    """[CLS] sentences [SEP] of the chosen paragraphs; an example stays inside its paragraph."""
    found = []
    lengths = random.choice(list(LENGTHS), size=len(paragraphs), p=list(LENGTHS.values()))
    for paragraph, length in zip(paragraphs, lengths, strict=True):
        first, last = text.paragraphs[paragraph], text.paragraphs[paragraph + 1]
        while first < last:
            end = first + 1
            while end < last and text.sentences[end + 1] - text.sentences[first] <= length - 2:
                end += 1
            ids = text.ids[text.sentences[first] : text.sentences[end]][: LONGEST - 2]
            if len(ids):
                found.append(np.concatenate([[CLS], ids, [SEP]]).astype(np.int64))
            first = end
    return found


def epoch(texts: dict[str, Text], seed: int, number: int, simple: bool) -> list[np.ndarray]:
    """The examples of one epoch: the simple corpora whole and, unless only `simple` is wanted, a part of Wikipedia."""
    random = np.random.default_rng([seed, number])
    found = []
    for name, text in texts.items():
        count = len(text.paragraphs) - 1
        if name == "wikipedia":
            if simple:
                continue
            chosen = random.choice(count, size=int(count * WIKIPEDIA_SHARE), replace=False)
        else:
            chosen = np.arange(count)
        found += examples(text, chosen, random)
    return found


def batches(
    texts: dict[str, Text], seed: int, tokens: int, simple_epochs: int = 0, start: int = 0
) -> Iterator[np.ndarray]:
    """Endless padded batches int64[examples, length] of about `tokens` tokens each, from batch number `start` on.

    Examples of similar length share a batch; the same seed gives the same batches in the same order.
    """
    number, seen = 0, 0
    while True:
        found = epoch(texts, seed, number, simple=number < simple_epochs)
        for group in grouped([len(ids) for ids in found], tokens, np.random.default_rng([seed, number, 1])):
            if seen >= start:
                yield padded([found[index] for index in group])
            seen += 1
        number += 1


def grouped(lengths: list[int], tokens: int, random: np.random.Generator, mixed: float = 4) -> Iterator[list[int]]:
    """The indices of sequences of similar length that fill a batch of `tokens` tokens together, in random order.

    Lengths that differ by less than `mixed` may share a batch.
    """
    jitter = random.uniform(0, mixed, len(lengths))
    groups: list[list[int]] = [[]]
    for index in np.argsort(np.array(lengths) + jitter, kind="stable"):
        if groups[-1] and (len(groups[-1]) + 1) * lengths[index] > tokens:
            groups.append([])
        groups[-1].append(index)
    for number in random.permutation(len(groups)):
        yield groups[number]


def padded(sequences: Sequence[np.ndarray], fill: int = PAD) -> np.ndarray:
    """One array of all sequences, filled up at their ends."""
    batch = np.full((len(sequences), max(map(len, sequences))), fill, np.int64)
    for row, ids in zip(batch, sequences, strict=True):
        row[: len(ids)] = ids
    return batch
