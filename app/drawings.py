"""Drawings: what takes seconds to make, one at a time on a thread of its own; who comes while MOST wait is refused."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.runs import Busy

MOST = 128  # each holds its figure and traces while it waits, some megabytes

T = TypeVar("T")


class Drawings:
    """Makes stills and offline files, and leaves the threads of the data routes alone; use it from one event loop."""

    def __init__(self, most: int = MOST):
        self._executor = ThreadPoolExecutor(1, "drawing")
        self._most, self._waiting = most, 0

    async def made(self, make: Callable[[], T]) -> T:
        """What `make` gives; raises Busy."""
        if self._waiting >= self._most:
            raise Busy()
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, make)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Lets the drawing under way end and drops the others."""
        self._executor.shutdown(wait=False, cancel_futures=True)
