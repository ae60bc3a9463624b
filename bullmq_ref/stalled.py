"""The stalled check: looks again and again for jobs whose lock has expired, and puts them back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bullmq_ref.errors import BullMQError, ConnectionLost
from bullmq_ref.scripts import working
from bullmq_ref.tracing import Span, maybe

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
            self._worker.emit("sweep_skipped")
            return []
        self._sweeping = True
        try:
            with maybe(self._worker.telemetry, self._worker.name, "moveStalledJobsToWait", {}) as span:
                return await self._sweep(span)
        finally:
            self._sweeping = False

    async def _sweep(self, span: Span | None) -> list[str]:
        worker, options = self._worker, self._worker.options
        stalled = await working.move_stalled_jobs_to_wait(
            worker.wire, max_stalled_count=options.max_stalled_count, interval=options.stalled_interval
        )
        if span is not None:
            span.set({**worker.attributes, "bullmq.worker.stalled.jobs": stalled})
            for job_id in stalled:
                span.event("job stalled", {"bullmq.job.id": job_id})
        for job_id in stalled:
            worker.emit("stalled", job_id, "active")
        return stalled
