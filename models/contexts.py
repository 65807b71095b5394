"""A word's own vector against its states in a sentence: how both point, and which pieces of the vocabulary are near.

All vectors of a stage share a direction, so that even unlike words have a cosine far above 0; what the words of
sentences of our own (`models/reference.txt`) have in common at a stage is therefore taken away first.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from models import registry, tokenizer
from models.planes import SENTENCES
from models.run import Run
from models.trace import Context, Trace, typed_places

if TYPE_CHECKING:
    from models.families.encoder import Transformer
    from models.families.word_vectors import Table

NEAR = 5  # pieces for each token and stage
PAIRS = 200


class Common(NamedTuple):
    """What the words of our sentences have in common at each stage, [stages, units]; and as a yardstick the median
    cosines of PAIRS random pairs of different words, and of the same word in different sentences, [stages]."""

    middle: np.ndarray
    different: np.ndarray
    same: np.ndarray


def trace(run: Run) -> Trace:
    """The forward run with every stage of its tokens, what all words share taken away, and the pieces near them.

    The stages: the word vector as looked up, the same with its place as it enters the first layer, and the state
    after each layer.
    """
    whole, shared = registry.load(run.model).forward(run.text), common(run.model)
    centred = stages(whole) - shared.middle[:, None]
    names, cosines = nearest(run.model, whole, centred)
    part = Context(
        centred=centred,
        context_near=names,
        context_cosines=cosines,
        different_words=shared.different,
        same_words=shared.same,
    )
    return replace(whole, context=part)


def stages(whole: Trace) -> np.ndarray:
    """Word vectors, word vectors with their places, and the states after each layer, [stages, tokens, units]."""
    assert whole.states is not None and whole.states.hidden is not None
    found: np.ndarray = np.concatenate([
        whole.states.inputs[None], whole.states.embeddings[None], np.asarray(whole.states.hidden),
    ])  # fmt: skip
    return found


def directions(vectors: np.ndarray) -> np.ndarray:
    """Vectors [..., units] brought to length 1."""
    found: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return found


@cache
def common(name: str) -> Common:
    """What a model's stages have in common over the words of our sentences."""
    model = registry.load(name)
    words: list[tuple[str, int]] = []
    rows = []
    for number, line in enumerate(filter(None, SENTENCES.read_text("utf-8").splitlines())):
        whole = model.forward(line)
        kept = [place for place in typed_places(whole.tokens) if whole.tokens[place].text.isalpha()]
        words += [(whole.tokens[place].text, number) for place in kept]
        rows.append(stages(whole)[:, kept])
    everything = np.concatenate(rows, axis=1)
    middle: np.ndarray = everything.mean(1)
    pointing = directions(everything - middle[:, None])
    return Common(middle, *(median(pointing, pairs) for pairs in (different(words), same(words))))


def different(words: Sequence[tuple[str, int]]) -> list[tuple[int, int]]:
    """Random pairs of places where different words stand."""
    dice = random.Random(1)
    found: list[tuple[int, int]] = []
    while len(found) < PAIRS:
        one, other = dice.sample(range(len(words)), 2)
        if words[one][0].lower() != words[other][0].lower():
            found.append((one, other))
    return found


def same(words: Sequence[tuple[str, int]]) -> list[tuple[int, int]]:
    """For each word that stands in several sentences two such places, drawn: no article counts more than a noun."""
    places = defaultdict(list)
    for place, (word, _) in enumerate(words):
        places[word].append(place)
    dice, found = random.Random(1), []
    for own in places.values():
        if pairs := [(one, other) for one, other in combinations(own, 2) if words[one][1] != words[other][1]]:
            found.append(dice.choice(pairs))
    return found


def median(pointing: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """The median cosine of pairs of directions [stages, words, units], [stages]."""
    one, other = np.array(pairs).T
    found: np.ndarray = np.median((pointing[:, one] * pointing[:, other]).sum(-1), axis=1).astype(np.float32)
    return found


@cache
def vocabulary(name: str) -> tuple[tuple[str, ...], np.ndarray]:
    """The pieces that are whole words, as the table of word vectors knows them, and the directions of their vectors
    less the mean of all, [pieces, units]."""
    vectors = cast("Transformer", registry.load(name)).words.weight.detach().numpy()
    whole = cast("Table", registry.load("word_vectors")).vectors.rows
    names = [tokenizer.piece(piece) for piece in range(len(vectors))]
    kept = [piece for piece, text in enumerate(names) if text.isalpha() and len(text) > 1 and text in whole]
    return tuple(names[piece] for piece in kept), directions(vectors[kept] - vectors.mean(0))


def nearest(name: str, whole: Trace, centred: np.ndarray) -> tuple[tuple[tuple[tuple[str, ...], ...], ...], np.ndarray]:
    """For each stage and token the pieces whose own vectors point most nearly the same way, the word itself left out,
    and their cosines, [stages, tokens, neighbours]."""
    words, pointing = vocabulary(name)
    places = {word: place for place, word in enumerate(words)}
    cosines = directions(centred) @ pointing.T
    for at, token in enumerate(whole.tokens):
        for word in {token.text, token.text.lower(), token.text.capitalize()} & places.keys():
            cosines[:, at, places[word]] = -np.inf
    best = np.argpartition(-cosines, NEAR, axis=-1)[..., :NEAR]
    shares = np.take_along_axis(cosines, best, -1)
    order = np.argsort(-shares, axis=-1, kind="stable")
    best, shares = (np.take_along_axis(each, order, -1) for each in (best, shares))
    names = tuple(tuple(tuple(words[piece] for piece in row) for row in stage) for stage in best.tolist())
    return names, shares.astype(np.float32)
