"""A queue under load while something goes wrong, and the account afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bullmq_ref import BullMQError, OutcomeUnknown, Queue, Worker

JOBS = 60
DEADLINE = 40  # s


class Load:
    """Adds jobs one after another while a worker works on them. Halfway the worker holds as many as it can, and nothing
    is added, until `go_on`. A job is added again only if the error said that nothing was done; what is unknown is left
    so."""

    def __init__(self, queue: Queue[Any, Any], worker: Callable[[Any], Worker[Any, Any]]) -> None:
        self.queue = queue
        self.runs: Counter[int] = Counter()
        self.added: set[int] = set()
        self.unknown: set[int] = set()
        self.refused = 0
        self.errors: list[Exception] = []
        self.halfway = asyncio.Event()
        self.go_on = asyncio.Event()
        self.worker = worker(self._run)
        self.worker.on("error", self.errors.append)
        self.adding = asyncio.create_task(self._add(), name="adding")

    async def _run(self, job: Any, token: str) -> int:
        number: int = job.data
        self.runs[number] += 1
        if number >= JOBS // 2 - self.worker.concurrency:
            await self.go_on.wait()
        return number

    @property
    def met(self) -> bool:
        """Whether anybody has noticed that something is wrong."""
        return bool(self.refused or self.unknown or self.errors) or not self.queue.client.connected

    async def _add(self) -> None:
        for number in range(JOBS):
            if number == JOBS // 2:
                while len(self.runs) < number:  # noqa: ASYNC110 - the processor counts
                    await asyncio.sleep(0.01)
                self.halfway.set()
                await self.go_on.wait()
            while True:
                try:
                    await self.queue.add("n", number)
                    self.added.add(number)
                except OutcomeUnknown:
                    self.unknown.add(number)
                except BullMQError as error:
                    assert error.transient, error
                    self.refused += 1
                    await asyncio.sleep(0.05)
                    continue
                break

    async def settled(self) -> None:
        """Wait until all that was added has been finished, and nothing is left under way."""
        async with asyncio.timeout(DEADLINE):
            self.go_on.set()
            await self.adding
            while not (self.added <= self.runs.keys() and await self._idle()):  # noqa: ASYNC110 - Redis is asked
                await asyncio.sleep(0.05)

    async def _idle(self) -> bool:
        counts = await self.queue.get_job_counts("waiting", "active", "delayed", "prioritized", "paused")
        return not any(counts.values())

    async def account(self) -> None:
        """None lost, none added twice, none left over."""
        counts = await self.queue.get_job_counts("completed", "failed")
        assert counts["failed"] == 0
        assert self.added <= self.runs.keys() <= self.added | self.unknown
        assert counts["completed"] == len(self.runs)

    async def close(self) -> None:
        self.adding.cancel()
        await asyncio.gather(self.adding, return_exceptions=True)
        async with asyncio.timeout(15):
            await self.worker.close()


@pytest.fixture
async def load() -> AsyncIterator[Callable[[Any], Awaitable[Load]]]:
    """`await load(make)`: the load is halfway, and goes on after `go_on` or `settled`."""
    loads: list[Load] = []

    async def begin(make: Any, **options: Any) -> Load:
        quick = {"concurrency": 3, "lock_duration": 2000, "stalled_interval": 500, "run_retry_delay": 100}
        quick |= {"max_stalled_count": 10, **options}
        loads.append(Load(make.queue(), lambda run: make.worker(run, **quick)))
        async with asyncio.timeout(DEADLINE):
            await loads[-1].halfway.wait()
        return loads[-1]

    yield begin
    for each in loads:
        await each.close()
    assert not [t.get_name() for t in asyncio.all_tasks() if t.get_name().startswith(("worker", "locks of", "stalled"))]
