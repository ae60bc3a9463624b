"""The peer `saq@VERSION`: another asyncio queue on Redis, with scripts of its own, run by the Python that has it."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[3]))  # for its siblings: this environment has no `compat`

from compat.bench.programs.contract import Question, Window, answer, question
from compat.bench.programs.workloads import Worker, measure

saq: Any = importlib.import_module("saq")


class Running:
    """A worker of saq, whose `start` is a coroutine that ends with `stop`."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._task: asyncio.Task[Any] | None = None

    def run(self) -> None:
        self._task = asyncio.create_task(self._worker.start())

    async def close(self) -> None:
        await self._worker.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._worker.queue.disconnect()


class Saq:
    """See `workloads.Library`. It has no bulk, and locks of another kind."""

    async def open(self, question: Question, queue: str) -> None:
        self._name, self._payload = question.name, question.payload
        self._queue = _queue(question, queue)
        await self._queue.connect()

    def add(self) -> Awaitable[Any]:
        added: Awaitable[Any] = self._queue.enqueue(self._name, **self._payload)
        return added

    def add_bulk(self, count: int) -> Awaitable[Any]:
        raise NotImplementedError

    async def worker(
        self, question: Question, queue: str, begun: Callable[[], None], done: Callable[..., None]
    ) -> Worker:
        async def process(context: Any, **payload: Any) -> None:
            begun()

        async def ended(context: Any) -> None:
            done()

        own = _queue(question, queue)
        await own.connect()
        concurrency = question.concurrency if question.kind == "work" else 1
        return Running(
            saq.Worker(own, functions=[(question.name, process)], concurrency=concurrency, after_process=ended)
        )

    def renew(self, ids: list[str], tokens: list[str]) -> Awaitable[Any]:
        raise NotImplementedError

    def sweep(self) -> Awaitable[Any]:
        raise NotImplementedError

    async def close(self) -> None:
        await self._queue.disconnect()


def _queue(question: Question, name: str) -> Any:
    return saq.Queue.from_url(f"redis://{question.host}:{question.port}", name=name)


async def _seed(library: Saq, question: Question) -> Any:
    window = Window()
    with window:
        for queue in question.queues:
            await library.open(question, queue)
            for first in range(0, question.jobs, 100):
                await asyncio.gather(*(library.add() for _ in range(first, min(first + 100, question.jobs))))
            await library.close()
    return window.answer(question.jobs * len(question.queues))


if __name__ == "__main__":
    asked = question()
    answer(asyncio.run(_seed(Saq(), asked) if asked.kind == "seed" else measure(Saq(), asked)))
