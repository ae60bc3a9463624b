"""The peer `pypi-bullmq@VERSION`: the official Python port, run by the Python that has it installed."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[3]))  # for its siblings: this environment has no `compat`

from compat.bench.programs.contract import Question, answer, question
from compat.bench.programs.workloads import Worker, measure

bullmq: Any = importlib.import_module("bullmq")


class Running:
    """A worker of the port, whose `run` is a coroutine that ends with `close`."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._task: asyncio.Task[Any] | None = None

    def run(self) -> None:
        self._task = asyncio.create_task(self._worker.run())

    async def close(self) -> None:
        await self._worker.close(force=True)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


class Official:
    """See `workloads.Library`."""

    async def open(self, question: Question, queue: str) -> None:
        self._name, self._payload = question.name, question.payload
        self._queue = bullmq.Queue(queue, {"connection": _address(question), "prefix": question.prefix})
        await self._queue.getJobCounts()

    def add(self) -> Awaitable[Any]:
        added: Awaitable[Any] = self._queue.add(self._name, self._payload, {})
        return added

    def add_bulk(self, count: int) -> Awaitable[Any]:
        added: Awaitable[Any] = self._queue.addBulk(
            [{"name": self._name, "data": self._payload, "opts": {}} for _ in range(count)]
        )
        return added

    async def worker(
        self, question: Question, queue: str, begun: Callable[[], None], done: Callable[..., None]
    ) -> Worker:
        async def process(job: Any, token: str) -> None:
            begun()

        options = {
            "connection": _address(question),
            "prefix": question.prefix,
            "concurrency": question.concurrency if question.kind == "work" else 1,
            "autorun": False,
            **({"stalledInterval": 1} if question.kind == "sweep" else {}),
        }
        worker = bullmq.Worker(queue, process, options)
        worker.on("completed", done)
        self._worker = worker
        return Running(worker)

    def renew(self, ids: list[str], tokens: list[str]) -> Awaitable[Any]:
        scripts = self._worker.scripts
        if hasattr(scripts, "extendLocks"):
            renewed: Awaitable[Any] = scripts.extendLocks(ids, tokens, 30_000)
            return renewed
        return self._one_by_one(ids, tokens)

    async def _one_by_one(self, ids: list[str], tokens: list[str]) -> None:
        """As the worker of older releases does."""
        async with self._worker.client.pipeline(transaction=True) as pipe:
            for job, token in zip(ids, tokens, strict=True):
                await self._worker.scripts.extendLock(job, token, 30_000, pipe)
            await pipe.execute()

    def sweep(self) -> Awaitable[Any]:
        swept: Awaitable[Any] = self._worker.runStalledJobsCheck()
        return swept

    async def close(self) -> None:
        await self._queue.close()


def _address(question: Question) -> str:
    return f"redis://{question.host}:{question.port}"


if __name__ == "__main__":
    answer(asyncio.run(measure(Official(), question())))
