"""Without its vectors for the places the encoder knows no order; the decoder still does, by its mask."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.families.encoder import Transformer
from models.positions import frequencies, identity_error, sinusoidal
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


def test_frequencies_fall_by_a_constant_factor_from_one():
    found = frequencies(192)
    assert len(found) == 96 and found[0] == 1
    assert np.allclose(found[1:] / found[:-1], 10_000 ** (-2 / 192))


@pytest.mark.parametrize("model", ["encoder", "decoder", "translator", "encoder@0"])
def test_the_experiment_shows_the_whole_table_and_knows_sines(model):
    trace = perform(Run(model, "Der Hund", "positions"))
    table = trace.positional.position_table
    assert len(table) == (128 if model == "translator" else 256)
    assert trace.positional.sinusoidal == (model == "translator")
    assert np.array_equal(table[: len(trace.tokens)], trace.states.positions)
    assert trace.check.max_abs_error <= 1e-5


def test_products_of_sinusoidal_vectors_depend_on_the_distance_only():
    table = perform(Run("translator", "Der Hund", "positions")).positional.position_table
    omega = [1 / 10_000 ** (2 * wave / 192) for wave in range(96)]
    for p, q in ((0, 0), (3, 3), (5, 9), (127, 0), (60, 61)):
        expected = sum(math.cos(each * (p - q)) for each in omega)
        assert float(table[p].astype(float) @ table[q].astype(float)) == pytest.approx(expected, abs=1e-5)
    assert identity_error(table) <= 1e-5
    broken = table.copy()
    broken[40, 100] += 0.01
    assert identity_error(broken) > 1e-3 and not sinusoidal(broken)


def test_the_translator_without_positions_reads_words_as_a_bag():
    before = perform(Run("translator", "Der Mann biss den Hund"))
    off, other = (
        perform(Run("translator", text, change=PLACELESS))
        for text in ("Der Mann biss den Hund", "Hund den biss Mann Der")
    )
    back = [0, 5, 4, 3, 2, 1, 6]
    assert not off.states.positions.any() and off.change == "no_positions"
    assert np.abs(np.asarray(off.states.hidden) - np.asarray(other.states.hidden)[:, back]).max() <= 1e-5
    after = perform(Run("translator", "Der Mann biss den Hund"))
    assert np.array_equal(np.asarray(before.states.hidden), np.asarray(after.states.hidden))
    assert np.abs(np.asarray(before.states.hidden) - np.asarray(off.states.hidden)).max() > 0.1
