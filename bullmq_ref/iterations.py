"""What a worker does first with a job that comes again: it adds the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bullmq_ref import clock
from bullmq_ref.errors import BullMQError, ConnectionLost
from bullmq_ref.job_scheduler import JobScheduler
from bullmq_ref.repeat import Repeat

if TYPE_CHECKING:
    from bullmq_ref.job import Job
    from bullmq_ref.worker import Worker

_TRIES = 3
_PAUSE = 2.5  # s between tries while the connection is lost
_SHORTEST, _LONGEST = 1_000, 300_000  # ms that a job is put off whose next one could not be added
_LEGACY = 4  # colons: keys with as many, and more, are those of repeatable jobs that old versions made


def comes_again(job: Job[Any, Any]) -> bool:
    """Whether another one comes after `job`."""
    return bool(job.repeat_job_key or job.options.get("repeat"))


async def follow(worker: Worker[Any, Any], job: Job[Any, Any]) -> bool:
    """Add the job that comes after `job`. Whether `job` may be run now.

    When that fails the error is told, and `job` is put off, so that its schedule does not end with it.
    """
    try:
        await _insist(worker, job)
    except Exception as error:
        worker.tell_error(BullMQError(f"Failed to add repeatable job for next iteration: {error}"))
        await _put_off(worker, job)
        return False
    return True


async def _insist(worker: Worker[Any, Any], job: Job[Any, Any]) -> None:
    for left in reversed(range(_TRIES)):
        try:
            await _add_next(worker, job)
            return
        except ConnectionLost:
            if not worker.closing:
                await worker.sleep(_PAUSE)
            if not left:
                raise
        except Exception as error:
            if worker.takes_jobs:
                worker.tell_error(error)
            raise


async def _add_next(worker: Worker[Any, Any], job: Job[Any, Any]) -> None:
    """Node follows repeatable jobs as it follows a scheduler's, unless their keys are old."""
    if job.repeat_job_key and job.repeat_job_key.count(":") < _LEGACY:
        await JobScheduler(worker).iterate(job)
    elif job.options.get("repeat"):
        await Repeat(worker).iterate(job)


async def _put_off(worker: Worker[Any, Any], job: Job[Any, Any]) -> None:
    delay = min(_SHORTEST * 2.0**job.attempts_started, _LONGEST)
    try:
        await job.move_to_delayed(clock.now() + int(delay), job.token)
    except BullMQError as error:
        worker.tell_error(
            BullMQError(
                f"Failed to move job {job.id} to delayed after scheduling error: {error}. "
                "Job will become stalled and be retried automatically."
            )
        )
