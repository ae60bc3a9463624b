"""Processors: what a user gives to work on jobs, made into one thing that can be awaited."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import math
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from bullmq_ref.errors import BullMQError
from bullmq_ref.job import Job, Payload, Result
from bullmq_ref.sandbox import Children, Sandbox

#: Called with the job and the lock's token; what it returns completes the job, what it raises fails it. A coroutine
#: function runs on the event loop, any other function in a thread. Text or a `Sandbox` names one that runs in a child
#: process.
Processor = Callable[[Job[Payload, Result], str], Awaitable[Result] | Result] | Sandbox | str

#: A processor that can be awaited.
Run = Callable[[Job[Any, Any], str], Awaitable[Any]]

_T = TypeVar("_T")

_loop: contextvars.ContextVar[asyncio.AbstractEventLoop] = contextvars.ContextVar("loop of the worker")


def from_thread(work: Coroutine[Any, Any, _T]) -> _T:
    """In a processor that is a plain function: do `work` on the worker's event loop, and return what it returns.

        def resize(job, token):
            from_thread(job.update_progress(50))

    Raises what `work` raises, and BullMQError outside of such a processor.
    """
    loop = _loop.get(None)
    if loop is None:
        work.close()
        raise BullMQError("from_thread: this is no thread of a processor; await the coroutine instead")
    return asyncio.run_coroutine_threadsafe(work, loop).result()


class Processors:
    """Runs a processor. `threads`: how many plain functions may run at once."""

    def __init__(self, processor: Processor[Any, Any], threads: float) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._children: Children | None = None
        self._threads = threads
        if isinstance(processor, str | Sandbox):
            self._children = Children(Sandbox(processor) if isinstance(processor, str) else processor)
            self.run: Run = self._children.run
        elif _is_coroutine_function(processor):
            self.run = processor
        else:
            self.run = functools.partial(self._in_thread, processor)

    def resize(self, threads: float) -> None:
        """Let so many plain functions run at once from now on, beside those that run already."""
        self._threads = threads
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)  # what runs in it runs to its end

    async def close(self) -> None:
        """End the child processes. A plain function that still runs cannot be ended: its thread lives until it does."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        if self._children is not None:
            await self._children.close()

    async def _in_thread(self, processor: Callable[..., Any], job: Job[Any, Any], token: str) -> Any:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(math.ceil(self._threads), thread_name_prefix="processor")
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        context.run(_loop.set, loop)
        try:
            result = await loop.run_in_executor(self._pool, context.run, _call, processor, job, token)
        except asyncio.CancelledError:
            self.resize(self._threads)  # the function may run on: its thread is not to keep the next jobs waiting
            raise
        return await result if inspect.isawaitable(result) else result


def _call(processor: Callable[..., Any], job: Any, token: str) -> Any:
    """A future cannot carry StopIteration: it would never end."""
    try:
        return processor(job, token)
    except StopIteration as error:
        raise RuntimeError(f"the processor raised StopIteration({error})") from error


def _is_coroutine_function(processor: Any) -> bool:
    return inspect.iscoroutinefunction(processor) or inspect.iscoroutinefunction(type(processor).__call__)
