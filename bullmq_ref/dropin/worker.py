"""A worker under the names of PyPI's `bullmq`."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any

from bullmq_ref.dropin.abort import AbortController
from bullmq_ref.dropin.job import Job
from bullmq_ref.dropin.shapes import LIMITS, Emitter, connection
from bullmq_ref.job import Job as Inner
from bullmq_ref.job_attempt import kept
from bullmq_ref.worker import Worker as InnerWorker

#: A coroutine function of (job, token), or of (job, token, signal).
Processor = Callable[..., Awaitable[Any]]


class Worker(Emitter):
    """A worker; it starts at once unless `autorun` is false. `opts` have Node's names, times are ms (`drainDelay`: s).

    Events: `active(job, prev)`, `completed(job, result)`, `failed(job, error)`, `progress(job, value)`, `stalled(id)`,
    `drained()`, `error(error)`, `paused()`, `resumed()`, `closed()`.
    """

    def __init__(self, name: str, processor: Processor | None, opts: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.name = name
        self.processor = processor
        self.opts = dict(opts or {})
        self.prefix: str = self.opts.get("prefix", "bull")
        self.closed = False
        self._takes_signal = processor is not None and _positional(processor) >= 3
        self._controllers: dict[str, AbortController] = {}
        self._ended = asyncio.Event()
        if processor is not None and self.opts.get("autorun", True):
            self.inner.run()

    @cached_property
    def inner(self) -> InnerWorker[Any, Any]:
        """The worker of this library that does the work."""
        given: dict[str, Any] = {
            **self.opts,
            "autorun": False,
            "connection": connection(self.opts.get("connection")),
            **{name: kept(self.opts[name], None) for name in ("removeOnComplete", "removeOnFail") if name in self.opts},
        }
        strategy = (self.opts.get("settings") or {}).get("backoffStrategy")
        if strategy is not None:
            given["settings"] = {"backoffStrategy": lambda *asked: strategy(*asked[:3], self._job(asked[3]))}
        worker: InnerWorker[Any, Any] = InnerWorker(
            self.name, None if self.processor is None else self._process, given, limits=LIMITS
        )
        worker.on("active", lambda job, previous: self.emit("active", self._job(job), previous))
        worker.on("completed", lambda job, result, previous: self.emit("completed", self._job(job), result))
        worker.on("failed", lambda job, error, previous: self.emit("failed", self._job(job), error))
        worker.on("progress", lambda job, value: self.emit("progress", self._job(job), value))
        worker.on("stalled", lambda job_id, previous: self.emit("stalled", job_id))
        worker.on("error", lambda error: self.emit("error", error))
        for event in ("drained", "paused", "resumed"):
            worker.on(event, lambda event=event: self.emit(event))
        worker.on("closed", self._close)
        return worker

    @property
    def id(self) -> str:
        """The worker's part of its lock tokens."""
        return self.inner.id

    @property
    def running(self) -> bool:
        """Whether it works."""
        return self.inner.is_running()

    @property
    def paused(self) -> bool:
        return self.inner.is_paused()

    @property
    def closing(self) -> bool:
        return self.inner.closing

    async def run(self) -> None:
        """Work until closed. Raises WorkerAlreadyRunning."""
        self.inner.run()
        await self._ended.wait()

    async def pause(self, do_not_wait_active: bool = False) -> None:
        """Take no more jobs; return when those under way have ended, unless told otherwise."""
        await self.inner.pause(do_not_wait_active=do_not_wait_active)

    def resume(self) -> None:
        """Go on after `pause`."""
        self.inner.resume()

    async def close(self, force: bool = False) -> None:
        """Take no more jobs and wait for those under way, unless `force`."""
        if force:
            self.cancelAllJobs("worker force-closed")
        await self.inner.close(force=force)

    async def getNextJob(self, token: str) -> Job | None:
        """Take a job by hand."""
        job = await self.inner.get_next_job(token)
        return None if job is None else self._job(job)

    async def extendLocks(self) -> None:
        """Nothing to do: locks are renewed by themselves."""

    def cancelJob(self, job_id: str, reason: str | None = None) -> bool:
        """Set the signal of a job in hand; False when there is none, or its processor takes no signal."""
        controller = self._controllers.get(job_id)
        if controller is not None:
            controller.abort(reason)
        return controller is not None

    def cancelAllJobs(self, reason: str | None = None) -> None:
        """`cancelJob` for all that are in hand."""
        for controller in self._controllers.values():
            controller.abort(reason)

    async def _process(self, inner: Inner[Any, Any], token: str) -> Any:
        assert self.processor is not None  # _process is only given where there is one
        job = self._job(inner)
        if not self._takes_signal:
            return await self.processor(job, token)
        controller = self._controllers[inner.id] = AbortController()
        try:
            return await self.processor(job, token, controller.signal)
        finally:
            del self._controllers[inner.id]

    def _job(self, inner: Inner[Any, Any]) -> Job:
        return Job.of(self, inner)

    def _close(self) -> None:
        self.closed = True
        self._ended.set()
        self.emit("closed")


def _positional(processor: Processor) -> float:
    """How many arguments it can be called with."""
    try:
        parameters = inspect.signature(processor).parameters.values()
    except (TypeError, ValueError):
        return 2
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return float("inf")
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in by_place for parameter in parameters)
