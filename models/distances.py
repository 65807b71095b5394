"""What a network makes of a whole sentence, as one vector, and how far apart unrelated sentences lie in that."""

import random
from dataclasses import replace
from functools import cache

import numpy as np

from models import registry
from models.experiments import forward
from models.planes import SENTENCES
from models.run import Change, Run
from models.trace import Sentence, Trace, typed_places
from models.window import window

PAIRS = 200


def trace(run: Run) -> Trace:
    """The text's trace with its sentence vector, and the distances of PAIRS unrelated sentences and of their words.

    Without what a language model expects next: its logits of long texts, 57 kB a token, would fill a cache.
    """
    whole = forward(run)
    vector = sentence_vector(whole)
    sentences, words = unrelated(run.model, run.change)
    return replace(
        whole,
        prediction=None,
        sentence=Sentence(
            sentence_vector=vector, word_states=word_states(whole), unrelated=sentences, unrelated_words=words
        ),
    )


def word_states(whole: Trace) -> np.ndarray:
    """What a network holds of each token, [tokens, units]: the last state, or the word vector."""
    assert whole.states is not None
    hidden = whole.states.hidden
    return whole.states.inputs if hidden is None else np.asarray(hidden[len(hidden) - 1])


def sentence_vector(whole: Trace) -> np.ndarray:
    """The sentence as one vector, [units].

    A bag of words has the mean of the word vectors, added in the order of their ids as in the network itself, so that
    permutations agree to the last bit; the feed-forward network its window of 16 vectors in a row, zeros behind; what
    reads from left to right its last state; an encoder the mean of the states of the words.
    """
    states = word_states(whole)
    family = registry.get(whole.model).family
    if family == "bag_of_words":
        order = sorted(range(len(whole.tokens)), key=lambda place: whole.tokens[place].id)
        mean: np.ndarray = states[order].mean(0)
        return mean
    if family == "feed_forward":
        return window(states)
    if family == "encoder":
        typed = typed_places(whole.tokens)
        found: np.ndarray = states[typed].mean(0)
        return found
    last: np.ndarray = states[-1]
    return last


@cache
def unrelated(name: str, change: Change | None) -> tuple[np.ndarray, np.ndarray]:
    """Distances of PAIRS pairs of sentences of our own that share no bag of words, and of a word of each; [pairs]."""
    lines = [line for line in SENTENCES.read_text("utf-8").splitlines() if line]
    traces = [forward(Run(name, line, change=change)) for line in lines]
    dice = random.Random(1)
    sentences: list[float] = []
    words: list[float] = []
    while len(sentences) < PAIRS:
        first, second = dice.sample(range(len(lines)), 2)
        if sorted(lines[first].split()) == sorted(lines[second].split()):
            continue
        sentences.append(distance(sentence_vector(traces[first]), sentence_vector(traces[second])))
        one, other = (drawn(traces[place], dice) for place in (first, second))
        words.append(distance(one, other))
    return np.array(sentences, np.float32), np.array(words, np.float32)


def drawn(whole: Trace, dice: random.Random) -> np.ndarray:
    """The state of some word of a sentence, [units]."""
    typed = typed_places(whole.tokens)
    state: np.ndarray = word_states(whole)[dice.choice(typed)]
    return state


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """The Euclidean distance of two vectors [units]."""
    return float(np.linalg.norm(first - second))
