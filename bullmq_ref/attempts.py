"""An attempt: one run of the processor on one job, and where the job goes at its end."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from bullmq_ref.errors import BullMQError, RateLimitError, UnrecoverableError
from bullmq_ref.job import Job

if TYPE_CHECKING:
    from bullmq_ref.worker import Worker

_PARKED = frozenset({"DelayedError", "WaitingError", "WaitingChildrenError"})


class Attempts:
    """Runs attempts for `worker`."""

    def __init__(self, worker: Worker[Any, Any]) -> None:
        self._worker = worker

    async def run(self, job: Job[Any, Any], token: str) -> Job[Any, Any] | None:
        """One attempt. The result is the next job, when the end of this one brought it along."""
        worker = self._worker
        worker.emit("active", job, "waiting")
        refusal = self._refusal(job)
        if refusal is not None:
            return await worker.insist(lambda: self._failed(job, token, refusal), only_emit=True)
        worker.locks.hold(job.id, token)
        try:
            result = await self._call(job, token)
            return await worker.insist(lambda: self._completed(job, token, result))
        except Exception as raised:
            error = raised  # the name would be gone after the block
            return await worker.insist(lambda: self._failed(job, token, error), only_emit=True)
        finally:
            worker.locks.release(job.id, token)

    async def _call(self, job: Job[Any, Any], token: str) -> Any:
        processor = self._worker.processor
        if processor is None:
            raise BullMQError("No process function is defined.")
        try:
            result = processor(job, token)
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
        bound = self._worker.options.max_started_attempts
        if bound and bound < job.attempts_started:
            return UnrecoverableError("job started more than allowable limit")
        return None

    async def _completed(self, job: Job[Any, Any], token: str, result: Any) -> Job[Any, Any] | None:
        worker = self._worker
        worker.locks.release(job.id, token)
        fetched = await job.move_to_completed(result, token, worker.fetches_next)
        worker.emit("completed", job, result, "active")
        return await worker.intake.take(fetched, token)

    async def _failed(self, job: Job[Any, Any], token: str, error: Exception) -> Job[Any, Any] | None:
        worker = self._worker
        worker.locks.release(job.id, token)
        if str(error) == RateLimitError.TEXT:
            worker.intake.limit(await job.move_to_wait(token))
            return None
        if type(error).__name__ in _PARKED:
            return None  # the processor has moved it already
        fetched = await job.move_to_failed(error, token, worker.fetches_next)
        worker.emit("failed", job, error, "active")
        return None if fetched is None else await worker.intake.take(fetched, token)
