"""Carries runs out on the model threads: equal runs in flight are one, finished ones are kept, too many are refused.

Runs that take seconds have a thread of their own, one after the other, so that nobody else waits for them.
"""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

from app.lru import BytesCache
from app.settings import Settings
from models import registry
from models.run import Run, perform
from models.trace import Trace

Key = tuple[Run, str]


class Busy(RuntimeError):
    """More runs wait than may, or one has waited too long."""


class Runs:
    """The one place where models run; use it from one event loop."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._short = ThreadPoolExecutor(settings.model_workers, "model", initializer=self._one_thread)
        self._long = ThreadPoolExecutor(1, "long", initializer=self._one_thread)
        self._cache: BytesCache[Trace] = BytesCache(settings.trace_cache_bytes)
        self._flying: dict[Key, asyncio.Future[Trace]] = {}
        self.performed = 0

    async def trace(self, run: Run) -> Trace:
        """The trace of this run; raises Busy, and what the models raise for texts they cannot take."""
        key = run, registry.get(run.model).hash
        if (kept := self._cache.get(key)) is not None:
            return kept
        if (flying := self._flying.get(key)) is None:
            if len(self._flying) >= self._settings.waiting_runs:
                raise Busy()
            flying = self._started(run)
            self._flying[key] = flying
            flying.add_done_callback(lambda done: self._land(key, done))
        return await self._landed(flying)

    def _started(self, run: Run) -> "asyncio.Future[Trace]":
        self.performed += 1
        threads = self._long if run.long else self._short
        return asyncio.wrap_future(threads.submit(self._perform, run))

    async def _landed(self, flying: "asyncio.Future[Trace]") -> Trace:
        # Unlike wait_for, wait leaves the run alone when this reader's time is up or the reader goes.
        done, _ = await asyncio.wait((flying,), timeout=self._settings.waiting_seconds)
        if not done:
            raise Busy()
        return flying.result()

    def _perform(self, run: Run) -> Trace:
        loaded = registry.loaded()
        trace = perform(run)
        if registry.loaded() > loaded:
            gc.freeze()  # what a library and a model have brought stays: looking through it stops everything for 0.3 s
        return trace

    def _land(self, key: Key, done: "asyncio.Future[Trace]") -> None:
        del self._flying[key]
        if not done.cancelled() and done.exception() is None:
            trace = done.result()
            self._cache.put(key, trace, trace.nbytes)

    @staticmethod
    def _one_thread() -> None:
        """Each model thread computes alone: more threads per run cost more than they give on a busy machine."""
        import torch

        torch.set_num_threads(1)

    def close(self) -> None:
        """Lets the run under way end and drops the others."""
        for threads in (self._short, self._long):
            threads.shutdown(wait=False, cancel_futures=True)
