"""The stalled check: looks again and again for jobs whose lock has expired, and puts them back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bullmq_ref.errors import BullMQError, ConnectionLost
from bullmq_ref.scripts import working

if TYPE_CHECKING:
    from bullmq_ref.worker import Worker


class StalledCheck:
    """Sweeps for `worker`. `skipped` counts the sweeps that found another one under way."""

    def __init__(self, worker: Worker[Any, Any]) -> None:
        self._worker = worker
        self._sweeping = False
        self.skipped = 0

    async def keep(self) -> None:
        """Sweep now and every `stalled_interval`, while the worker takes jobs."""
        worker = self._worker
        while worker.takes_jobs:
            try:
                await self.sweep()
            except ConnectionLost:
                pass  # said in the log already
            except BullMQError as error:
                worker.tell_error(error)
            await asyncio.sleep(worker.options.stalled_interval / 1000)

    async def sweep(self) -> list[str]:
        """One sweep: the ids of jobs put back. At most one at a time; another one is skipped and counted."""
        if self._sweeping:
            self.skipped += 1
            return []
        self._sweeping = True
        worker = self._worker
        try:
            stalled = await working.move_stalled_jobs_to_wait(
                worker.wire,
                max_stalled_count=worker.options.max_stalled_count,
                interval=worker.options.stalled_interval,
            )
        finally:
            self._sweeping = False
        for job_id in stalled:
            worker.emit("stalled", job_id, "active")
        return stalled
