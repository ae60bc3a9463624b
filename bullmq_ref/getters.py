"""The questions a queue answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypedDict

from bullmq_ref.base import QueueBase
from bullmq_ref.errors import CommandFailed
from bullmq_ref.job import Job, Payload, Result
from bullmq_ref.jsjson import loads
from bullmq_ref.scripts import reading

#: Every state, in the order in which Node answers when asked for none in particular.
STATES = ("active", "completed", "delayed", "failed", "paused", "prioritized", "waiting", "waiting-children")
_NO_CLIENT_COMMAND = re.compile(r"ERR unknown command ['`]\s*client\s*['`]", re.IGNORECASE)
_LISTS = frozenset({"active", "wait", "waiting", "paused"})


@dataclass(frozen=True, slots=True)
class Logs:
    """Rows of a job's log, and how many there are in all."""

    logs: list[str]
    count: int


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `max` jobs in `duration` ms."""

    max: float
    duration: float


class MetricsMeta(TypedDict):
    """`count` jobs in all; `prevCount` of them when the last minute began, at `prevTS` (ms since the epoch)."""

    count: int
    prevTS: int
    prevCount: int


class Metrics(TypedDict):
    """Finished jobs a minute: `data` newest first, `count` points in all. The names are Node's."""

    meta: MetricsMeta
    data: list[float]
    count: int


@dataclass(frozen=True, slots=True)
class DependencyPage:
    """Children of a job: `items` are `{id: <its key>}`, with `v`, what it returned, for processed ones (`err`, if that
    is no JSON); `jobs` their hashes as stored; `total` how many there are in all."""

    items: list[dict[str, Any]]
    jobs: list[dict[str, str]]
    total: int


