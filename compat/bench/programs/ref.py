"""The peer `ref`: bullmq_ref, used as its users would."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import bullmq_ref
from bullmq_ref.monitor import Monitor
from bullmq_ref.scripts.working import extend_locks
from compat.bench.programs.contract import Question, answer, question
from compat.bench.programs.workloads import Worker, measure


class Reference:
    """See `workloads.Library`."""

    async def open(self, question: Question, queue: str) -> None:
        self._name, self._payload = question.name, question.payload
        self._queue: bullmq_ref.Queue[Any, Any] = bullmq_ref.Queue(
            queue, connection=_address(question), prefix=question.prefix
        )
        await self._queue.ready()

    def add(self) -> Awaitable[Any]:
        return self._queue.add(self._name, self._payload)

    def add_bulk(self, count: int) -> Awaitable[Any]:
        return self._queue.add_bulk([{"name": self._name, "data": self._payload} for _ in range(count)])

    async def worker(
        self, question: Question, queue: str, begun: Callable[[], None], done: Callable[..., None]
    ) -> Worker:
        async def process(job: Any, token: str) -> None:
            begun()

        more: dict[str, Any] = {"stalled_interval": 1} if question.kind == "sweep" else {}
        if not question.bare:
            more |= {"monitor": Monitor(), "logger": _silent()}
        worker: bullmq_ref.Worker[Any, Any] = bullmq_ref.Worker(
            queue,
            process,
            connection=_address(question),
            prefix=question.prefix,
            concurrency=question.concurrency if question.kind == "work" else 1,
            autorun=False,
            **more,
        )
        worker.on("completed", done)
        await worker.ready()
        self._worker = worker
        return worker

    def renew(self, ids: list[str], tokens: list[str]) -> Awaitable[Any]:
        return extend_locks(self._worker.wire, ids, tokens, 30_000)

    def sweep(self) -> Awaitable[Any]:
        return self._worker.sweep()

    async def close(self) -> None:
        await self._queue.close()


def _silent() -> logging.Logger:
    """A logger that does nothing."""
    logger = logging.getLogger("bench")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def _address(question: Question) -> str:
    return f"redis://{question.host}:{question.port}"


if __name__ == "__main__":
    answer(asyncio.run(measure(Reference(), question())))
