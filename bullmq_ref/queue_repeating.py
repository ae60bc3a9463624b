"""What a queue repeats: its job schedulers, and the repeatable jobs that they have replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bullmq_ref.base import QueueBase
from bullmq_ref.job import Job
from bullmq_ref.job_scheduler import JobScheduler, SchedulerRecord, SchedulerTemplate
from bullmq_ref.options import RepeatOptions, repeat_options
from bullmq_ref.repeat import Repeat, RepeatableJob
from bullmq_ref.repetition import check_end


class Repeating(QueueBase):
    """The part of a queue's methods that is about jobs that come again."""

    @property
    def default_job_options(self) -> dict[str, Any]:
        """What lies under the options of every job, with Node's names."""
        return {}

    @property
    def job_scheduler(self) -> JobScheduler:
        """The queue's schedulers, on its connection."""
        return JobScheduler(self)

    async def upsert_job_scheduler(
        self,
        scheduler_id: str,
        repeat: RepeatOptions | Mapping[str, Any],
        template: SchedulerTemplate | Mapping[str, Any] | None = None,
    ) -> Job[Any, Any] | None:
        """Create or replace a scheduler, and its next job. `template`: `{name, data, opts}` of its jobs; options of the
        queue lie under them. None when `limit` is below 1.

        Raises Invalid, SchedulerJobIdCollision, SchedulerJobSlotsBusy; see JobScheduler.upsert.
        """
        repeat = repeat_options(repeat)
        check_end(repeat)
        if isinstance(template, SchedulerTemplate):
            template = {"name": template.name, "data": template.data, "opts": template.opts}
        wanted = template or {}
        name, data = wanted.get("name"), wanted.get("data")
        return await self.job_scheduler.upsert(
            scheduler_id,
            repeat,
            scheduler_id if name is None else name,
            {} if data is None else data,
            {**self.default_job_options, **(wanted.get("opts") or {})},
        )

    async def remove_job_scheduler(self, scheduler_id: str) -> bool:
        """Remove a scheduler, and its job if that is delayed; whether there was one."""
        return await self.job_scheduler.remove(scheduler_id)

    async def get_job_scheduler(self, scheduler_id: str) -> SchedulerRecord | None:
        return await self.job_scheduler.get(scheduler_id)

    async def get_job_schedulers(
        self, start: int = 0, end: int = -1, *, ascending: bool = False
    ) -> list[SchedulerRecord]:
        """Schedulers by their slots, the latest first unless `ascending`; repeatable jobs are among them."""
        return await self.job_scheduler.get_all(start, end, ascending=ascending)

    async def get_job_schedulers_count(self) -> int:
        return await self.job_scheduler.count()

    # --- deprecated in Node ------------------------------------------------------------------------------------------

    async def add_repeatable(self, name: str, data: Any, options: Mapping[str, Any]) -> Any:
        """What `add` does with `repeat`: the first job, or None when the limit is reached already. Raises Invalid."""
        return await Repeat(self).add(name, data, {**options, "repeat": repeat_options(options["repeat"])})

    async def get_repeatable_jobs(
        self, start: int = 0, end: int = -1, *, ascending: bool = False
    ) -> list[RepeatableJob]:
        """Repeatable jobs by their slots, the latest first unless `ascending`; schedulers are among them."""
        return await Repeat(self).get_all(start, end, ascending=ascending)

    async def remove_repeatable(
        self, name: str, repeat: RepeatOptions | Mapping[str, Any], job_id: str | None = None
    ) -> bool:
        """Remove the repeatable job that was added with exactly these options; whether there was one."""
        return await Repeat(self).remove(name, repeat_options(repeat), job_id)

    async def remove_repeatable_by_key(self, key: str) -> bool:
        """Remove a repeatable job by the key that `get_repeatable_jobs` tells; whether there was one."""
        return await Repeat(self).remove_by_key(key)
