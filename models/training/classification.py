"""Sentence classifiers: what one wants of a voice assistant (18 scenarios); their training and the task `intent`."""

import random as randomness
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.classifiers import BagOfWords, FeedForward
from models.tokenizer import tokenizer
from models.training import corpora, fine_tuning, teachers
from models.training.corpora import WrongFormat
from models.training.fine_tuning import Batch, Example
from models.training.lesson import Job, Lesson
from models.training.likelihood import WrongModel, rectangle
from models.training.loop import Recipe
from models.training.text import LONGEST

TRAINED_ON = "intents_massive/train.tsv.gz"
COLUMNS = ["text", "szenario", "intent"]
BASELINE = Recipe(steps=3_000, batch_tokens=512, learning_rate=2e-3, warmup=100)
FINE_TUNING = Recipe(steps=2_500, batch_tokens=512, learning_rate=1e-3, warmup=100)
RECIPES = {
    "bag_of_words-intent": BASELINE,
    "feed_forward-intent": BASELINE,
    "rnn-intent": FINE_TUNING,
    "lstm-intent": FINE_TUNING,
    "gru-intent": FINE_TUNING,
    "encoder-intent": FINE_TUNING,
}
BASELINE_UNITS = 192
HIDDEN_UNITS = 192
SHARE_CAPITALS, SHARE_FIRST_CAPITAL = 0.4, 0.2  # of the sentences; the others stay in lower case
PUNCTUATION = '.,;:!?"„“()'
ENDS = ("", "", ".", "?", "!")
SHARE_LEFT_OUT = 0.1  # of the words, where teachers are asked
EPOCHS = 8  # whose sentences differ
BATCH = 64  # sentences scored at a time


class Spelling:
    """Which words German writes with a capital letter, as counted inside the sentences of the corpora."""

    def __init__(self, folder: Path):
        texts = [text for text, *_ in corpora.rows(folder / corpora.TATOEBA)]
        texts += corpora.lines(folder / corpora.KLEXIKON)
        inside = (word.strip(PUNCTUATION) for text in texts for word in text.split()[1:])
        counts = Counter(inside)
        self.capitals = {
            word.lower() for word, count in counts.items() if word[:1].isupper() and count > counts[word.lower()]
        }

    def typed(self, sentence: str, random: randomness.Random) -> str:
        """A sentence in lower case as one of the ways in which people may type it, capitals and last sign by chance."""
        words = sentence.split(" ")
        style = random.random()
        if style < SHARE_CAPITALS:
            words = [word.capitalize() if word in self.capitals else word for word in words]
        if style < SHARE_CAPITALS + SHARE_FIRST_CAPITAL:
            words[0] = words[0].capitalize()
        return " ".join(words) + random.choice(ENDS)


class Course:
    """What all classifiers learn from: the sentences of the corpus, their scenarios, and how people type them."""

    def __init__(self, job: Job, seed: int):
        self.sentences, scenarios = zip(*read(job.corpora / TRAINED_ON), strict=True)
        self.classes = sorted(set(scenarios))
        self.labels = torch.tensor([self.classes.index(scenario) for scenario in scenarios])
        self.spelling = Spelling(job.corpora)
        self.seed = seed

    def typed(self, epoch: int) -> list[str]:
        """All sentences as they are typed in this epoch."""
        random = randomness.Random(f"{self.seed} {epoch}")
        return [self.spelling.typed(sentence, random) for sentence in self.sentences]

    def with_gaps(self, epoch: int) -> list[str]:
        """The same with words left out by chance, never all of them."""
        random = randomness.Random(f"{self.seed} {epoch} gaps")
        kept = ([word for word in text.split() if random.random() >= SHARE_LEFT_OUT] for text in self.typed(epoch))
        return [" ".join(words) or text for words, text in zip(kept, self.typed(epoch), strict=True)]


def lesson(job: Job, recipe: Recipe) -> Lesson[Batch]:
    """A classifier that goes on from a language model learns from four teachers too; any other one learns alone."""
    kind = job.name.removesuffix("-intent")
    return alone(job, recipe) if job.from_scratch or kind not in teachers.KINDS else taught(job, recipe)


def alone(job: Job, recipe: Recipe) -> Lesson[Batch]:
    """A classifier that learns the scenario of a sentence, which each epoch writes anew as people may type it."""
    course = Course(job, recipe.seed)
    network, config = built(job, course.classes)
    return learning(network, config, recipe, course.typed, course.labels)


def taught(job: Job, recipe: Recipe) -> Lesson[Batch]:
    """A classifier that learns, for sentences with gaps, the mean of the scenario and of what its teachers answer.

    What a gap took away only the teachers know. Eight epochs have gaps of their own, then they come again.
    """
    course = Course(job, recipe.seed)
    network, config = built(job, course.classes)
    texts = [text for epoch in range(EPOCHS) for text in course.with_gaps(epoch)]
    answers = teachers.answers(job, recipe, alone, logits_of, texts)
    scenarios = functional.one_hot(course.labels, len(course.classes)).repeat(EPOCHS, 1)

    def some(epoch: int) -> list[str]:
        count, first = len(course.sentences), epoch % EPOCHS
        return texts[first * count : (first + 1) * count]

    return learning(network, config, recipe, some, (scenarios + answers) / 2)


