"""A worker's slots: the work under way, and the results in the order in which they come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Slots(Generic[T]):
    """Every unit of work is a named task; `total` counts those under way and the results not taken yet."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[T | None]] = set()
        self._results: deque[T | None] = deque()
        self._inline = 0
        self._arrival = asyncio.Event()

    @property
    def total(self) -> int:
        return len(self.tasks) + self._inline + len(self._results)

    @property
    def queued(self) -> int:
        """Results that nobody has taken yet."""
        return len(self._results)

    def start(self, work: Coroutine[Any, Any, T | None], name: str) -> None:
        """Do `work` in a task of its own."""
        task = asyncio.create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    async def here(self, work: Coroutine[Any, Any, T | None]) -> T | None:
        """Do `work` now, and queue its result like the others."""
        self._inline += 1
        result: T | None = None
        try:
            result = await work
        finally:
            self._inline -= 1
            self._put(result)
        return result

    async def take(self) -> T | None:
        """The next result; None at once when nothing is under way."""
        while not self._results:
            if not self.tasks and not self._inline:
                return None
            self._arrival.clear()
            await self._arrival.wait()
        return self._results.popleft()

    def cancel(self) -> None:
        """Cancel what is under way."""
        for task in self.tasks:
            task.cancel()

    def _ended(self, task: asyncio.Task[T | None]) -> None:
        self.tasks.discard(task)
        self._put(None if task.cancelled() or task.exception() is not None else task.result())

    def _put(self, result: T | None) -> None:
        self._results.append(result)
        self._arrival.set()
