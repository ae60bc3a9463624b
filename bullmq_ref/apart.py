"""A coroutine apart: what it sets in its context stays its own, without a task of its own."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Apart(Generic[T]):
    """`await Apart(work)` is `await work` in a copy of the current context, as a new task would have it. A task costs
    more than all else that is done for a small job."""

    __slots__ = ("_work",)

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work

    def __await__(self) -> Generator[Any, Any, T]:
        run = contextvars.copy_context().run
        step: Callable[[Any], Any] = self._work.send
        value: Any = None
        while True:
            try:
                awaited = run(step, value)
            except StopIteration as end:
                result: T = end.value
                return result
            try:
                step, value = self._work.send, (yield awaited)
            except BaseException as error:  # what the task is told, above all that it is cancelled, is for the work
                step, value = self._work.throw, error
