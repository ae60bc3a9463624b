"""Job schedulers under the names of PyPI's `bullmq`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from bullmq_ref.dropin.job import Job
from bullmq_ref.errors import Invalid
from bullmq_ref.job_scheduler import SchedulerRecord
from bullmq_ref.options import camel

if TYPE_CHECKING:
    from bullmq_ref.dropin.queue import Queue


class JobScheduler:
    """The schedulers of a queue."""

    def __init__(self, queue: Queue, repeat_strategy: Callable[..., Any] | None = None) -> None:
        self.queue = queue
        if repeat_strategy is not None:
            self.queue.inner.repeat_strategy = repeat_strategy

    async def upsertJobScheduler(
        self,
        job_scheduler_id: str,
        repeat_opts: Mapping[str, Any],
        job_name: str,
        job_data: Any = None,
        opts: Mapping[str, Any] | None = None,
        override: bool = True,
        producer_id: str | None = None,
    ) -> Job | None:
        """Create or replace a scheduler, and its next job. Raises Invalid when asked for a worker's own step
        (`override` false, `producer_id`): workers of this library do it themselves."""
        if not override or producer_id is not None:
            raise Invalid("workers add a scheduler's next job themselves: leave out override and producer_id")
        template = {"name": job_name, "data": job_data, "opts": opts or {}}
        job = await self.queue.inner.upsert_job_scheduler(job_scheduler_id, repeat_opts, template)
        return None if job is None else Job.of(self.queue, job)

    async def removeJobScheduler(self, job_scheduler_id: str) -> int:
        """0 when removed, 1 when there was none."""
        return 0 if await self.queue.inner.remove_job_scheduler(job_scheduler_id) else 1

    async def isJobScheduler(self, job_scheduler_id: str) -> bool:
        return await self.queue.inner.get_job_scheduler(job_scheduler_id) is not None

    async def getScheduler(self, job_scheduler_id: str) -> dict[str, Any] | None:
        """What is known of a scheduler, with Node's names."""
        record = await self.queue.inner.get_job_scheduler(job_scheduler_id)
        return None if record is None else _told(record)

    async def getJobSchedulers(self, start: int = 0, end: int = -1, asc: bool = False) -> list[dict[str, Any]]:
        """Schedulers by their next jobs, the latest first unless `asc`."""
        return [_told(record) for record in await self.queue.inner.get_job_schedulers(start, end, ascending=asc)]

    async def getSchedulersCount(self) -> int:
        return await self.queue.inner.get_job_schedulers_count()


def _told(record: SchedulerRecord) -> dict[str, Any]:
    told = {camel(field.name): getattr(record, field.name) for field in fields(record) if field.name != "template"}
    kept = {name: value for name, value in told.items() if value is not None or name in ("key", "name", "next")}
    if record.template is not None:
        template = {"data": record.template.data, "opts": record.template.opts}
        kept["template"] = {name: value for name, value in template.items() if value is not None}
    return kept
