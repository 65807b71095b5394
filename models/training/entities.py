"""Token classifiers that mark named entities; their training and the task `entities`."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from models.entities import CLASSES, LABELS, best_labels, spans, words
from models.tokenizer import tokenizer
from models.training import corpora, fine_tuning
from models.training.corpora import WrongFormat
from models.training.fine_tuning import NO_TARGET, Batch, Example
from models.training.lesson import Job, Lesson
from models.training.likelihood import WrongModel, rectangle
from models.training.loop import Recipe
from models.training.text import LONGEST

TRAINED_ON = "ner_germeval2014/train.bio.gz"
RECIPE = Recipe(steps=4_000, batch_tokens=1_024, learning_rate=1e-3, warmup=200)
RECIPES = {f"{kind}-entities": RECIPE for kind in ("rnn", "lstm", "gru", "encoder")}
BATCH = 32  # sentences scored at a time


class Sentence(NamedTuple):
    """The words of a sentence as the corpus parts them, and their labels."""

    words: list[str]
    labels: list[str]


class Reading(NamedTuple):
    """A sentence as a network reads it: ids, and for each word of the tokenizer its deciding place and corpus word."""

    ids: list[int]
    places: list[int]
    origins: list[int]


def lesson(job: Job, recipe: Recipe) -> Lesson[Batch]:
    """A classifier that learns the label of each word."""
    sentences = list(read(job.corpora / TRAINED_ON))
    network, config = fine_tuning.network(job, job.name.removesuffix("-entities"), LABELS, of_tokens=True)
    fine_tuning.borrow_vectors(network, config)
    examples = [example(network, sentence) for sentence in sentences]
    return Lesson(
        network=network,
        config=config,
        loss_of=partial(loss, network),
        batches_from=partial(fine_tuning.batches, lambda _: examples, recipe.seed, recipe.batch_tokens),
        keeps=fine_tuning.own(config),
    )


def loss(network: nn.Module, batch: Batch) -> tuple[Tensor, int]:
    """The cross-entropy of the labels at the places that decide."""
    ids, targets = batch
    logits = fine_tuning.token_logits(network, ids).flatten(0, 1)
    return functional.cross_entropy(logits, targets.flatten(), ignore_index=NO_TARGET), ids.numel()


def example(network: nn.Module, sentence: Sentence) -> Example:
    """What the network reads, and the label at each place that decides; a sentence is cut at 256 tokens."""
    reading = reading_of(network, sentence.words)
    targets = np.full(len(reading.ids), NO_TARGET)
    before = -1
    for place, origin in zip(reading.places, reading.origins, strict=True):
        label = sentence.labels[origin]
        goes_on = origin == before and label[0] == "B"  # a later part of a word that begins a name
        targets[place] = LABELS.index(f"I-{label[2:]}" if goes_on else label)
        before = origin
    return Example(np.array(reading.ids[:LONGEST]), targets[:LONGEST])


def reading_of(network: nn.Module, corpus_words: list[str]) -> Reading:
    """The pieces of a sentence and where its words are decided.

    The tokenizer parts words at each punctuation mark, the corpus does not (“Jean-Luc”); a typed text has only the
    tokenizer's words, so they are what is labelled. An encoder decides at a word's first piece, a recurrent network at
    its last, when it has read the whole word.
    """
    encoding = tokenizer().encode(corpus_words, is_pretokenized=True, add_special_tokens=False)
    at_last = fine_tuning.reads_from_left(network)
    parts = words(encoding.tokens)
    places = [end - 1 if at_last else start for start, end in parts]
    origins = [encoding.word_ids[start] or 0 for start, _ in parts]
    return Reading(fine_tuning.framed(network, encoding.ids), [place + 1 for place in places], origins)


def read(file: Path) -> Iterator[Sentence]:
    """The sentences of a file with a word and its label on each line and an empty line after each sentence."""
    sentence = Sentence([], [])
    with corpora.open_text(file) as text:
        for number, line in enumerate(text, start=1):
            cells = line.rstrip("\r\n").split("\t")
            if cells == [""]:
                if sentence.words:
                    yield sentence
                sentence = Sentence([], [])
            elif len(cells) != 2 or cells[1] not in LABELS:
                raise WrongFormat(f"Line {number} of {file} is not a word, a tab and one of {', '.join(LABELS)}.")
            else:
                sentence.words.append(cells[0])
                sentence.labels.append(cells[1])
    if sentence.words:
        yield sentence


def span_f1(network: nn.Module, file: Path, limit: int | None) -> dict[str, Any]:
    """The task `entities`: F1, precision and recall of the names, right only with exact boundaries and class.

    Beside it the same where every word is written in small letters, and where every one is in capitals.
    """
    if fine_tuning.class_names(network) != LABELS:
        raise WrongModel("does not mark named entities (rnn-, lstm-, gru- and encoder-entities do)")
    sentences = list(islice(read(file), limit))
    if not sentences:
        raise WrongFormat(f"There is no sentence in {file}.")
    typed: dict[str, Callable[[str], str]] = {"as_is": str, "lower": str.lower, "upper": str.upper}
    scores = {name: figures(network, sentences, letters) for name, letters in typed.items()}
    overall = {
        name: {part: scores[name][part] for part in ("f1", "precision", "recall")} for name in ("lower", "upper")
    }
    return {"items": len(sentences), **scores["as_is"], **overall}


def figures(network: nn.Module, sentences: list[Sentence], letters: Callable[[str], str]) -> dict[str, Any]:
    """The scores where each word is written in these letters."""
    written = [Sentence([letters(word) for word in sentence.words], sentence.labels) for sentence in sentences]
    found = labelled(network, written)
    return compared([(sentence.labels, labels) for sentence, labels in zip(written, found, strict=True)])


def compared(pairs: list[tuple[list[str], list[str]]]) -> dict[str, Any]:
    """Precision, recall and F1 over all names and for each class, from right and found labels of each sentence."""
    right, found, both = (Counter[str]() for _ in range(3))
    for ours, theirs in pairs:
        expected, marked = set(spans(ours)), set(spans(theirs))
        right.update(span.name for span in expected)
        found.update(span.name for span in marked)
        both.update(span.name for span in expected & marked)
    overall = balance(both.total(), found.total(), right.total())
    classes = {name: balance(both[name], found[name], right[name])["f1"] for name in CLASSES}
    return {**overall, "names": right.total(), "classes": classes, "class_names": {n: right[n] for n in CLASSES}}


def balance(both: int, found: int, right: int) -> dict[str, float]:
    """F1 with precision and recall; 0 where there is nothing to divide by."""
    precision, recall = both / max(found, 1), both / max(right, 1)
    f1 = 2 * both / max(found + right, 1)
    return {"f1": round(f1, 5), "precision": round(precision, 5), "recall": round(recall, 5)}


def labelled(network: nn.Module, sentences: list[Sentence]) -> list[list[str]]:
    """The likeliest label of each word of the corpus: that of its first part. Words past 256 tokens get O."""
    readings = [reading_of(network, sentence.words) for sentence in sentences]
    found = [["O"] * len(sentence.words) for sentence in sentences]
    ordered = sorted(range(len(sentences)), key=lambda index: len(readings[index].ids))
    for start in range(0, len(ordered), BATCH):
        group = [index for index in ordered[start : start + BATCH] if readings[index].places]
        if not group:
            continue
        logits = fine_tuning.token_logits(network, rectangle([readings[index].ids[:LONGEST] for index in group]))
        for row, index in zip(logits.numpy(), group, strict=True):
            known = [(place, word) for place, word in zip(*readings[index][1:], strict=True) if place < LONGEST]
            labels = best_labels(row[[place for place, _ in known]])
            for (_, word), label in reversed(list(zip(known, labels, strict=True))):
                found[index][word] = label
    return found
