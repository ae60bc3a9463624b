"""Lock renewal: the jobs that a worker holds, and when each lock was last made to last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bullmq_ref.errors import BullMQError, ConnectionLost, LockLost
from bullmq_ref.scripts.working import extend_locks
from bullmq_ref.tracing import maybe

if TYPE_CHECKING:
    from bullmq_ref.worker import Worker


class Locks:
    """The locks of `worker`, renewed together: each when its last renewal is more than half of `lock_renew_time` ago,
    looked at every half of `lock_renew_time`, as in Node.

    A lock that could not be renewed is told of as `lock_renewal_failed`, and as an `error` unless Redis was away. The
    job goes on, unless its worker cancels those that have lost their lock.
    """

    def __init__(self, worker: Worker[Any, Any]) -> None:
        self._worker = worker
        self._half = worker.options.renew_time / 2  # ms
        self._held: dict[tuple[str, str], float] = {}  # ms of a clock that nobody sets: one set back stops no renewal
        self.renewed = 0  # renewals that succeeded, and those that did not
        self.lost = 0

    def hold(self, job: str, token: str) -> None:
        """Renew this lock from now on."""
        self._held[job, token] = time.monotonic() * 1000

    def release(self, job: str, token: str) -> None:
        """Renew it no more."""
        self._held.pop((job, token), None)

    async def keep(self) -> None:
        """Renew until cancelled."""
        while True:
            await asyncio.sleep(self._half / 1000)
            now = time.monotonic() * 1000
            due = [held for held, since in self._held.items() if since + self._half < now]
            if due:
                self._held.update(dict.fromkeys(due, now))
                await self._renew(due)

    async def _renew(self, due: list[tuple[str, str]]) -> None:
        worker = self._worker
        jobs, tokens = zip(*due, strict=True)
        told = {**worker.attributes, "bullmq.worker.jobs.to.extend.locks": jobs}
        try:
            with maybe(worker.telemetry, worker.name, "extendLocks", told):
                lost = set(await extend_locks(worker.wire, jobs, tokens, worker.options.lock_duration))
        except BullMQError as error:  # tried again in half of renew_time
            if not isinstance(error, ConnectionLost):  # of that the connection tells
                worker.tell_error(error)
            self._failed(jobs, error)
            return
        self.renewed += len(due) - len(lost)
        worker.emit("locks_renewed", len(due) - len(lost))
        still_held = [job for job, token in due if job in lost and (job, token) in self._held]
        for job in still_held:  # the others have ended in the meantime
            loss = LockLost(job)
            worker.tell_error(loss)
            self._failed([job], loss)
            if worker.options.cancel_on_lock_loss:
                worker.cancel_job(job, str(loss))

    def _failed(self, jobs: Sequence[str], error: BullMQError) -> None:
        self.lost += len(jobs)
        for job in jobs:
            self._worker.emit("lock_renewal_failed", job, error)
