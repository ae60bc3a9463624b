"""Aside: a blocking start, done in a thread, whose result is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar


class Stoppable(Protocol):
    def stop(self) -> None: ...


T = TypeVar("T", bound=Stoppable)


async def aside(start: Callable[[], T]) -> T:
    """What `start` returns, without holding up the event loop. It is stopped if nobody waits for it any more."""
    pool = ThreadPoolExecutor(1, "server")
    future = pool.submit(start)
    pool.shutdown(wait=False)
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        future.add_done_callback(_stop)
        raise


def _stop(future: Future[T]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().stop()
