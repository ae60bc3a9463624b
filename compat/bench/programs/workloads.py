"""The workloads, for any Python library that has queues and workers: only `Library` differs from peer to peer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from compat.bench.programs.contract import Answer, Question, Tally, Window

_REST = 0.005  # s that a worker is given to fall asleep again between two samples
_STOP = 20.0  # s that a library may take to close


class Worker(Protocol):
    """A worker that is connected and does nothing yet."""

    def run(self) -> None: ...

    async def close(self) -> None: ...


class Library(Protocol):
    """A peer: what a user of it would write."""

    async def open(self, question: Question, queue: str) -> None:
        """Connect a producer to `queue`."""

    def add(self) -> Awaitable[Any]:
        """Add one job."""

    def add_bulk(self, count: int) -> Awaitable[Any]:
        """Add jobs in one call."""

    async def worker(
        self, question: Question, queue: str, begun: Callable[[], None], done: Callable[..., None]
    ) -> Worker:
        """A worker with a processor that does nothing but call `begun`; `done` is called for each completed job."""

    def renew(self, ids: list[str], tokens: list[str]) -> Awaitable[Any]:
        """Renew these locks."""

    def sweep(self) -> Awaitable[Any]:
        """One stalled sweep."""

    async def close(self) -> None:
        """Close the producer."""


async def measure(library: Library, question: Question) -> Answer:
    """Do what is asked."""
    return await _KINDS[question.kind](library, question)


async def _add(library: Library, question: Question) -> Answer:
    tally = Tally(question.jobs)

    async def lane(count: int) -> None:
        for _ in range(count):
            await library.add()
            tally.one()

    await library.open(question, question.queues[0])
    share, rest = divmod(question.jobs, question.in_flight)
    window = Window()
    with window:
        await asyncio.gather(*(lane(share + (n < rest)) for n in range(question.in_flight)))
    await library.close()
    return window.answer(question.jobs, tasks=tally.tasks)


async def _bulk(library: Library, question: Question) -> Answer:
    size = min(1000, question.jobs)
    await library.open(question, question.queues[0])
    window = Window()
    with window:
        for _ in range(question.jobs // size):
            await library.add_bulk(size)
    await library.close()
    return window.answer(question.jobs // size * size)


async def _work(library: Library, question: Question) -> Answer:
    """Each queue in turn, in one window."""
    window, tasks = Window(), (0, 0)
    for queue in question.queues:
        tally = Tally(question.jobs)
        workers = [await library.worker(question, queue, _nothing, tally.one) for _ in range(question.workers)]
        with window:
            for worker in workers:
                worker.run()
            await tally.done.wait()
        tasks = tally.tasks
        async with asyncio.timeout(_STOP):
            for worker in workers:
                await worker.close()
    return window.answer(question.jobs * len(question.queues), tasks=tasks)


async def _pickup(library: Library, question: Question) -> Answer:
    """From the call of `add` to the processor's start, of a worker that sleeps."""
    begun, ended = asyncio.Event(), asyncio.Event()
    latencies: list[float] = []
    moment = 0.0

    def begin() -> None:
        latencies.append((time.perf_counter() - moment) * 1000)
        begun.set()

    await library.open(question, question.queues[0])
    worker = await library.worker(question, question.queues[0], begin, lambda *_: ended.set())
    worker.run()
    await asyncio.sleep(0.1)
    window = Window()
    with window:
        for _ in range(question.jobs):
            begun.clear()
            ended.clear()
            moment = time.perf_counter()
            await asyncio.gather(library.add(), begun.wait(), ended.wait())
            await asyncio.sleep(_REST)
    async with asyncio.timeout(_STOP):
        await worker.close()
        await library.close()
    return window.answer(question.jobs, latencies=tuple(latencies))


async def _renew(library: Library, question: Question) -> Answer:
    ids = [str(n + 1) for n in range(question.concurrency)]
    tokens = [question.token] * len(ids)
    return await _sample(library, question, lambda: library.renew(ids, tokens))


async def _sweep(library: Library, question: Question) -> Answer:
    """The first sweep marks what is active, the others look for its locks as well."""
    return await _sample(library, question, library.sweep)


async def _sample(library: Library, question: Question, call: Callable[[], Awaitable[Any]]) -> Answer:
    latencies: list[float] = []
    worker = await library.worker(question, question.queues[0], _nothing, _nothing)
    window = Window()
    with window:
        for _ in range(question.jobs):
            moment = time.perf_counter()
            await call()
            latencies.append((time.perf_counter() - moment) * 1000)
            await asyncio.sleep(0.002)  # a sweep within the last one's interval would do nothing
    async with asyncio.timeout(_STOP):
        await worker.close()
    return window.answer(question.jobs, latencies=tuple(latencies))


def _nothing(*_: object) -> None:
    pass


_KINDS: dict[str, Callable[[Library, Question], Awaitable[Answer]]] = {
    "add": _add,
    "bulk": _bulk,
    "work": _work,
    "pickup": _pickup,
    "renew": _renew,
    "sweep": _sweep,
}
