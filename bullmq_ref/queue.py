"""A queue: add jobs to it, and manage it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from bullmq_ref import clock, lua
from bullmq_ref.base import Connection
from bullmq_ref.errors import BullMQError, Invalid
from bullmq_ref.getters import Getters
from bullmq_ref.job import Job, Payload, Result
from bullmq_ref.jsjson import UNDEFINED, Undefined, dumps, number
from bullmq_ref.log import Logger
from bullmq_ref.monitor import Monitor
from bullmq_ref.options import JobOptions, Limits, job_options
from bullmq_ref.queue_repeating import Repeating
from bullmq_ref.scripts import adding, managing
from bullmq_ref.tracing import Kind, Telemetry, begin, carry, omits, traced

_ALL = float("1.7976931348623157e308")  # JavaScript's Number.MAX_VALUE: any score
_CLEANED_AT_ONCE = 10_000


class Queue(Repeating, Getters[Payload, Result]):
    """A queue by its name. Making one writes the queue's `meta` (version and `max_len_events`), as Node does.

    `default_job_options` lie under the options of every job. `opts` are the same options with Node's names.
    """

    def __init__(
        self,
        name: str,
        opts: Mapping[str, Any] | None = None,
        *,
        connection: Connection = None,
        prefix: str | None = None,
        default_job_options: JobOptions | Mapping[str, Any] | None = None,
        max_len_events: int | None = None,
        skip_metas_update: bool | None = None,
        limits: Limits | None = None,
        telemetry: Telemetry | None = None,
        monitor: Monitor | None = None,
        logger: Logger | None = None,
    ) -> None:
        opts = opts or {}
        super().__init__(
            name,
            connection=connection if connection is not None else opts.get("connection"),
            prefix=prefix if prefix is not None else opts.get("prefix", "bull"),
            limits=limits,
            telemetry=telemetry or opts.get("telemetry"),
            monitor=monitor,
            logger=logger,
        )
        self._defaults = job_options(default_job_options or opts.get("defaultJobOptions"), {})
        self.keep = {"completed": opts.get("removeOnComplete"), "failed": opts.get("removeOnFail")}
        settings = opts.get("settings") or {}
        self.strategy = settings.get("backoffStrategy")
        self.repeat_strategy = settings.get("repeatStrategy")
        self.repeat_key_hash_algorithm = settings.get("repeatKeyHashAlgorithm") or "md5"
        kept = ((opts.get("streams") or {}).get("events") or {}).get("maxLen", 10_000)
        self._max_len_events = kept if max_len_events is None else max_len_events
        self._meta: asyncio.Task[Any] | None = None
        if not (opts.get("skipMetasUpdate") if skip_metas_update is None else skip_metas_update):
            fields = [part for field in self.meta_values.items() for part in field]
            writing = self.client.submit("HMSET", self.keys.meta, *fields)
            self._meta = asyncio.create_task(writing, name=f"meta of {self.keys.qualified}")
            self._meta.add_done_callback(lambda task: task.cancelled() or task.exception())

    @property
    def default_job_options(self) -> dict[str, Any]:
        """What lies under the options of every job, with Node's names."""
        return dict(self._defaults)

    @property
    def meta_values(self) -> dict[str, Any]:
        """What opening the queue writes to its `meta`."""
        return {"opts.maxLenEvents": self._max_len_events, "version": f"bullmq:{lua.VERSION}"}

    async def ready(self) -> None:
        await (asyncio.shield(self._meta) if self._meta is not None else super().ready())

    @traced("close")
    async def close(self) -> None:
        await super().close()
        if self._meta is not None:
            with contextlib.suppress(BullMQError, asyncio.CancelledError):
                await self._meta

    # --- adding ------------------------------------------------------------------------------------------------------

    async def add(
        self,
        name: str,
        data: Payload | Undefined = UNDEFINED,
        options: JobOptions | Mapping[str, Any] | None = None,
        **keywords: Any,
    ) -> Job[Payload, Result]:
        """Add a job; keywords are JobOptions' fields. The job that comes back has the id it got (an older job's when
        deduplicated). Jobs added one after the other keep that order, awaited or not yet. With `repeat` it is the
        first of a repeatable job, which Node has deprecated: `upsert_job_scheduler` does the same better.

        Raises Invalid, ParentJobNotExist, ParentJobCannotBeReplaced, and TypeError for data that has no JSON.
        """
        asked = job_options(options, keywords)
        if self.telemetry is None:
            return await self._add(name, data, asked)
        with begin(self.telemetry, self.name, "add", Kind.PRODUCER, destination=f"{self.name}.{name}") as span:
            if not omits(asked):
                asked["telemetry"] = {"metadata": span.metadata}
            job = await self._add(name, data, asked)
            span.set({"bullmq.job.name": name, "bullmq.job.id": job.id})
            return job

    async def _add(self, name: str, data: Any, asked: Mapping[str, Any]) -> Job[Payload, Result]:
        if asked.get("repeat") not in (None, False):
            first: Job[Payload, Result] = await self.add_repeatable(name, data, {**self._defaults, **asked})
            return first
        job_id = asked.get("jobId")
        if job_id in ("0", 0) or (isinstance(job_id, str) and job_id.startswith("0:")):
            raise Invalid("JobId cannot be '0' or start with 0:", symbol="JobIdZero", field="jobId")
        job = self._job(name, data, asked)
        job.id = await adding.add(self.wire, job.new())
        self.emit("waiting", job)
        return job

    async def add_bulk(self, jobs: Iterable[Mapping[str, Any]]) -> list[Job[Payload, Result]]:
        """Add jobs `{name, data?, opts?}`, all checked before the first is sent. A job whose parent is missing or
        cannot be replaced gets the script's negative code as its id, as in Node."""
        asked = [(j["name"], j.get("data", UNDEFINED), job_options(j.get("opts"), {})) for j in jobs]
        if self.telemetry is None:
            return await self._add_bulk(asked)
        told = {"bullmq.job.bulk.names": [name for name, _, _ in asked], "bullmq.job.bulk.count": len(asked)}
        with begin(self.telemetry, self.name, "addBulk", Kind.PRODUCER, attributes=told) as span:
            for _, _, options in asked:
                carry(options, span)
            return await self._add_bulk(asked)

    async def _add_bulk(self, asked: Iterable[tuple[str, Any, Mapping[str, Any]]]) -> list[Job[Payload, Result]]:
        made = [self._job(*job, own=("jobId", "telemetry")) for job in asked]
        for job, reply in zip(made, await adding.add_each(self.wire, [job.new() for job in made]), strict=True):
            if isinstance(reply, Exception):
                raise reply
            job.id = reply if isinstance(reply, str) else str(reply)
        return made

    def _job(
        self, name: str, data: Any, asked: Mapping[str, Any], *, own: tuple[str, ...] = ("jobId",)
    ) -> Job[Any, Any]:
        """`own`: options that no default stands in for."""
        options = asked
        if self._defaults:
            options = {**{o: value for o, value in self._defaults.items() if o not in own}, **asked}
        job_id = options.get("jobId")
        return Job(self, name, data, options, job_id if job_id is None or isinstance(job_id, str) else str(job_id))

    # --- managing ----------------------------------------------------------------------------------------------------

    @traced("pause")
    async def pause(self) -> None:
        """Let no worker take jobs; those that are active go on."""
        await managing.pause(self.wire, paused=True)
        self.emit("paused")

    @traced("resume")
    async def resume(self) -> None:
        await managing.pause(self.wire, paused=False)
        self.emit("resumed")

    @traced(
        "remove",
        lambda job_id, remove_children=True: {
            "bullmq.job.id": job_id,
            "bullmq.job.options": dumps({"removeChildren": remove_children}),
        },
    )
    async def remove(self, job_id: str, *, remove_children: bool = True) -> int:
        """1 when removed or missing, 0 when locked. Raises JobBelongsToJobScheduler."""
        removed = await managing.remove_job(self.wire, job_id, children=remove_children)
        if removed:
            self.emit("removed", job_id)
        return removed

    @traced("drain", lambda delayed=False: {"bullmq.queue.drain.delay": delayed})
    async def drain(self, *, delayed: bool = False) -> None:
        """Remove what waits, and what is delayed if asked. No events."""
        await managing.drain(self.wire, delayed=delayed)

    @traced(
        "clean",
        lambda grace, limit=0, state="completed": {
            "bullmq.queue.grace": grace,
            "bullmq.job.type": state,
            "bullmq.queue.clean.limit": limit or float("inf"),
        },
        result=lambda ids: {"bullmq.job.ids": ids},
    )
    async def clean(self, grace: float, limit: int = 0, state: str = "completed") -> list[str]:
        """Remove up to `limit` (0: all) jobs of `state` that are older than `grace` ms; their ids."""
        until, kept_state = clock.now() - grace, "wait" if state == "waiting" else state
        at_once = min(_CLEANED_AT_ONCE, limit) if limit else _CLEANED_AT_ONCE
        removed: list[str] = []
        while not limit or len(removed) < limit:
            ids = await managing.clean_jobs_in_set(self.wire, kept_state, until=until, limit=at_once)
            self.emit("cleaned", list(ids), kept_state)
            removed.extend(ids)
            if len(ids) < at_once:
                break
        return removed

    @traced("obliterate")
    async def obliterate(self, *, force: bool = False, count: int = 1000) -> None:
        """Pause, then remove the queue and all it holds. Raises ObliterateActiveJobs unless `force`."""
        await self.pause()
        while await managing.obliterate(self.wire, force=force, count=count):
            pass

    @traced("retryJobs", lambda **given: {"bullmq.queue.options": dumps(given)}, kind=Kind.PRODUCER)
    async def retry_jobs(self, *, state: str = "failed", count: int = 1000, timestamp: float | None = None) -> None:
        """All `failed` or `completed` jobs that finished by `timestamp` (now) back to wait."""
        until = clock.now() if timestamp is None else timestamp
        while await managing.move_jobs_to_wait(self.wire, state, count=count, until=until):
            pass

    @traced("promoteJobs", lambda **given: {"bullmq.queue.options": dumps(given)})
    async def promote_jobs(self, *, count: int = 1000) -> None:
        """All delayed jobs to wait, their priority ignored, as in Node."""
        while await managing.move_jobs_to_wait(self.wire, "delayed", count=count, until=_ALL):
            pass

    @traced("trimEvents", lambda max_length: {"bullmq.queue.event.max.length": max_length})
    async def trim_events(self, max_length: int) -> int:
        """Shorten the event stream to about `max_length`; how many entries went."""
        removed: int = await self.client.command("XTRIM", self.keys.events, "MAXLEN", "~", number(max_length))
        return removed

    @traced(
        "updateJobProgress",
        lambda job_id, progress: {"bullmq.job.id": job_id, "bullmq.job.progress": dumps(progress)},
    )
    async def update_job_progress(self, job_id: str, progress: Any) -> None:
        """Raises JobNotExist."""
        await managing.update_progress(self.wire, job_id, dumps(progress))

    async def add_job_log(self, job_id: str, row: str, keep_logs: int | None = None) -> int:
        """Append a row; returns how many there are. Raises JobNotExist."""
        return await managing.add_log(self.wire, job_id, row, keep_logs or self.limits.logs)

    # --- limits ------------------------------------------------------------------------------------------------------

    async def remove_rate_limit_key(self) -> int:
        """End a limit now; 1 when there was one."""
        removed: int = await self.client.command("DEL", self.keys.limiter)
        return removed

    async def set_global_concurrency(self, concurrency: float) -> int:
        """At most `concurrency` active jobs over all workers."""
        added: int = await self.client.command("HSET", self.keys.meta, "concurrency", number(concurrency))
        return added

    async def remove_global_concurrency(self) -> int:
        removed: int = await self.client.command("HDEL", self.keys.meta, "concurrency")
        return removed

    async def set_global_rate_limit(self, max_jobs: float, duration: float) -> int:
        """At most `max_jobs` in `duration` ms over all workers."""
        limit = ("max", number(max_jobs), "duration", number(duration))
        added: int = await self.client.command("HSET", self.keys.meta, *limit)
        return added

    async def remove_global_rate_limit(self) -> int:
        removed: int = await self.client.command("HDEL", self.keys.meta, "max", "duration")
        return removed

    @traced("removeDeduplicationKey", lambda deduplication_id: {"bullmq.job.deduplication.key": deduplication_id})
    async def remove_deduplication_key(self, deduplication_id: str) -> int:
        """1 when there was one."""
        removed: int = await self.client.command("DEL", self.keys.deduplication(deduplication_id))
        return removed

    async def remove_debounce_key(self, debounce_id: str) -> int:
        """`remove_deduplication_key` by its older name."""
        return await self.remove_deduplication_key(debounce_id)

    async def remove_deprecated_priority_key(self) -> int:
        """Delete `priority`, a key of BullMQ before version 5; 1 when there was one."""
        removed: int = await self.client.command("DEL", self.keys.state("priority"))
        return removed
