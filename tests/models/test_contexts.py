"""Contexts: stages and cosines against the encoder itself, the yardsticks against pairs counted here."""

import numpy as np
import pytest

from models import contexts, registry
from models.planes import SENTENCES
from models.run import Run, perform

RIVER, MONEY = "Ich sitze auf der Bank am Fluss.", "Ich bringe mein Geld zur Bank."


def at(trace, word):
    return [token.text for token in trace.tokens].index(word)


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.fixture(scope="module")
def pair():
    return [perform(Run("encoder", text, "contexts")) for text in (RIVER, MONEY)]


def middle(stage):
    """The mean of all words of our sentences, computed here."""
    rows = []
    for line in SENTENCES.read_text("utf-8").splitlines():
        states = (trace := registry.load("encoder").forward(line)).states
        vectors = [states.inputs, states.embeddings, *np.asarray(states.hidden)][stage]
        rows += [vectors[place] for place, token in enumerate(trace.tokens) if token.text.isalpha()]
    return np.mean(np.array(rows, np.float64), axis=0)


@pytest.mark.parametrize("stage", [0, 1, 3, 5])
def test_the_stages_are_the_encoders_less_what_all_words_share(pair, stage):
    for text, trace in zip((RIVER, MONEY), pair, strict=True):
        states = registry.load("encoder").forward(text).states
        expected = [states.inputs, states.embeddings, *np.asarray(states.hidden)][stage] - middle(stage)
        assert trace.context.centred[stage] == pytest.approx(expected, abs=1e-4)


def test_a_word_is_the_same_as_a_vector_and_another_in_each_sentence(pair):
    one, other = (trace.context.centred[:, at(trace, "Bank")] for trace in pair)
    found = [cosine(*vectors) for vectors in zip(one, other, strict=True)]
    assert found[0] == pytest.approx(1, abs=1e-6)
    assert max(found[1:]) < 0.9
    assert min(found[1:]) > pair[0].context.different_words[-1] + 0.3  # still the same word


def test_what_is_near_has_the_largest_cosines_and_is_never_the_word_itself(pair):
    words = registry.load("encoder").words.weight.detach().numpy()
    vectors = words - words.mean(0)
    for trace in pair:
        place = at(trace, "Bank")
        for stage in (0, 5):
            names, shares = trace.context.context_near[stage][place], trace.context.context_cosines[stage, place]
            assert len(set(names)) == contexts.NEAR and "Bank" not in names
            assert (np.diff(shares) <= 0).all()
            for name, share in zip(names, shares, strict=True):
                piece = contexts.tokenizer.tokenizer().token_to_id(name)
                assert cosine(trace.context.centred[stage, place], vectors[piece]) == pytest.approx(share, abs=1e-5)
    assert pair[0].context.context_near[0][at(pair[0], "Bank")] == pair[1].context.context_near[0][at(pair[1], "Bank")]
    assert pair[0].context.context_near[5][at(pair[0], "Bank")] != pair[1].context.context_near[5][at(pair[1], "Bank")]


def test_pairs_of_the_yardstick_are_what_they_are_called():
    words = [("Hund", 0), ("der", 0), ("Hund", 1), ("Der", 1), ("der", 1), ("Hund", 1)]
    hund, der = contexts.same(words)  # each word once
    assert hund in {(0, 2), (0, 5)} and der == (1, 4)
    assert len(found := contexts.different(words)) == contexts.PAIRS
    assert all(words[one][0].lower() != words[other][0].lower() for one, other in found)


def test_what_is_shared_is_taken_away(pair):
    """Without that, unlike words would look alike: their median is near 0, and the same word's far above."""
    part = pair[0].context
    assert np.abs(part.different_words).max() < 0.1
    assert part.same_words[0] == pytest.approx(1, abs=1e-6) and (part.same_words[1:] > 0.5).all()
