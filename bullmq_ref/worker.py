"""A worker: takes jobs off a queue, runs the processor, and puts each job where it belongs."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import secrets
import socket
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Self, TypeVar, cast

from bullmq_ref.attempts import Attempts
from bullmq_ref.base import Connection, QueueBase
from bullmq_ref.errors import BullMQError, CommandFailed, ConnectionLost, OutcomeUnknown, WorkerAlreadyRunning
from bullmq_ref.intake import Intake
from bullmq_ref.job import Job, Payload, Result
from bullmq_ref.jsjson import dumps
from bullmq_ref.locks import Locks
from bullmq_ref.log import Logger, tell
from bullmq_ref.monitor import Monitor, watch
from bullmq_ref.options import Limits, WorkerOptions, check_concurrency
from bullmq_ref.processors import Processor, Processors
from bullmq_ref.scripts.working import Terms
from bullmq_ref.slots import Slots
from bullmq_ref.stalled import StalledCheck
from bullmq_ref.tracing import Telemetry, begin, carried, maybe

_AFTER_LOSS = 0.1  # s
_AFTER_REFUSAL = 1.0  # s
_LOOK = 2.0  # s between looks whether Redis is there, when closing

_T = TypeVar("_T")


#: Counted from a random start: six random digits alone would meet again within a thousand workers now and then.
_numbers = itertools.count(secrets.randbelow(1 << 24))


def new_label() -> str:
    """`{hostname}-{pid}-{6 hex}`, distinct for 16,777,216 calls in a process."""
    return f"{socket.gethostname()}-{os.getpid()}-{next(_numbers) % (1 << 24):06x}"


class Worker(QueueBase, Generic[Payload, Result]):
    """Works on a queue until closed. Without a processor it is driven by hand: `get_next_job` and the job's methods.

    A processor is called with the job and the lock's token; what it returns completes the job, what it raises fails it.
    A coroutine function runs on the event loop. Any other function runs in a thread, so that it may block;
    `from_thread` lets it use the job's methods. Text or a `Sandbox` names one that runs in a child process. A
    processor is cancelled by `cancel_job`, `timeout` and `close(force=True)`: a coroutine function gets CancelledError,
    a child is killed, a plain function runs on in its thread, with nobody listening.

    Options are WorkerOptions' fields as keywords, or `opts` with Node's names. Local events: `active(job, prev)`,
    `completed(job, result, prev)`, `failed(job, error, prev)` (every attempt), `retrying(job, delay, backoff type)`,
    `progress(job, value)`, `stalled(id, prev)`, `drained()`, `paused()`, `resumed()`, `closing()`, `closed()`,
    `error(error)`; and of this library's own `lock_renewal_failed(id, error)` (LockLost when the lock is not ours any
    more), `locks_renewed(count)`, `sweep_skipped()`.

    A job may run more than once (its worker may die): processors must be idempotent.

    It owns a handful of named tasks (the main loop, one for each job in hand, the locks' renewal, the stalled check)
    and ends them all in `close`.

    Raises Invalid with Node's texts for bad options, CrossSlot in Cluster when the queue's keys span slots.
    """

    def __init__(
        self,
        queue: str,
        /,
        processor: Processor[Payload, Result] | None = None,
        opts: WorkerOptions | Mapping[str, Any] | None = None,
        *,
        connection: Connection = None,
        prefix: str | None = None,
        limits: Limits | None = None,
        telemetry: Telemetry | None = None,
        monitor: Monitor | None = None,
        logger: Logger | None = None,
        **keywords: Any,
    ) -> None:
        given = opts if isinstance(opts, Mapping) else {}
        options = WorkerOptions.of(opts, keywords)
        #: For logs and metrics: `{hostname}-{pid}-{6 hex}`.
        self.label = new_label()
        super().__init__(
            queue,
            connection=connection if connection is not None else given.get("connection"),
            prefix=prefix if prefix is not None else given.get("prefix", "bull"),
            limits=limits,
            telemetry=telemetry or given.get("telemetry"),
            monitor=monitor,
            logger=logger,
            log_fields={"worker_id": self.label},
        )
        self.client.check_slot()
        self.options = options
        self._processors = None if processor is None else Processors(processor, options.concurrency)
        self._attempts = None if self._processors is None else Attempts(self, self._processors.run)
        self.id = str(uuid.uuid4())
        self._concurrency = options.concurrency
        metrics = (options.metrics or {}).get("maxDataPoints") or 0
        self.terms = Terms(options.lock_duration, options.name, options.limiter, metrics)
        self.keep = {"completed": options.remove_on_complete, "failed": options.remove_on_fail}
        self.strategy = options.backoff_strategy
        self.repeat_strategy = options.repeat_strategy
        self.repeat_key_hash_algorithm = options.repeat_key_hash_algorithm
        self.blocking = self.client.renamed(self.keys.client_name(f":w:{options.name}" if options.name else ""))
        self.blocking.open()  # Node finds workers by this connection's name
        self.locks = Locks(self)
        self.intake = Intake(self)
        self._stalled_check = StalledCheck(self)
        self._slots: Slots[Job[Any, Any]] = Slots()
        self._main: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()  # ends pauses when closing
        self._token = 0
        self._paused = False
        self._closed: asyncio.Task[None] | None = None
        tell(self)
        if monitor is not None:
            watch(self, monitor)
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
        if self._processors is not None:
            self._processors.resize(value)

    def run(self) -> None:
        """Start to work. Raises WorkerAlreadyRunning, BullMQError without a processor."""
        if self._processors is None:
            raise BullMQError("No process function is defined.")
        if self.is_running():
            raise WorkerAlreadyRunning
        if not self.takes_jobs:
            return
        self.start_stalled_check()
        if not self.options.skip_lock_renewal and self._renewing is None:
            self._renewing = asyncio.create_task(self.locks.keep(), name=f"locks of {self.label}")
        self._main = asyncio.create_task(self._loop(), name=f"worker {self.label}")

    async def ready(self) -> None:
        """Return when Redis has answered on both connections."""
        await self.client.command("PING")
        if not self.waiting:
            await self.blocking.command("PING")

    def is_running(self) -> bool:
        return self._main is not None and not self._main.done()

    def is_paused(self) -> bool:
        return self._paused

    @property
    def attributes(self) -> dict[str, Any]:
        """Whose a span is."""
        return {"bullmq.worker.id": self.id, "bullmq.worker.name": self.options.name}

    @property
    def waiting(self) -> bool:
        """Whether it has found the queue empty and waits for a job to come."""
        return self.intake.waiting

    @property
    def takes_jobs(self) -> bool:
        """Whether it is neither paused nor closing."""
        return not (self.closing or self._paused)

    async def pause(self, *, do_not_wait_active: bool = False) -> None:
        """Take no more jobs, in this worker alone; return when those under way have ended, unless told otherwise."""
        told = {**self.attributes, "bullmq.worker.do.not.wait.active": do_not_wait_active}
        with maybe(self.telemetry, self.name, "pause", told):
            if self._paused:
                return
            self._paused = True
            checking, self._checking = self._checking, None  # `resume` begins another, also when this is given up
            await _cancel(checking)
            if not do_not_wait_active:
                await self._finish_jobs()
            self.emit("paused")

    def resume(self) -> None:
        """Go on after `pause`."""
        if self.is_running():
            return
        with maybe(self.telemetry, self.name, "resume", self.attributes):
            self._paused = False
            if self._processors is not None:
                self.run()
            self.emit("resumed")

    async def close(self, *, force: bool = False) -> None:
        """Stop: take no more jobs and wait for those under way (`limits.close` ms at most), unless `force`. Jobs left
        behind keep their locks and are found by a stalled sweep. Always returns; a second call waits for the first,
        and cuts it short with `force`."""
        if force and self._main is not None:
            self._main.cancel()
        if self._closed is None:
            self._closed = asyncio.create_task(self._traced_close(force), name=f"closing {self.label}")
        await asyncio.shield(self._closed)

    async def _traced_close(self, force: bool) -> None:
        told = {**self.attributes, "bullmq.worker.force.close": force}
        with maybe(self.telemetry, self.name, "close", told):
            await self._close(force)

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
        await self._leave_jobs()
        if self._processors is not None:
            await self._processors.close()
        for task in (self._renewing, self._checking):
            await _cancel(task)
        await self.blocking.close(now=True)
        await self.client.close(now=force)
        self.emit("closed")

    async def _finish_jobs(self) -> None:
        """Wait for the main loop, and so for its jobs; a blocked fetch is broken off. When closing, a Redis that
        stays away for two looks in a row is waited for no more: the jobs could not be finished."""
        if self.waiting:
            await self.blocking.drop()
            if not self.closing:
                self.blocking.open()  # a paused worker is still one of those that `get_workers` finds
        main, away = self._main, False  # `resume` may begin another one
        while main is not None and not main.done() and not (away and not self.client.connected):
            away = not self.client.connected
            if away:
                self.client.open()
            await asyncio.wait({main}, timeout=_LOOK if self.closing else None)

    async def _leave_jobs(self) -> None:
        """Cancel what is under way and wait for its end. What a processor still tells Redis is given up when Redis
        stays away."""
        self._slots.cancel()
        away = False
        while tasks := tuple(self._slots.tasks):
            if away and not self.client.connected:
                await self.client.close(now=True)
            away = not self.client.connected
            await asyncio.wait(tasks, timeout=_LOOK)

    # --- the main loop -----------------------------------------------------------------------------------------------

    async def _loop(self) -> None:
        """Node's main loop: fetch in sequence until nothing comes, then take up whatever ends first."""
        slots, intake, attempts = self._slots, self.intake, cast(Attempts, self._attempts)
        await intake.look_at_server()
        while self.takes_jobs or slots.total:
            while self.may_fetch():
                fetch = self._begin_fetch(self._next_token())
                if intake.waiting and slots.total:
                    slots.start(fetch, "fetch")
                    break  # one waits for jobs while others are worked on
                job = await slots.here(fetch)
                if (job is None and slots.total > 1) or intake.block_until:
                    break
            while (job := await slots.take()) is None and slots.queued:
                pass
            if job is not None:
                slots.start(attempts.run(job, job.token or ""), "attempts")
            elif not slots.queued:
                await intake.wait_for_limit()
                if not slots.total:
                    await intake.wait_for_the_other()

    def _next_token(self) -> str:
        token = f"{self.id}:{self._token}"
        self._token += 1
        return token

    def _begin_fetch(self, token: str) -> Any:
        """A fetch that tells connection errors from others and never raises. Whether it blocks is known at once; tried
        again it does not, for it had its marker."""
        waits = itertools.chain([self.intake.begin(True)], itertools.repeat(False))
        return self.insist(lambda: self.intake.fetch(token, next(waits)), only_emit=True, pause=True)

    async def get_next_job(self, token: str, *, block: bool = True) -> Job[Payload, Result] | None:
        """Take a job by hand; None when there is none, at once or, with `block`, after `drain_delay`."""
        await self.intake.look_at_server()
        job = await self.intake.fetch(token, self.intake.begin(block))
        if self.telemetry is not None:
            told = {"bullmq.worker.options": dumps({"block": block}), "bullmq.job.id": None if job is None else job.id}
            source = None if job is None else carried(job.options)
            with begin(self.telemetry, self.name, "getNextJob", source=source, attributes={**self.attributes, **told}):
                pass
        return job

    def cancel_job(self, job_id: str, reason: str = "The job was cancelled") -> bool:
        """Cancel the processor of a job in hand; False when it is in no hand of this worker's. The attempt fails with
        AttemptCancelled and `reason`, unless the processor answers its CancelledError with something else."""
        return self._attempts is not None and self._attempts.cancel(job_id, reason) > 0

    def cancel_all_jobs(self, reason: str = "The job was cancelled") -> int:
        """`cancel_job` for all that are in hand; how many there were."""
        return 0 if self._attempts is None else self._attempts.cancel(None, reason)

    # --- stalled jobs ------------------------------------------------------------------------------------------------

    def start_stalled_check(self) -> None:
        """Sweep now and every `stalled_interval`. `run` does this; a worker driven by hand may."""
        if self.options.skip_stalled_check or self.closing or self._checking is not None:
            return
        with maybe(self.telemetry, self.name, "startStalledCheckTimer", self.attributes):
            self._checking = asyncio.create_task(self._stalled_check.keep(), name=f"stalled check of {self.label}")

    async def sweep(self) -> list[str]:
        """One stalled sweep: the ids of jobs put back because nobody holds their lock. A sweep that finds another one
        under way in this worker is skipped, and counted in `skipped_sweeps`."""
        return await self._stalled_check.sweep()

    @property
    def skipped_sweeps(self) -> int:
        """Sweeps that were due while another one was under way."""
        return self._stalled_check.skipped

    # --- for its parts -----------------------------------------------------------------------------------------------

    @property
    def fetches_next(self) -> bool:
        """Whether the end of a job may bring the next one along."""
        return self._slots.total <= self._concurrency and self.takes_jobs

    def may_fetch(self) -> bool:
        """Whether one more job could be worked on, and nothing waits for it yet."""
        free = self._slots.total < self._concurrency
        return free and self.takes_jobs and not self.intake.waiting and not self.intake.is_limited()

    async def insist(
        self, work: Callable[[], Awaitable[_T]], *, only_emit: bool = False, pause: bool = False
    ) -> _T | None:
        """Do `work`, again after a lost connection (when closing only if it may not have been done), and after what
        Redis refused for the moment, which is told of. Any other error is told of and, unless `only_emit`, raised; with
        `pause` not before a while."""
        while True:
            try:
                return await work()
            except ConnectionLost as error:
                if self.closing and not isinstance(error, OutcomeUnknown):
                    return None
                await self.sleep(
                    _AFTER_LOSS if isinstance(error, OutcomeUnknown) else self.options.run_retry_delay / 1000
                )
            except Exception as error:
                if self.takes_jobs:
                    self.tell_error(error)
                again = isinstance(error, CommandFailed) and error.transient and not self.closing
                if again or pause:
                    await self.sleep(_AFTER_REFUSAL)
                if again:
                    continue
                if only_emit:
                    return None
                raise

    async def sleep(self, seconds: float) -> None:
        """Cut short by `close`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def tell_error(self, error: Exception) -> None:
        """To the log and to those who listen to `error`."""
        self.log.debug("%s", error)
        self.emit("error", error)


async def _cancel(task: asyncio.Task[Any] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
