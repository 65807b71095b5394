"""The measurement: in turn, within its budget, once; times by a clock of the test's own."""

import itertools

import numpy as np
import pytest
import torch

from models import timing
from models.errors import EmptyText
from models.reading import Cost, Kept, Reader
from models.run import Run, perform

LENGTHS = (2, 4, 8)


class Clock:
    """Time passes only where a network reads."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def made(name, clock, log, first=0.0, word=0.0, pair=0.0, step=None):
    """A network that takes `first` + `word`·T + `pair`·T² seconds, and `step` for each word read singly."""
    warm = []

    def at_once(tokens):
        log.append((name, tokens))
        clock.now += first + word * tokens + pair * tokens**2 + (0 if tokens in warm else 100)
        warm.append(tokens)
        return torch.zeros(tokens, 1)

    def word_by_word():
        for number in itertools.count(1):
            log.append((name, "step"))
            clock.now += step * number
            yield torch.zeros(1, 1)

    return Reader(
        name, at_once, word_by_word if step else None, lambda _: Kept(0, 0), torch.nn.Identity(), Cost(1, 0), ""
    )


def test_times_are_those_of_the_clock_and_the_first_call_does_not_count():
    clock, log = Clock(), []
    readers = [made("a", clock, log, first=1, word=1, step=0.5), made("b", clock, log, pair=2)]
    times = timing.timed(readers, clock, Clock(), LENGTHS)
    assert times["a"].whole == [[1 + length] * timing.REPETITIONS for length in LENGTHS]
    assert times["b"].whole == [[2 * length**2] * timing.REPETITIONS for length in LENGTHS]
    assert times["a"].steps == [[0.5 * number for number in range(1, 9)]] * len(timing.PASSES)
    assert times["b"].steps == []


def test_networks_take_turns():
    clock, log = Clock(), []
    readers = [made(name, clock, log, word=1) for name in "abc"]
    timing.timed(readers, clock, Clock(), LENGTHS)
    turns = [name for name, _ in itertools.groupby(name for name, _ in log)]
    assert turns == list("abc") * (1 + timing.REPETITIONS)


def test_a_slow_machine_is_measured_less_often_but_not_too_little():
    clock, log = Clock(), []
    readers = [made("a", clock, log, word=1, step=1)]
    times = timing.timed(readers, clock, clock, LENGTHS)
    assert [len(kept) for kept in times["a"].whole] == [timing.LEAST] * len(LENGTHS)
    assert len(times["a"].steps) == 1


@pytest.fixture(scope="module")
def runs():
    """Each network's share of one real measurement."""
    return {name: perform(Run(name, "Der Mann", "timing")) for name in timing.NETWORKS}


def test_a_real_measurement_has_times_that_grow(runs):
    for name, trace in runs.items():
        found = trace.timing
        medians = np.median(found.seconds, axis=1)
        assert (found.seconds > 0).all() and found.lengths.tolist() == list(timing.LENGTHS)
        assert found.seconds.shape[1] >= timing.LEAST
        assert medians[-1] > 2 * medians[0], name  # thirty-two times as many tokens
        assert (found.step_seconds is None) == (name == "encoder")
        assert 0 <= trace.check.max_abs_error < 1e-4
        assert found.machine.torch == torch.__version__.partition("+")[0] and found.machine.cores >= 1


def test_word_by_word_is_slower_than_one_call(runs):
    for name in ("lstm", "decoder"):
        found = runs[name].timing
        assert np.median(found.step_seconds.sum(1)) > 1.5 * np.median(found.seconds[-1]), name


def test_it_is_measured_once_for_all_networks_and_texts(runs, monkeypatch):
    monkeypatch.setattr(timing, "timed", None)
    again = perform(Run("gru", "Der Hund biss", "timing"))
    assert again.timing is runs["gru"].timing and len({trace.timing.measured_at for trace in runs.values()}) == 1
    assert [token.text for token in again.tokens] == ["[CLS]", "Der", "Hund", "biss"]


def test_another_attempt_is_another_measurement(monkeypatch):
    calls = []

    def measurement(attempt):
        calls.append(attempt)
        return {"lstm": (None, None)}

    monkeypatch.setattr(timing, "measurement", measurement)
    monkeypatch.setattr(timing, "_made", {})
    monkeypatch.setattr(timing, "Trace", lambda **parts: parts)
    for attempt in (3, 4, 3):
        perform(Run("lstm", "a", "timing", attempt=attempt))
    assert calls == [3, 4]


def test_a_text_without_a_word_is_told_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(timing, "measurement", None)
    with pytest.raises(EmptyText):
        perform(Run("lstm", " ", "timing", attempt=9))
