"""Without its vectors for the places the encoder knows no order; the decoder still does, by its mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.families.encoder import Transformer
from models.run import Change, Run, perform

WORDS = ["Der", "Mann", "biss", "den", "Hund", "Donaudampfschiff", "skeptischer", "Bank,", "weil", "Mann", "ö!", "🙂"]
PLACELESS = Change("no_positions")


def blocks(trace, words):
    """The places of each typed word's tokens."""
    found, start = [], 0
    for word in words:
        end = start + len(word)
        found.append([n for n, token in enumerate(trace.tokens) if not token.special and start <= token.start < end])
        start = end + 1
    return found


def moved(model, words, order, change=PLACELESS):
    """The largest difference between the states of the permuted sentence and the permuted states."""
    permuted = [words[place] for place in order]
    plain, other = (perform(Run(model, " ".join(each), change=change)) for each in (words, permuted))
    ours, theirs = blocks(plain, words), blocks(other, permuted)
    first = [0, *(token for place in order for token in ours[place])]
    second = [0, *(token for block in theirs for token in block)]
    if plain.tokens[-1].special:
        first, second = [*first, len(plain.tokens) - 1], [*second, len(other.tokens) - 1]
    assert [plain.tokens[n].id for n in first] == [other.tokens[n].id for n in second]
    assert len(first) == len(plain.tokens)
    hidden, there = np.asarray(plain.states.hidden), np.asarray(other.states.hidden)
    return float(np.abs(hidden[:, first] - there[:, second]).max())


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_encoder_without_positions_permutes_its_states_with_the_words(data):
    words = data.draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
    order = data.draw(st.permutations(range(len(words))))
    assert moved("encoder", words, order) <= 1e-5


def test_with_positions_it_does_not():
    assert moved("encoder", WORDS[:5], [4, 3, 2, 1, 0], None) > 0.1


def test_the_decoder_without_positions_knows_order_by_its_mask():
    assert moved("decoder", WORDS[:5], [4, 3, 2, 1, 0]) > 0.1


@pytest.mark.parametrize("model", ["encoder", "decoder"])
def test_only_the_changed_run_goes_without_positions(model):
    before = perform(Run(model, "Der Hund"))
    changed = perform(Run(model, "Der Hund", change=PLACELESS))
    after = perform(Run(model, "Der Hund"))
    assert changed.change == "no_positions" and not changed.states.positions.any()
    assert np.array_equal(np.asarray(before.states.hidden), np.asarray(after.states.hidden))
    assert not np.allclose(before.states.embeddings, changed.states.embeddings)


def test_a_failing_run_leaves_no_change_behind(monkeypatch):
    before = perform(Run("encoder", "Der Hund"))

    def fail(*_):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Transformer, "call", fail)
        with pytest.raises(RuntimeError):
            perform(Run("encoder", "Der Hund", change=PLACELESS))
    after = perform(Run("encoder", "Der Hund"))
    assert np.array_equal(before.states.embeddings, after.states.embeddings)
