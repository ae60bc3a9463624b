"""A worker: takes jobs off a queue, runs the processor, and puts each job where it belongs."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import math
import os
import secrets
import socket
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Self, TypeVar

from bullmq_ref import clock
from bullmq_ref.base import Connection, QueueBase
from bullmq_ref.connection import logger
from bullmq_ref.errors import (
    BullMQError,
    ConnectionLost,
    OutcomeUnknown,
    RateLimitError,
    UnrecoverableError,
    WorkerAlreadyRunning,
)
from bullmq_ref.job import Job, Payload, Result
from bullmq_ref.jsjson import number
from bullmq_ref.locks import Locks
from bullmq_ref.options import Limits, WorkerOptions, check_concurrency
from bullmq_ref.scripts import working
from bullmq_ref.scripts.working import Fetched, Terms
from bullmq_ref.slots import Slots

#: Called with the job and the lock's token; what it returns completes the job, what it raises fails it.
Processor = Callable[[Job[Any, Any], str], Awaitable[Any] | Any]

_LONGEST_BLOCK = 10.0  # s that a worker blocks at most when it knows of a delayed job
_LONGEST_LIMIT = 30_000  # ms that a limited worker sleeps at most, so that delayed jobs are promoted
_WATCHDOG = 1.0  # s that a blocking command may come late before its connection is dropped
_AFTER_LOSS = 0.1  # s
_LOOK = 2.0  # s between looks whether Redis is there, when closing
_PARKED = frozenset({"DelayedError", "WaitingError", "WaitingChildrenError"})

_T = TypeVar("_T")


#: Counted from a random start: six random digits alone would meet again within a thousand workers now and then.
_numbers = itertools.count(secrets.randbelow(1 << 24))


def new_label() -> str:
    """`{hostname}-{pid}-{6 hex}`, distinct for 16,777,216 calls in a process."""
    return f"{socket.gethostname()}-{os.getpid()}-{next(_numbers) % (1 << 24):06x}"


class Worker(QueueBase, Generic[Payload, Result]):
    """Works on a queue until closed. Without a processor it is driven by hand: `get_next_job` and the job's methods.

    Options are WorkerOptions' fields as keywords, or `opts` with Node's names. Local events: `active(job, prev)`,
    `completed(job, result, prev)`, `failed(job, error, prev)` (every attempt), `retrying(job, delay, backoff type)`,
    `progress(job, value)`, `stalled(id, prev)`, `drained()`, `paused()`, `resumed()`, `closing()`, `closed()`,
    `error(error)`. A job may run more than once (its worker may die): processors must be idempotent.

    Raises Invalid with Node's texts for bad options, CrossSlot in Cluster when the queue's keys span slots.
    """

    def __init__(
        self,
        queue: str,
        /,
        processor: Processor | None = None,
        opts: WorkerOptions | Mapping[str, Any] | None = None,
        *,
        connection: Connection = None,
        prefix: str | None = None,
        limits: Limits | None = None,
        **keywords: Any,
    ) -> None:
        given = opts if isinstance(opts, Mapping) else {}
        options = WorkerOptions.of(opts, keywords)
        super().__init__(
            queue,
            connection=connection if connection is not None else given.get("connection"),
            prefix=prefix if prefix is not None else given.get("prefix", "bull"),
            limits=limits,
        )
        self.client.check_slot()
        self.options = options
        self.id = str(uuid.uuid4())
        #: For logs: `{hostname}-{pid}-{6 hex}`.
        self.label = new_label()
        self._processor = processor
        self._concurrency = options.concurrency
        metrics = (options.metrics or {}).get("maxDataPoints") or 0
        self.terms = Terms(options.lock_duration, options.name, options.limiter, metrics)
        self.keep = {"completed": options.remove_on_complete, "failed": options.remove_on_fail}
        self.strategy = options.backoff_strategy
        self._blocking = self.client.renamed(self.keys.client_name(f":w:{options.name}" if options.name else ""))
        self._blocking.open()  # Node finds workers by this connection's name
        self._slots: Slots[Job[Any, Any]] = Slots()
        self._locks = Locks(self.wire, options.lock_duration, options.renew_time, self._error)
        self._main: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()  # ends pauses when closing
        self._token = 0
        self._paused = False
        self._drained = False
        self._waiting = False  # a fetch is blocked on the marker
        self._block_until = 0.0
        self._limit_until = 0.0
        self._shortest_block = 0.0  # s; not known yet
        self._sweeping = False
        self.skipped_sweeps = 0
        self._closed: asyncio.Task[None] | None = None
        if processor is not None and options.autorun:
            self.run()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # --- its life ----------------------------------------------------------------------------------------------------

    @property
    def concurrency(self) -> int:
        """How many jobs are worked on at once; may be set at any time."""
        return self._concurrency

    @concurrency.setter
    def concurrency(self, value: int) -> None:
        check_concurrency(value)
        self._concurrency = value

    def run(self) -> None:
        """Start to work. Raises WorkerAlreadyRunning, BullMQError without a processor."""
        if self._processor is None:
            raise BullMQError("No process function is defined.")
        if self.is_running():
            raise WorkerAlreadyRunning
        if self.closing or self._paused:
            return
        self.start_stalled_check()
        if not self.options.skip_lock_renewal and self._renewing is None:
            self._renewing = asyncio.create_task(self._locks.keep(), name=f"locks of {self.label}")
        self._main = asyncio.create_task(self._loop(), name=f"worker {self.label}")

    async def ready(self) -> None:
        """Return when Redis has answered on both connections."""
        await self.client.command("PING")
        if not self._waiting:
            await self._blocking.command("PING")

    def is_running(self) -> bool:
        return self._main is not None and not self._main.done()

    def is_paused(self) -> bool:
        return self._paused

    async def pause(self, *, do_not_wait_active: bool = False) -> None:
        """Take no more jobs, in this worker alone; return when those under way have ended, unless told otherwise."""
        if self._paused:
            return
        self._paused = True
        if not do_not_wait_active:
            await self._finish_jobs()
        await _cancel(self._checking)
        self._checking = None
        self.emit("paused")

    def resume(self) -> None:
        """Go on after `pause`."""
        if self.is_running():
            return
        self._paused = False
        if self._processor is not None:
            self.run()
        self.emit("resumed")

    async def close(self, *, force: bool = False) -> None:
        """Stop: take no more jobs and wait for those under way (`limits.close` ms at most), unless `force`. Jobs left
        behind keep their locks and are found by a stalled sweep. Always returns; a second call waits for the first."""
        if self._closed is None:
            self._closed = asyncio.create_task(self._close(force), name=f"closing {self.label}")
        await asyncio.shield(self._closed)

    async def _close(self, force: bool) -> None:
        self.emit("closing")
        self.closing = True
        self._wake.set()
        if not force:
            limit = self.limits.close
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if limit is None else limit / 1000):
                    await self._finish_jobs()
        await _cancel(self._main)
        await self._slots.cancel()
        for task in (self._renewing, self._checking):
            await _cancel(task)
        await self._blocking.close(now=True)
        await self.client.close(now=force)
        self.emit("closed")

    async def _finish_jobs(self) -> None:
        """Wait for the main loop, and so for its jobs; a blocked fetch is broken off. When closing, a Redis that
        stays away for two looks in a row is waited for no more: the jobs could not be finished."""
        if self._waiting:
            await self._blocking.drop()
        away = False
        while self.is_running() and self._main is not None and not (away and not self.client.connected):
            away = not self.client.connected
            if away:
                self.client.open()
            await asyncio.wait({self._main}, timeout=_LOOK if self.closing else None)

    # --- the main loop -----------------------------------------------------------------------------------------------

    async def _loop(self) -> None:
        """Node's main loop: fetch in sequence until nothing comes, then take up whatever ends first."""
        slots = self._slots
        await self._look_at_server()
        while not (self.closing or self._paused) or slots.total:
            while self._may_fetch(slots):
                fetch = self._begin_fetch(self._next_token())
                if self._waiting and slots.total:
                    slots.start(fetch, "fetch")
                    break  # one waits for jobs while others are worked on
                job = await slots.here(fetch)
                if (job is None and slots.total > 1) or self._block_until:
                    break
            while (job := await slots.take()) is None and slots.queued:
                pass
            if job is not None:
                slots.start(self._process(job, job.token or ""), f"job {job.id}")
            elif not slots.queued:
                await self._wait_for_limit()

    def _may_fetch(self, slots: Slots[Job[Any, Any]]) -> bool:
        free = slots.total < self._concurrency
        return free and not (self.closing or self._paused or self._waiting or self._is_limited())

    def _next_token(self) -> str:
        token = f"{self.id}:{self._token}"
        self._token += 1
        return token

    async def get_next_job(self, token: str, *, block: bool = True) -> Job[Payload, Result] | None:
        """Take a job by hand; None when there is none, at once or, with `block`, after `drain_delay`."""
        if not self._shortest_block:
            await self._look_at_server()
        return await self._fetch(token, self._start_waiting(block))

    def _begin_fetch(self, token: str) -> Any:
        """A fetch that tells connection errors from others and never raises. Whether it blocks is known at once."""
        block = self._start_waiting(True)
        return self._insist(lambda: self._fetch(token, block), only_emit=True)

    def _start_waiting(self, block: bool) -> bool:
        waits = self._drained and block and not self._limit_until and not self._waiting
        self._waiting = self._waiting or waits
        return waits

    async def _fetch(self, token: str, waits: bool) -> Job[Any, Any] | None:
        if self._paused or self.closing:
            self._waiting = self._waiting and not waits
            return None
        if not waits:
            return None if self._is_limited() else await self._move_to_active(token)
        try:
            self._block_until = await self._wait_for_marker(self._block_until)
            if self._block_until <= 0 or self._block_until - clock.now() < 1:
                return await self._move_to_active(token)
        finally:
            self._waiting = False
        return None

    async def _move_to_active(self, token: str) -> Job[Any, Any] | None:
        return self._next(await working.move_to_active(self.wire, token, self.terms), token)

    def _next(self, fetched: Fetched, token: str) -> Job[Any, Any] | None:
        """The job that a script brought along, if any; and what it told of limits and delays."""
        self._note_delays(fetched.limited_for, fetched.delayed_until)
        if fetched.fields is None:
            if not self._drained:
                self._drained = True
                self.emit("drained")
            return None
        self._drained = False
        job: Job[Any, Any] = Job.from_fields(self, fetched.fields, fetched.id)
        job.token = token
        return job

    def _note_delays(self, limited_for: float = 0, delayed_until: float = 0) -> None:
        self._limit_until = clock.now() + limited_for if limited_for > 0 else 0
        self._block_until = max(delayed_until, 0)

    # --- waiting -----------------------------------------------------------------------------------------------------

    async def _wait_for_marker(self, block_until: float) -> float:
        """Block until there may be a job: 0, or the ms when a delayed one is due. Infinity: nothing is known."""
        if self._paused or self.closing or self._is_limited():
            return math.inf
        timeout = self._block_timeout(block_until)
        if timeout <= 0:
            return 0
        self._note_delays()
        try:
            async with asyncio.timeout(timeout + _WATCHDOG):
                reply = await self._blocking.command("BZPOPMIN", self.keys.marker, number(timeout))
        except (ConnectionLost, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                await self._blocking.drop()  # a connection that does not answer is no connection
            if not self.closing:
                await self._sleep(_AFTER_LOSS)
            return math.inf
        except BullMQError as error:
            self._error(error)
            await self._sleep(_AFTER_LOSS)
            return math.inf
        if not reply:
            return 0
        due = int(float(reply[2]))
        return block_until if block_until and due > block_until else due

    def _block_timeout(self, block_until: float) -> float:
        """Seconds."""
        if not block_until:
            return max(self.options.drain_delay, self._shortest_block)
        delay = (block_until - clock.now()) / 1000
        if delay <= 0:
            return delay
        return min(max(delay, self._shortest_block), _LONGEST_BLOCK)

    def _is_limited(self) -> bool:
        return self._limit_until > clock.now()

    async def _wait_for_limit(self) -> None:
        left = self._limit_until - clock.now()
        if left > 0:
            await self._sleep(min(left, _LONGEST_LIMIT) / 1000)

    async def _sleep(self, seconds: float) -> None:
        """Cut short by `close`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _look_at_server(self) -> None:
        """Redis before 7.0.8 takes 1 ms for "for ever"."""
        self._shortest_block = 0.002
        with contextlib.suppress(BullMQError):
            info = str(await self.client.command("INFO", "server"))
            version = next((line.partition(":")[2] for line in info.splitlines() if line.startswith("redis_v")), "0")
            parts = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
            self._shortest_block = 0.001 if parts >= (7, 0, 8) else 0.002

    # --- one job -----------------------------------------------------------------------------------------------------

    async def _process(self, job: Job[Any, Any], token: str) -> Job[Any, Any] | None:
        """One attempt. The result is the next job, when the end of this one brought it along."""
        self.emit("active", job, "waiting")
        refusal = self._refusal(job)
        if refusal is not None:
            return await self._insist(lambda: self._failed(job, token, refusal), only_emit=True)
        self._locks.hold(job.id, token)
        try:
            result = await self._call(job, token)
            return await self._insist(lambda: self._completed(job, token, result))
        except Exception as raised:
            error = raised  # the name would be gone after the block
            return await self._insist(lambda: self._failed(job, token, error), only_emit=True)
        finally:
            self._locks.release(job.id, token)

    async def _call(self, job: Job[Any, Any], token: str) -> Any:
        if self._processor is None:
            raise BullMQError("No process function is defined.")
        try:
            result = self._processor(job, token)
            return await result if inspect.isawaitable(result) else result
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise BullMQError(f"The processor was cancelled from within: {error}") from error

    def _refusal(self, job: Job[Any, Any]) -> UnrecoverableError | None:
        """Why a job must fail without running, if it must."""
        if job.deferred_failure:
            return UnrecoverableError(job.deferred_failure)
        bound = self.options.max_started_attempts
        if bound and bound < job.attempts_started:
            return UnrecoverableError("job started more than allowable limit")
        return None

    async def _completed(self, job: Job[Any, Any], token: str, result: Any) -> Job[Any, Any] | None:
        self._locks.release(job.id, token)
        fetched = await job.move_to_completed(result, token, self._fetches_next())
        self.emit("completed", job, result, "active")
        return self._next(fetched, token)

    async def _failed(self, job: Job[Any, Any], token: str, error: Exception) -> Job[Any, Any] | None:
        self._locks.release(job.id, token)
        if str(error) == RateLimitError.TEXT:
            left = await job.move_to_wait(token)
            self._limit_until = clock.now() + left if left > 0 else 0
            return None
        if type(error).__name__ in _PARKED:
            return None  # the processor has moved it already
        fetched = await job.move_to_failed(error, token, self._fetches_next())
        self.emit("failed", job, error, "active")
        return None if fetched is None else self._next(fetched, token)

    def _fetches_next(self) -> bool:
        return self._slots.total <= self._concurrency and not (self.closing or self._paused)

    async def _insist(self, work: Callable[[], Awaitable[_T]], *, only_emit: bool = False) -> _T | None:
        """Do `work`, again after a lost connection. Any other error is told of and, unless `only_emit`, raised."""
        while True:
            try:
                return await work()
            except ConnectionLost as error:
                if self.closing:
                    return None
                await self._sleep(
                    _AFTER_LOSS if isinstance(error, OutcomeUnknown) else self.options.run_retry_delay / 1000
                )
            except Exception as error:
                if not (self._paused or self.closing):
                    self._error(error)
                if only_emit:
                    return None
                raise

    # --- stalled jobs ------------------------------------------------------------------------------------------------

    def start_stalled_check(self) -> None:
        """Sweep now and every `stalled_interval`. `run` does this; a worker driven by hand may."""
        if not self.options.skip_stalled_check and not self.closing and self._checking is None:
            self._checking = asyncio.create_task(self._check_stalled(), name=f"stalled check of {self.label}")

    async def _check_stalled(self) -> None:
        while not (self.closing or self._paused):
            try:
                await self.sweep()
            except ConnectionLost:
                pass  # said in the log already
            except BullMQError as error:
                self._error(error)
            await asyncio.sleep(self.options.stalled_interval / 1000)

    async def sweep(self) -> list[str]:
        """One stalled sweep: the ids of jobs put back because nobody holds their lock. A sweep that finds another one
        under way in this worker is skipped, and counted in `skipped_sweeps`."""
        if self._sweeping:
            self.skipped_sweeps += 1
            return []
        self._sweeping = True
        try:
            stalled = await working.move_stalled_jobs_to_wait(
                self.wire, max_stalled_count=self.options.max_stalled_count, interval=self.options.stalled_interval
            )
        finally:
            self._sweeping = False
        for job_id in stalled:
            self.emit("stalled", job_id, "active")
        return stalled

    def _error(self, error: Exception) -> None:
        logger.debug("worker %s: %s", self.label, error)
        self.emit("error", error)


async def _cancel(task: asyncio.Task[Any] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
