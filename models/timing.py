"""How long the networks take for texts of several lengths: measured in turn, again and again, in one go for all.

What is measured at different times on a busy machine cannot be compared; so one measurement, made when it is first
asked for and then kept, takes all networks, and a run is one network's share of it. One thread computes, as on the
server, and the clock is its processor time: on an idle machine that is the time one waits, and on a busy one it leaves
out what others did meanwhile.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from models import registry, tokenizer
from models.reading import Reader, disagreement, prepared, reader
from models.run import Run
from models.trace import Check, Machine, Timing, Trace

NETWORKS = ("rnn", "lstm", "gru", "encoder", "decoder")
LENGTHS = (8, 16, 32, 64, 128, 256)
REPETITIONS, LEAST = 9, 3  # of the whole-text calls: as many as fit into BUDGET, and no fewer than LEAST
PASSES = (0, 3, 6)  # the repetitions in which the text is also read word by word
BUDGET = 3.0  # seconds that pass on the wall, after which no repetition begins
CHECKED = 64  # tokens

Clock = Callable[[], float]
Measurement = dict[str, tuple[Timing, Check]]
_made: dict[int, Measurement] = {}  # by attempt


class Times(NamedTuple):
    """Seconds of one network: for whole texts [lengths][repetitions], for each word [passes][steps]."""

    whole: list[list[float]]
    steps: list[list[float]]


def trace(run: Run) -> Trace:
    """The network's share of the measurement, and the text's tokens; raises InputError for a text it cannot take."""
    model = registry.get(run.model)
    tokens = tokenizer.tokenize(run.text, model.longest, end=model.family == "encoder")
    if run.attempt not in _made:
        _made[run.attempt] = measurement(run.attempt)
    timing, check = _made[run.attempt][run.model]
    return Trace(model=run.model, text=run.text, tokens=tokens, check=check, timing=timing)


def measurement(attempt: int) -> Measurement:
    """All networks: loaded, checked, then timed."""
    import torch

    readers = [reader(name, prepared(max(LENGTHS))) for name in NETWORKS]
    begun = datetime.now(UTC)
    machine = Machine(cores(), torch.__version__.partition("+")[0])
    with alone():
        times = timed(readers)
        return {each.name: told(each, times[each.name], attempt, begun, machine) for each in readers}


def told(each: Reader, times: Times, attempt: int, begun: datetime, machine: Machine) -> tuple[Timing, Check]:
    """What was measured of a network, beside what it computes and keeps."""
    kept = [each.kept(length) for length in LENGTHS]
    timing = Timing(
        attempt=attempt,
        measured_at=begun,
        machine=machine,
        lengths=np.array(LENGTHS),
        seconds=np.array(times.whole, np.float32),
        step_seconds=np.array(times.steps, np.float32) if times.steps else None,
        kept_bytes=np.array([one.state for one in kept]),
        map_bytes=np.array([one.maps for one in kept]),
        linear=each.cost.linear,
        quadratic=each.cost.quadratic,
        core_parameters=sum(numbers.numel() for numbers in each.core.parameters()),
    )
    return timing, Check(disagreement(each, CHECKED), each.against)


def timed(
    readers: Sequence[Reader], clock: Clock = time.thread_time, wall: Clock = time.perf_counter,
    lengths: Sequence[int] = LENGTHS,
) -> dict[str, Times]:  # fmt: skip
    """Every network in turn, as often as the budget allows; a first time that does not count warms up."""
    times = {each.name: Times([[] for _ in lengths], []) for each in readers}
    for each in readers:
        once(each, lengths, clock)
    begun = wall()
    for repetition in range(REPETITIONS):
        for each in readers:
            for kept, measured in zip(times[each.name].whole, once(each, lengths, clock), strict=True):
                kept.append(measured)
            if repetition in PASSES and each.word_by_word:
                times[each.name].steps.append(steps(each, max(lengths), clock))
        if wall() - begun > BUDGET and repetition + 1 >= LEAST:
            break
    return times


def once(each: Reader, lengths: Sequence[int], clock: Clock) -> list[float]:
    """Seconds of one call for each length."""
    seconds = []
    each.at_once(min(lengths))  # the first call after other networks' is slow
    for length in lengths:
        begun = clock()
        each.at_once(length)
        seconds.append(clock() - begun)
    return seconds


def steps(each: Reader, count: int, clock: Clock) -> list[float]:
    """Seconds of each word of a text that is read word by word."""
    assert each.word_by_word
    for _ in zip(range(min(LENGTHS)), each.word_by_word(), strict=False):  # as slow is the first word
        pass
    words, seconds = each.word_by_word(), []
    for _ in range(count):
        begun = clock()
        next(words)
        seconds.append(clock() - begun)
    return seconds


@contextmanager
def alone() -> Iterator[None]:
    """Inference by one thread; the setting is left as it was."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
