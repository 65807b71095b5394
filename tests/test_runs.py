"""Equal runs in flight are one, finished ones are kept, too many are refused, errors are not kept."""

import asyncio
import threading
import time

import pytest

from app import runs as module
from app.runs import Busy, Runs
from app.settings import Settings
from models.errors import EmptyText, UnknownModel
from models.run import Run


@pytest.fixture
def performed(monkeypatch, make_recurrent):
    """What was really run, by text; a text "wrong" raises, "slow" takes a moment."""
    seen: list[str] = []

    def perform(run: Run):
        seen.append(run.text)
        if run.text.startswith("slow"):
            time.sleep(0.2)
        if run.text == "wrong":
            raise EmptyText()
        return make_recurrent("[CLS]", run.text, model="lstm")

    monkeypatch.setattr(module, "perform", perform)
    return seen


def lstm(text: str) -> Run:
    return Run("lstm", text)


def carry_out(scenario, **settings):
    """Runs a scenario with Runs of these settings, in an event loop of its own."""

    async def main():
        runs = Runs(Settings(**settings))
        try:
            return await asyncio.wait_for(scenario(runs), 30)
        finally:
            runs.close()

    return asyncio.run(main())


def test_thirty_equal_requests_cost_one_run(performed):
    async def scenario(runs):
        found = await asyncio.gather(*(runs.trace(lstm("slow")) for _ in range(30)))
        return runs.performed, {id(trace) for trace in found}

    count, traces = carry_out(scenario)
    assert (count, performed, len(traces)) == (1, ["slow"], 1)


def test_what_a_model_brings_is_no_longer_looked_through(performed, monkeypatch):
    loads, frozen = iter((0, 1, 1, 1)), []
    monkeypatch.setattr(module.registry, "loaded", lambda: next(loads))
    monkeypatch.setattr(module.gc, "freeze", lambda: frozen.append(len(performed)))

    async def scenario(runs):
        for text in ("one", "two"):
            await runs.trace(lstm(text))

    carry_out(scenario)
    assert frozen == [1]  # after the run that loaded a model, and not after the next


def test_equal_requests_do_not_count_as_waiting(performed):
    async def scenario(runs):
        await asyncio.gather(*(runs.trace(lstm("slow")) for _ in range(30)))

    carry_out(scenario, waiting_runs=1)
    assert performed == ["slow"]


def test_a_finished_run_is_kept(performed):
    async def scenario(runs):
        first, second = await runs.trace(lstm("a")), await runs.trace(lstm("a"))
        return first is second

    assert carry_out(scenario)
    assert performed == ["a"]


def test_another_model_is_another_run(performed):
    async def scenario(runs):
        await asyncio.gather(runs.trace(lstm("a")), runs.trace(Run("gru", "a")))

    carry_out(scenario)
    assert performed == ["a", "a"]


def test_more_than_may_wait_are_refused(performed):
    async def scenario(runs):
        return await asyncio.gather(*(runs.trace(lstm(f"slow {n}")) for n in range(4)), return_exceptions=True)

    found = carry_out(scenario, waiting_runs=2)
    assert [isinstance(one, Busy) for one in found] == [False, False, True, True]
    assert performed == ["slow 0", "slow 1"]


def test_after_the_rush_there_is_room_again(performed):
    async def scenario(runs):
        await asyncio.gather(*(runs.trace(lstm(f"slow {n}")) for n in range(3)), return_exceptions=True)
        return await runs.trace(lstm("slow 2"))

    assert carry_out(scenario, waiting_runs=2).text == "slow 2"
    assert performed[-1] == "slow 2"


def test_who_waits_too_long_is_told_and_the_run_is_kept_for_the_next(performed):
    async def scenario(runs):
        with pytest.raises(Busy):
            await runs.trace(lstm("slow"))
        await asyncio.sleep(0.3)
        return await runs.trace(lstm("slow"))

    assert carry_out(scenario, waiting_seconds=0.05).text == "slow"
    assert performed == ["slow"]


def test_an_error_reaches_everyone_who_waits_and_is_not_kept(performed):
    async def scenario(runs):
        found = await asyncio.gather(*(runs.trace(lstm("wrong")) for _ in range(3)), return_exceptions=True)
        with pytest.raises(EmptyText):
            await runs.trace(lstm("wrong"))
        return found

    assert all(isinstance(one, EmptyText) for one in carry_out(scenario))
    assert performed == ["wrong", "wrong"]


def test_one_client_that_leaves_does_not_take_the_run_with_it(performed):
    async def scenario(runs):
        leaving = asyncio.create_task(runs.trace(lstm("slow")))
        staying = asyncio.create_task(runs.trace(lstm("slow")))
        await asyncio.sleep(0.05)
        leaving.cancel()
        return await staying

    assert carry_out(scenario).text == "slow"
    assert performed == ["slow"]


def test_the_cache_is_bounded_in_bytes(performed, make_recurrent):
    size = make_recurrent("[CLS]", "a", model="lstm").nbytes

    async def scenario(runs):
        for text in ("a", "b", "c", "c", "b", "a"):
            await runs.trace(lstm(text))
        return runs._cache.bytes

    assert carry_out(scenario, trace_cache_bytes=2 * size + 1) == 2 * size
    assert performed == ["a", "b", "c", "a"]


def test_an_unknown_model_is_no_run(performed):
    async def scenario(runs):
        with pytest.raises(UnknownModel):
            await runs.trace(Run("elmo", "a"))
        return runs.performed

    assert carry_out(scenario) == 0
    assert performed == []


def test_models_run_on_their_own_thread(monkeypatch, make_recurrent):
    names = set()

    def perform(run):
        names.add(threading.current_thread().name)
        return make_recurrent("[CLS]", run.text, model="lstm")

    monkeypatch.setattr(module, "perform", perform)

    async def scenario(runs):
        await asyncio.gather(runs.trace(lstm("a")), runs.trace(lstm("b")))

    carry_out(scenario)
    assert len(names) == 1 and names.pop().startswith("model")


def timing(text: str) -> Run:
    return Run("lstm", text, "timing")


def test_a_short_run_does_not_wait_for_a_long_one(monkeypatch, make_recurrent):
    done, ended = [], threading.Event()

    def perform(run: Run):
        if run.long:
            assert ended.wait(20)
        done.append(run.text)
        return make_recurrent("[CLS]", run.text, model="lstm")

    monkeypatch.setattr(module, "perform", perform)

    async def scenario(runs):
        long = asyncio.ensure_future(runs.trace(timing("long")))
        await asyncio.sleep(0)
        for text in "abc":
            await runs.trace(lstm(text))
        ended.set()
        return (await long).text, runs.performed

    assert carry_out(scenario) == ("long", 4)
    assert done == ["a", "b", "c", "long"]


def test_long_runs_go_one_after_the_other_and_once(performed, monkeypatch):
    busy, perform = threading.Lock(), module.perform

    def alone(run: Run):
        assert busy.acquire(blocking=False)
        try:
            return perform(run)
        finally:
            busy.release()

    monkeypatch.setattr(module, "perform", alone)

    async def scenario(runs):
        asked = (runs.trace(timing(text)) for text in ("slow 1", "wrong", "slow 2", "slow 1"))
        return await asyncio.gather(*asked, return_exceptions=True)

    first, failed, second, again = carry_out(scenario, model_workers=2)
    assert first is again and second.text == "slow 2" and isinstance(failed, EmptyText)
    assert performed == ["slow 1", "wrong", "slow 2"]