def learning(
    network: nn.Module, config: dict[str, Any], recipe: Recipe, texts: Callable[[int], list[str]], wanted: Tensor
) -> Lesson[Batch]:
    """Learns for the texts of each epoch what is wanted: a class, int64[texts], or probabilities, [texts, classes].

    Where more is wanted than an epoch has texts, the next epoch goes on in it, and after its end from its start.
    """

    def epoch(number: int) -> list[Example]:
        sequences = encoded(network, texts(number))
        first = number * len(sequences)
        return [Example(np.array(ids), np.array([(first + row) % len(wanted)])) for row, ids in enumerate(sequences)]

    return Lesson(
        network=network,
        config=config,
        loss_of=partial(loss, network, wanted),
        batches_from=partial(fine_tuning.batches, epoch, recipe.seed, recipe.batch_tokens),
    )


def built(job: Job, classes: list[str]) -> tuple[nn.Module, dict[str, Any]]:
    """The network of this name before it learns, and its configuration."""
    kind = job.name.removesuffix("-intent")
    return baseline(kind, classes) or fine_tuning.network(job, kind, classes, of_tokens=False)


def baseline(kind: str, classes: list[str]) -> tuple[nn.Module, dict[str, Any]] | None:
    """A network without a memory and its configuration, if this is the name of one."""
    sizes: dict[str, Any] = {"vocabulary": tokenizer().get_vocab_size(), "units": BASELINE_UNITS, "classes": classes}
    if kind == "bag_of_words":
        return BagOfWords(**sizes), {"model_type": kind, **sizes}
    if kind == "feed_forward":
        sizes["hidden"] = HIDDEN_UNITS
        return FeedForward(**sizes), {"model_type": kind, **sizes}
    return None


def loss(network: nn.Module, wanted: Tensor, batch: Batch) -> tuple[Tensor, int]:
    """The cross-entropy with what is wanted for these texts; a batch has the number of each."""
    ids, numbers = batch
    return functional.cross_entropy(fine_tuning.sentence_logits(network, ids), wanted[numbers[:, 0]]), ids.numel()


def encoded(network: nn.Module, texts: list[str]) -> list[list[int]]:
    """The ids of each text as this network reads them."""
    encodings = tokenizer().encode_batch_fast(texts, add_special_tokens=False)
    return [fine_tuning.framed(network, encoding.ids[: LONGEST - 2]) for encoding in encodings]


def read(file: Path) -> list[tuple[str, str]]:
    """The sentences with their scenarios."""
    return [(text, scenario) for text, scenario, _ in corpora.table(file, COLUMNS)]


def accuracy(network: nn.Module, file: Path, limit: int | None) -> dict[str, Any]:
    """The task `intent`: the share of sentences whose scenario is found, and the same for each scenario.

    Beside it the share where each sentence is written with a first capital letter and a full stop.
    """
    classes = fine_tuning.class_names(network)
    sentences = list(islice(read(file), limit))
    if not sentences:
        raise WrongFormat(f"There is no sentence in {file}.")
    if unknown := {scenario for _, scenario in sentences} - set(classes):
        raise WrongModel(f"does not know the scenario “{min(unknown)}” of {file}")
    texts, scenarios = ([sentence[column] for sentence in sentences] for column in (0, 1))
    found = likeliest(network, texts)
    right = [ours == theirs for ours, theirs in zip(found, scenarios, strict=True)]
    written = [f"{text[:1].upper()}{text[1:]}." for text in texts]
    written_right = [ours == theirs for ours, theirs in zip(likeliest(network, written), scenarios, strict=True)]
    items = Counter(scenarios)
    hits = Counter(scenario for scenario, hit in zip(scenarios, right, strict=True) if hit)
    return {
        "items": len(texts),
        "accuracy": round(sum(right) / len(right), 5),
        "accuracy_written": round(sum(written_right) / len(right), 5),
        "classes": {name: round(hits[name] / count, 5) for name, count in sorted(items.items())},
        "class_items": dict(sorted(items.items())),
    }


def likeliest(network: nn.Module, texts: list[str]) -> list[str]:
    """The likeliest class of each text."""
    classes = fine_tuning.class_names(network)
    return [classes[number] for number in logits_of(network, texts).argmax(-1).tolist()]


def logits_of(network: nn.Module, texts: list[str]) -> Tensor:
    """The score of each class for each text, [texts, classes]."""
    sequences = encoded(network, texts)
    found = torch.empty(len(texts), len(fine_tuning.class_names(network)))
    ordered = sorted(range(len(texts)), key=lambda index: len(sequences[index]))
    with torch.no_grad():
        for start in range(0, len(texts), BATCH):
            group = ordered[start : start + BATCH]
            found[group] = fine_tuning.sentence_logits(network, rectangle([sequences[index] for index in group]))
    return found
