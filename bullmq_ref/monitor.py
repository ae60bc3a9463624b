"""A monitor: what is counted and measured of workers and queues."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from bullmq_ref import clock

if TYPE_CHECKING:
    from bullmq_ref.connection import Turn
    from bullmq_ref.queue import Queue
    from bullmq_ref.worker import Worker

#: How an attempt ended: `retried` failed, and will be tried again.
Status = Literal["completed", "failed", "retried"]


class Monitor:
    """Told of what happens; every method does nothing. Give one of a subclass to workers and queues as `monitor`.

    Without one nothing is called and nothing is measured. Methods are called on the event loop and must not block; one
    monitor may serve many workers.
    """

    def worker_started(self, queue: str, worker_id: str) -> None:
        """A worker was made."""

    def worker_stopped(self, queue: str, worker_id: str) -> None:
        """It has closed."""

    def attempt_ended(self, queue: str, status: Status, seconds: float) -> None:
        """A job was worked on for `seconds`, from when it was taken to when its end was written."""

    def job_stalled(self, queue: str) -> None:
        """A sweep put a job back."""

    def sweep_skipped(self, queue: str) -> None:
        """A sweep was due while another one was under way."""

    def locks_renewed(self, queue: str, count: int) -> None:
        """Locks were made to last."""

    def lock_renewal_failed(self, queue: str) -> None:
        """A lock could not be renewed."""

    def connection_turned(self, connection: int, turn: Turn) -> None:
        """The connection with this number came or went; numbers are one process's."""

    def queue_length(self, queue: str, state: str, jobs: int) -> None:
        """How many jobs there are in a state."""


def watch(worker: Worker[Any, Any], monitor: Monitor) -> None:
    """Tell `monitor` of `worker`."""
    queue = worker.name

    def ended(job: Any, status: Status) -> None:
        end = job.finished_on or clock.now()
        monitor.attempt_ended(queue, status, max(end - (job.processed_on or end), 0) / 1000)

    worker.on("completed", lambda job, *_: ended(job, "completed"))
    worker.on("failed", lambda job, *_: ended(job, "failed" if job.finished_on else "retried"))
    worker.on("stalled", lambda *_: monitor.job_stalled(queue))
    worker.on("sweep_skipped", lambda: monitor.sweep_skipped(queue))
    worker.on("locks_renewed", lambda count: monitor.locks_renewed(queue, count))
    worker.on("lock_renewal_failed", lambda *_: monitor.lock_renewal_failed(queue))
    worker.on("closed", lambda: monitor.worker_stopped(queue, worker.label))
    monitor.worker_started(queue, worker.label)


async def watch_lengths(queue: Queue[Any, Any], monitor: Monitor, *, interval: float = 15.0) -> None:
    """Tell `monitor` how many jobs `queue` has in each state, now and every `interval` s, until cancelled.

    Raises what asking Redis raises.
    """
    while True:
        for state, jobs in (await queue.get_job_counts()).items():
            monitor.queue_length(queue.name, state, jobs)
        await asyncio.sleep(interval)
