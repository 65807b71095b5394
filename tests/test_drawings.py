"""Drawings are made one at a time on a thread of their own; too many are refused, and there is room again after."""

import asyncio
import threading

import pytest

from app.drawings import Drawings
from app.runs import Busy


def carry_out(scenario, most):
    async def main():
        drawings = Drawings(most)
        try:
            return await asyncio.wait_for(scenario(drawings), 30)
        finally:
            drawings.close()

    return asyncio.run(main())


def test_one_is_made_at_a_time_in_the_order_of_asking():
    at_work, order = threading.Lock(), []

    def draw(number):
        assert at_work.acquire(blocking=False)
        order.append((number, threading.current_thread().name))
        at_work.release()
        return number

    async def scenario(drawings):
        return await asyncio.gather(*(drawings.made(lambda number=number: draw(number)) for number in range(5)))

    assert carry_out(scenario, 5) == [0, 1, 2, 3, 4]
    assert [number for number, _ in order] == [0, 1, 2, 3, 4]
    assert len({name for _, name in order}) == 1 and order[0][1].startswith("drawing")


def test_too_many_are_refused_until_there_is_room_again():
    def wrong():
        raise ValueError("no such trace")

    async def scenario(drawings):
        begin = threading.Event()
        waiting = [asyncio.create_task(drawings.made(begin.wait)), asyncio.create_task(drawings.made(wrong))]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await drawings.made(str)
        begin.set()
        assert await waiting[0]
        with pytest.raises(ValueError, match="no such trace"):
            await waiting[1]
        return await drawings.made(lambda: "again")

    assert carry_out(scenario, 2) == "again"