class Getters(QueueBase, Generic[Payload, Result]):
    """Reading from a queue. States are `waiting`, `paused`, `active`, `delayed`, `prioritized`, `waiting-children`,
    `completed`, `failed`; ranges are of positions, both ends included, -1 the last."""

    async def get_job(self, job_id: str) -> Job[Payload, Result] | None:
        return await Job.from_id(self, job_id)

    async def get_job_state(self, job_id: str) -> str:
        """The state's name, or `unknown`."""
        return await reading.get_state(self.wire, job_id)

    async def get_jobs(
        self, states: str | Sequence[str] = (), start: int = 0, end: int = -1, *, ascending: bool = False
    ) -> list[Job[Payload, Result] | None]:
        """Jobs by state; the range counts in each state. None where a job vanished in between, as in Node."""
        ids = await self.get_ranges(_states(states), start, end, ascending=ascending)
        return list(await asyncio.gather(*(Job.from_id(self, job_id) for job_id in ids)))

    async def get_ranges(
        self, states: Sequence[str], start: int = 0, end: int = 1, *, ascending: bool = False
    ) -> list[str]:
        """Ids by state, each once."""
        found = await reading.get_ranges(self.wire, states, start, end, ascending=ascending)
        ordered = (
            ids[::-1] if ascending and state in _LISTS else ids for state, ids in zip(states, found, strict=True)
        )
        return list(dict.fromkeys(job_id for ids in ordered for job_id in ids))

    async def get_waiting(self, start: int = 0, end: int = -1) -> list[Job[Payload, Result] | None]:
        return await self.get_jobs(["waiting"], start, end, ascending=True)

    async def get_waiting_children(self, start: int = 0, end: int = -1) -> list[Job[Payload, Result] | None]:
        return await self.get_jobs(["waiting-children"], start, end, ascending=True)

    async def get_active(self, start: int = 0, end: int = -1) -> list[Job[Payload, Result] | None]:
        return await self.get_jobs(["active"], start, end, ascending=True)

    async def get_delayed(self, start: int = 0, end: int = -1) -> list[Job[Payload, Result] | None]:
        return await self.get_jobs(["delayed"], start, end, ascending=True)

    async def get_prioritized(self, start: int = 0, end: int = -1) -> list[Job[Payload, Result] | None]:
        return await self.get_jobs(["prioritized"], start, end, ascending=True)

    async def get_completed(self, start: int = 0, end: int = -1) -> list[Job[Payload, Result] | None]:
        return await self.get_jobs(["completed"], start, end)

    async def get_failed(self, start: int = 0, end: int = -1) -> list[Job[Payload, Result] | None]:
        return await self.get_jobs(["failed"], start, end)

    async def get_job_counts(self, *states: str) -> dict[str, int]:
        """How many jobs by state. Asking for `waiting` answers `paused` too."""
        asked = _states(states)
        return dict(zip(asked, await reading.get_counts(self.wire, asked), strict=True))

    async def get_job_count_by_types(self, *states: str) -> int:
        """How many jobs are in any of the states (none named: in all)."""
        return sum((await self.get_job_counts(*states)).values())

    async def count(self) -> int:
        """Jobs that wait for anything: waiting, paused, delayed, prioritized, waiting-children."""
        return await self.get_job_count_by_types("waiting", "paused", "delayed", "prioritized", "waiting-children")

    async def get_waiting_count(self) -> int:
        """Those paused included."""
        return await self.get_job_count_by_types("waiting")

    async def get_waiting_children_count(self) -> int:
        return await self.get_job_count_by_types("waiting-children")

    async def get_active_count(self) -> int:
        return await self.get_job_count_by_types("active")

    async def get_delayed_count(self) -> int:
        return await self.get_job_count_by_types("delayed")

    async def get_prioritized_count(self) -> int:
        return await self.get_job_count_by_types("prioritized")

    async def get_completed_count(self) -> int:
        return await self.get_job_count_by_types("completed")

    async def get_failed_count(self) -> int:
        return await self.get_job_count_by_types("failed")

    async def get_counts_per_priority(self, priorities: Iterable[int]) -> dict[str, int]:
        """How many jobs wait by priority; 0 is those without."""
        asked = list(dict.fromkeys(priorities))
        counts = await reading.get_counts_per_priority(self.wire, asked)
        return {str(priority): count for priority, count in zip(asked, counts, strict=True)}

    async def get_job_logs(self, job_id: str, start: int = 0, end: int = -1, *, ascending: bool = True) -> Logs:
        """Rows of a job's log; not `ascending`: newest first, positions counted from the newest."""
        key = self.keys.job(job_id, "logs")
        first, last = (start, end) if ascending else (-(end + 1), -(start + 1))
        rows, count = await self.client.transaction(["LRANGE", key, first, last], ["LLEN", key])
        return Logs(rows if ascending else rows[::-1], count)

    async def is_paused(self) -> bool:
        return bool(await self.client.command("HEXISTS", self.keys.meta, "paused"))

    async def is_maxed(self) -> bool:
        """Whether the global concurrency is reached."""
        return await reading.is_maxed(self.wire)

    async def get_version(self) -> str | None:
        """Who wrote the queue's `meta` last: `bullmq:<version>`."""
        version: str | None = await self.client.command("HGET", self.keys.meta, "version")
        return version

    async def get_rate_limit_ttl(self, max_jobs: int | None = None) -> int:
        """ms that the queue is limited for, given a limit of `max_jobs`."""
        return await reading.get_rate_limit_ttl(self.wire, max_jobs)

    async def get_global_concurrency(self) -> float | None:
        value = await self.client.command("HGET", self.keys.meta, "concurrency")
        return loads(value) if value else None

    async def get_global_rate_limit(self) -> RateLimit | None:
        limit, duration = await self.client.command("HMGET", self.keys.meta, "max", "duration")
        return RateLimit(loads(limit), loads(duration)) if limit and duration else None

    async def get_deduplication_job_id(self, deduplication_id: str) -> str | None:
        """The job that holds a deduplication id."""
        job_id: str | None = await self.client.command("GET", self.keys.deduplication(deduplication_id))
        return job_id

    async def get_debounce_job_id(self, debounce_id: str) -> str | None:
        """`get_deduplication_job_id` by its older name."""
        return await self.get_deduplication_job_id(debounce_id)

    async def get_workers(self) -> list[dict[str, str]]:
        """The workers connected now, from CLIENT LIST: its fields, `rawname` being the connection's own name."""
        own, named = self.keys.client_name(), self.keys.client_name(":w:")
        return await self._clients(lambda name: name == own or name.startswith(named))

    async def get_workers_count(self) -> int:
        return len(await self.get_workers())

    async def get_queue_events(self) -> list[dict[str, str]]:
        """The event readers connected now."""
        own = self.keys.client_name(":qe")
        return await self._clients(lambda name: name == own)

    async def get_dependencies(
        self, parent_id: str, kind: str = "processed", start: int = 0, end: int = -1
    ) -> DependencyPage:
        """Children of a job at positions `start` to `end`: the `processed` or the `pending`. In no order."""
        key = self.keys.job(parent_id, "processed" if kind == "processed" else "dependencies")
        found, total, jobs = await reading.paginate(self.wire, key, start, end)
        return DependencyPage([_dependency(item) for item in found], jobs, total)

    async def get_metrics(self, kind: str, start: int = 0, end: int = -1) -> Metrics:
        """Metrics of `completed` or `failed`, as workers with the option `metrics` record them; points by position."""
        meta, points, total = await reading.get_metrics(self.wire, kind, start, end)
        count, previous_at, previous = (int(float(value or 0)) for value in meta)
        return {
            "meta": {"count": count, "prevTS": previous_at, "prevCount": previous},
            "data": [float(point) if "." in point else int(point or 0) for point in points],
            "count": total,
        }

    async def export_prometheus_metrics(self, labels: Mapping[str, str] | None = None) -> str:
        """The number of jobs by state as Prometheus reads it, `labels` added to each line. Nothing is escaped."""
        more = "".join(f', {name}="{value}"' for name, value in (labels or {}).items())
        lines = (
            f'bullmq_job_count{{queue="{self.name}", state="{state}"{more}}} {count}'
            for state, count in (await self.get_job_counts()).items()
        )
        head = ("# HELP bullmq_job_count Number of jobs in the queue by state", "# TYPE bullmq_job_count gauge")
        return "\n".join((*head, *lines))

    async def _clients(self, wanted: Callable[[str], bool]) -> list[dict[str, str]]:
        try:
            listing = str(await self.client.command("CLIENT", "LIST"))
        except CommandFailed as error:
            if not _NO_CLIENT_COMMAND.search(str(error)):
                raise
            return [{"name": "GCP does not support client list"}]  # Node's answer, to count as one
        clients = (dict(pair.partition("=")[::2] for pair in line.split(" ")) for line in listing.splitlines())
        return [{**c, "rawname": c["name"], "name": self.name} for c in clients if wanted(c.get("name", ""))]


def _dependency(item: str | list[str]) -> dict[str, Any]:
    if isinstance(item, str):
        return {"id": item}
    key, text = item
    try:
        return {"id": key, "v": loads(text)}
    except ValueError as error:
        return {"id": key, "err": str(error)}


def _states(states: str | Sequence[str]) -> list[str]:
    asked = [states] if isinstance(states, str) else list(states)
    if "waiting" in asked:
        asked.append("paused")
    return list(dict.fromkeys(asked)) or list(STATES)
