"""An attempt: one run of the processor on one job, and where the job goes at its end."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from bullmq_ref import clock
from bullmq_ref.apart import Apart
from bullmq_ref.errors import AttemptCancelled, AttemptTimedOut, BullMQError, RateLimitError, UnrecoverableError
from bullmq_ref.job import Job
from bullmq_ref.jsjson import Undefined, dumps
from bullmq_ref.tracing import Kind, Span, Telemetry, begin, carried

if TYPE_CHECKING:
    from bullmq_ref.processors import Run
    from bullmq_ref.worker import Worker

_PARKED = frozenset({"DelayedError", "WaitingError", "WaitingChildrenError"})


@dataclass(slots=True)
class _Call:
    """A processor under way; `reason` is why it was cancelled, if it was."""

    job: str
    task: asyncio.Task[Any]
    reason: str | None = None


class Attempts:
    """Runs attempts for `worker`: `run` is its processor."""

    def __init__(self, worker: Worker[Any, Any], run: Run) -> None:
        self._worker = worker
        self._run = run
        self._timeout = worker.options.timeout
        self._under_way: dict[str, _Call] = {}  # by token

    def cancel(self, job_id: str | None, reason: str) -> int:
        """Cancel the processors of this job, or of all; how many there were."""
        calls = [call for call in self._under_way.values() if job_id in (None, call.job) and call.reason is None]
        for call in calls:
            call.reason = reason
            call.task.cancel(reason)
        return len(calls)

    async def run(self, job: Job[Any, Any], token: str) -> Job[Any, Any] | None:
        """One attempt after another, while the end of each brings the next job along and the worker's main loop would
        do nothing but start it. The result is a next job that the main loop is to look at."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        untraced = self._worker.telemetry is None
        while True:
            work = self._attempt(job, token, task, None) if untraced else self._traced(job, token, task)
            following = await Apart(work)
            # a task that somebody has cancelled is not used again: its next job would hear of it
            if following is None or self._worker.may_fetch() or task.cancelling():
                return following
            job = following

    async def _traced(self, job: Job[Any, Any], token: str, task: asyncio.Task[Any]) -> Job[Any, Any] | None:
        worker = self._worker
        told = {
            **worker.attributes,
            "bullmq.job.id": job.id,
            "bullmq.job.name": job.name,
            "bullmq.job.attempts.made": job.attempts_made,
            "bullmq.job.processed.timestamp": clock.now(),
        }
        carrier = carried(job.options)
        telemetry = cast(Telemetry, worker.telemetry)
        with begin(telemetry, worker.name, "process", Kind.CONSUMER, source=carrier, attributes=told) as span:
            try:
                return await self._attempt(job, token, task, span)
            finally:
                span.set({"bullmq.job.finished.timestamp": clock.now()})

    async def _attempt(
        self, job: Job[Any, Any], token: str, task: asyncio.Task[Any], span: Span | None
    ) -> Job[Any, Any] | None:
        """One attempt, in `task`. The result is the next job, when the end of this one brought it along."""
        worker = self._worker
        worker.emit("active", job, "waiting")
        refusal = self._refusal(job)
        if refusal is not None:
            return await worker.insist(lambda: self._failed(job, token, refusal, span), only_emit=True)
        try:
            result = await self._call(job, token, task)
            return await worker.insist(lambda: self._completed(job, token, result, span))
        except Exception as raised:
            error = raised  # the name would be gone after the block
            return await worker.insist(lambda: self._failed(job, token, error, span), only_emit=True)

    async def _call(self, job: Job[Any, Any], token: str, task: asyncio.Task[Any]) -> Any:
        """Run the processor, within the time that it has, until it ends or is cancelled. A processor that is cancelled
        and returns nevertheless has done its job."""
        locks = self._worker.locks
        call = self._under_way[token] = _Call(job.id, task)
        locks.hold(job.id, token)
        try:
            return await (self._run(job, token) if self._timeout is None else self._in_time(job, token))
        except asyncio.CancelledError as error:
            if task.cancelling() > (call.reason is not None):
                raise  # the worker closes
            if call.reason is None:
                raise BullMQError(f"The processor was cancelled from within: {error}") from error
            raise AttemptCancelled(call.reason) from error
        finally:
            locks.release(job.id, token)
            del self._under_way[token]
            if call.reason is not None:
                await _settle(task)

    async def _in_time(self, job: Job[Any, Any], token: str) -> Any:
        try:
            async with asyncio.timeout(cast(float, self._timeout) / 1000) as limit:
                return await self._run(job, token)
        except TimeoutError as error:
            if not limit.expired():
                raise
            text = (
                f"The attempt took longer than the worker's timeout, {self._timeout:g} ms: its processor was cancelled"
            )
            raise AttemptTimedOut(text) from error

    def _refusal(self, job: Job[Any, Any]) -> UnrecoverableError | None:
        """Why a job must fail without running, if it must."""
        if job.deferred_failure:
            return UnrecoverableError(job.deferred_failure)
        bound = self._worker.options.max_started_attempts
        if bound and bound < job.attempts_started:
            return UnrecoverableError("job started more than allowable limit")
        return None

    async def _completed(self, job: Job[Any, Any], token: str, result: Any, span: Span | None) -> Job[Any, Any] | None:
        worker = self._worker
        fetched = await job.move_to_completed(result, token, worker.fetches_next)
        worker.emit("completed", job, result, "active")
        if span is not None:
            text = None if isinstance(result, Undefined) else dumps(result)
            span.event("job completed", {"bullmq.job.result": text})
        return await worker.intake.take(fetched, token)

    async def _failed(
        self, job: Job[Any, Any], token: str, error: Exception, span: Span | None
    ) -> Job[Any, Any] | None:
        worker = self._worker
        if str(error) == RateLimitError.TEXT:
            worker.intake.limit(await job.move_to_wait(token))
            return None
        if type(error).__name__ in _PARKED:
            return None  # the processor has moved it already
        fetched = await job.move_to_failed(error, token, worker.fetches_next)
        worker.emit("failed", job, error, "active")
        if span is not None:
            span.event("job failed", {"bullmq.job.failed.reason": str(error)})
        return None if fetched is None else await worker.intake.take(fetched, token)


async def _settle(task: asyncio.Task[Any]) -> None:
    """End the cancellation of a processor: one that came too late for it is delivered here, and to nobody else."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    if task.uncancel():
        raise asyncio.CancelledError  # the worker closes
