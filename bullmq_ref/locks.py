"""Lock renewal: the jobs that a worker holds, and when each lock was last made to last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bullmq_ref import clock
from bullmq_ref.errors import BullMQError, LockLost
from bullmq_ref.scripts.working import extend_locks
from bullmq_ref.wire import Wire


class Locks:
    """The locks of one worker, renewed together. Times in ms: `duration` of a lock; a lock is renewed when its last
    renewal is more than half of `renew_time` ago, looked at every half of `renew_time`, as in Node.

    Each lock that could not be renewed is told of through `failed(job id, error)`: LockLost when it is not ours any
    more, else what kept Redis from answering. The jobs go on.
    """

    def __init__(
        self, wire: Wire, duration: int, renew_time: float, failed: Callable[[str, BullMQError], None]
    ) -> None:
        self._wire = wire
        self._duration = duration
        self._half = renew_time / 2
        self._failed = failed
        self._held: dict[tuple[str, str], int] = {}
        self.renewed = 0  # renewals that succeeded, and those that did not
        self.lost = 0

    def hold(self, job: str, token: str) -> None:
        """Renew this lock from now on."""
        self._held[job, token] = clock.now()

    def release(self, job: str, token: str) -> None:
        """Renew it no more."""
        self._held.pop((job, token), None)

    async def keep(self) -> None:
        """Renew until cancelled."""
        while True:
            await asyncio.sleep(self._half / 1000)
            now = clock.now()
            due = [held for held, since in self._held.items() if since + self._half < now]
            if not due:
                continue
            self._held.update(dict.fromkeys(due, now))
            jobs, tokens = zip(*due, strict=True)
            try:
                lost = await extend_locks(self._wire, jobs, tokens, self._duration)
            except BullMQError as error:  # tried again in half of renew_time
                self.lost += len(due)
                for job in jobs:
                    self._failed(job, error)
                continue
            self.lost += len(lost)
            self.renewed += len(due) - len(lost)
            for job in lost:
                self._failed(job, LockLost(job))
