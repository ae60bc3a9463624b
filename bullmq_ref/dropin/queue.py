"""A queue under the names of PyPI's `bullmq`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from bullmq_ref.dropin.job import Job
from bullmq_ref.dropin.scheduler import JobScheduler
from bullmq_ref.dropin.shapes import LIMITS, Emitter, connection
from bullmq_ref.getters import STATES
from bullmq_ref.job import Job as Inner
from bullmq_ref.jsjson import UNDEFINED
from bullmq_ref.queue import Queue as InnerQueue


class Queue(Emitter):
    """A queue. `opts`: `connection` (a URL, redis-py's arguments or client), `prefix`, `defaultJobOptions`.

    It may be made outside of a running event loop: it connects when it is first used. States are as in Node.
    """

    def __init__(self, name: str, opts: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.name = name
        self.opts = dict(opts or {})
        self.prefix: str = self.opts.get("prefix", "bull")
        self.jobsOpts: dict[str, Any] = dict(self.opts.get("defaultJobOptions") or {})

    @cached_property
    def inner(self) -> InnerQueue[Any, Any]:
        """The queue of this library that does the work."""
        options = {**self.opts, "connection": connection(self.opts.get("connection"))}
        return InnerQueue(self.name, options, limits=LIMITS)

    @property
    def qualifiedName(self) -> str:
        """`<prefix>:<queue>`."""
        return f"{self.prefix}:{self.name}"

    def toKey(self, type: str) -> str:
        """The key of a part of the queue."""
        return f"{self.qualifiedName}:{type}"

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if "inner" in self.__dict__:
            await self.inner.close()

    # --- adding ------------------------------------------------------------------------------------------------------

    async def add(self, name: str, data: Any = UNDEFINED, opts: Mapping[str, Any] | None = None) -> Job:
        """Add a job."""
        return self._job(await self.inner.add(name, data, opts))

    async def addBulk(self, jobs: Iterable[Mapping[str, Any]]) -> list[Job]:
        """Add jobs `{name, data, opts}` at once."""
        return [self._job(job) for job in await self.inner.add_bulk(jobs)]

    # --- managing ----------------------------------------------------------------------------------------------------

    async def pause(self) -> None:
        """Let no worker take jobs."""
        await self.inner.pause()

    async def resume(self) -> None:
        """Undo `pause`."""
        await self.inner.resume()

    async def isPaused(self) -> bool:
        return await self.inner.is_paused()

    async def remove(self, job_id: str, opts: Mapping[str, Any] | None = None) -> int:
        """1 when removed or missing, 0 when locked."""
        return await self.inner.remove(job_id, remove_children=(opts or {}).get("removeChildren", True))

    async def clean(self, grace: int, limit: int, type: str) -> list[str]:
        """Remove up to `limit` (0: all) jobs of state `type` that are older than `grace` ms; their ids."""
        return await self.inner.clean(grace, limit, type)

    async def drain(self, delayed: bool = False) -> None:
        """Remove what waits, and what is delayed if asked."""
        await self.inner.drain(delayed=delayed)

    async def obliterate(self, force: bool = False) -> None:
        """Remove the queue and all it holds."""
        await self.inner.obliterate(force=force)

    async def retryJobs(self, opts: Mapping[str, Any] | None = None) -> None:
        """Finished jobs back to wait. `opts`: `{state, count, timestamp}`."""
        await self.inner.retry_jobs(**_given(opts, "state", "count", "timestamp"))

    async def promoteJobs(self, opts: Mapping[str, Any] | None = None) -> None:
        """All delayed jobs to wait. `opts`: `{count}`."""
        await self.inner.promote_jobs(**_given(opts, "count"))

    async def trimEvents(self, maxLength: int) -> int:
        """Shorten the event stream to about `maxLength`; how many entries went."""
        return await self.inner.trim_events(maxLength)

    async def removeDeprecatedPriorityKey(self) -> int:
        """Remove a key of BullMQ 4."""
        return await self.inner.remove_deprecated_priority_key()

    # --- limits ------------------------------------------------------------------------------------------------------

    async def rateLimit(self, expire_time_ms: float) -> None:
        """Let no worker that has a limit take jobs for so many ms."""
        await self.inner.rate_limit(expire_time_ms)

    async def getRateLimitTtl(self) -> int:
        """ms that the queue is limited for."""
        return await self.inner.get_rate_limit_ttl()

    async def removeRateLimitKey(self) -> int:
        """End a limit now."""
        return await self.inner.remove_rate_limit_key()

    async def setGlobalConcurrency(self, concurrency: int) -> int:
        """At most so many active jobs over all workers."""
        return await self.inner.set_global_concurrency(concurrency)

    async def getGlobalConcurrency(self) -> float | None:
        return await self.inner.get_global_concurrency()

    async def removeGlobalConcurrency(self) -> int:
        return await self.inner.remove_global_concurrency()

    async def setGlobalRateLimit(self, max_jobs: int, duration_ms: int) -> int:
        """At most `max_jobs` in `duration_ms` over all workers."""
        return await self.inner.set_global_rate_limit(max_jobs, duration_ms)

    async def getGlobalRateLimit(self) -> dict[str, float] | None:
        """`{max, duration}`, if there is one."""
        limit = await self.inner.get_global_rate_limit()
        return None if limit is None else {"max": limit.max, "duration": limit.duration}

    async def removeGlobalRateLimit(self) -> int:
        return await self.inner.remove_global_rate_limit()

    # --- asking ------------------------------------------------------------------------------------------------------

    async def getJob(self, job_id: str) -> Job | None:
        """The job, or None when there is none of that id."""
        job = await self.inner.get_job(job_id)
        return None if job is None else self._job(job)

    async def getJobs(
        self, types: str | Sequence[str], start: int = 0, end: int = -1, asc: bool = False
    ) -> list[Job | None]:
        """Jobs by state; None where one vanished in between."""
        found = await self.inner.get_jobs(types, start, end, ascending=asc)
        return [None if job is None else self._job(job) for job in found]

    async def getActive(self, start: int = 0, end: int = -1) -> list[Job | None]:
        return await self.getJobs(["active"], start, end, True)

    async def getCompleted(self, start: int = 0, end: int = -1) -> list[Job | None]:
        return await self.getJobs(["completed"], start, end)

    async def getDelayed(self, start: int = 0, end: int = -1) -> list[Job | None]:
        return await self.getJobs(["delayed"], start, end, True)

    async def getFailed(self, start: int = 0, end: int = -1) -> list[Job | None]:
        return await self.getJobs(["failed"], start, end)

    async def getPrioritized(self, start: int = 0, end: int = -1) -> list[Job | None]:
        return await self.getJobs(["prioritized"], start, end, True)

    async def getWaiting(self, start: int = 0, end: int = -1) -> list[Job | None]:
        return await self.getJobs(["waiting"], start, end, True)

    async def getWaitingChildren(self, start: int = 0, end: int = -1) -> list[Job | None]:
        return await self.getJobs(["waiting-children"], start, end, True)

    def sanitizeJobTypes(self, types: Sequence[str]) -> list[str]:
        """The states that are meant: `waiting` brings `paused` along, none means all."""
        asked = list(types)
        return list(dict.fromkeys([*asked, "paused"] if "waiting" in asked else asked)) or list(STATES)

    async def getJobCounts(self, *types: str) -> dict[str, int]:
        """How many jobs by state."""
        return await self.inner.get_job_counts(*types)

    async def getJobCountByTypes(self, *types: str) -> int:
        """How many jobs in all of these states."""
        return await self.inner.get_job_count_by_types(*types)

    async def getCompletedCount(self) -> int:
        return await self.getJobCountByTypes("completed")

    async def getDelayedCount(self) -> int:
        return await self.getJobCountByTypes("delayed")

    async def getFailedCount(self) -> int:
        return await self.getJobCountByTypes("failed")

    async def getWaitingCount(self) -> int:
        return await self.getJobCountByTypes("waiting")

    async def getCountsPerPriority(self, priorities: Iterable[int]) -> dict[str, int]:
        """How many jobs wait by priority."""
        return await self.inner.get_counts_per_priority(priorities)

    async def getJobState(self, job_id: str) -> str:
        """The state's name, or `unknown`."""
        return await self.inner.get_job_state(job_id)

    async def getJobLogs(self, job_id: str, start: int = 0, end: int = -1, asc: bool = True) -> dict[str, Any]:
        """`{logs, count}`."""
        found = await self.inner.get_job_logs(job_id, start, end, ascending=asc)
        return {"logs": found.logs, "count": found.count}

    async def getDeduplicationJobId(self, id: str) -> str | None:
        """The job that holds a deduplication id."""
        return await self.inner.get_deduplication_job_id(id)

    async def get_workers(self) -> list[dict[str, str]]:
        """The workers connected now."""
        return await self.inner.get_workers()

    async def get_workers_count(self) -> int:
        return await self.inner.get_workers_count()

    # --- schedulers --------------------------------------------------------------------------------------------------

    @property
    def jobScheduler(self) -> JobScheduler:
        """The queue's schedulers."""
        return JobScheduler(self)

    async def upsertJobScheduler(
        self,
        job_scheduler_id: str,
        repeat_opts: Mapping[str, Any],
        job_name: str | None = None,
        job_data: Any = None,
        opts: Mapping[str, Any] | None = None,
        override: bool = True,
        producer_id: str | None = None,
    ) -> Job | None:
        """Create or replace a scheduler, and its next job."""
        return await self.jobScheduler.upsertJobScheduler(
            job_scheduler_id, repeat_opts, job_name or job_scheduler_id, job_data, opts, override, producer_id
        )

    async def removeJobScheduler(self, job_scheduler_id: str) -> int:
        """0 when removed, 1 when there was none."""
        return await self.jobScheduler.removeJobScheduler(job_scheduler_id)

    async def isJobScheduler(self, job_scheduler_id: str) -> bool:
        return await self.jobScheduler.isJobScheduler(job_scheduler_id)

    async def getJobScheduler(self, job_scheduler_id: str) -> dict[str, Any] | None:
        """What is known of a scheduler, with Node's names."""
        return await self.jobScheduler.getScheduler(job_scheduler_id)

    async def getJobSchedulers(self, start: int = 0, end: int = -1, asc: bool = False) -> list[dict[str, Any]]:
        """Schedulers by their next jobs, the latest first unless `asc`."""
        return await self.jobScheduler.getJobSchedulers(start, end, asc)

    async def getJobSchedulersCount(self) -> int:
        return await self.jobScheduler.getSchedulersCount()

    def _job(self, inner: Inner[Any, Any]) -> Job:
        return Job.of(self, inner)


def _given(opts: Mapping[str, Any] | None, *names: str) -> dict[str, Any]:
    return {name: value for name, value in (opts or {}).items() if name in names and value is not None}
