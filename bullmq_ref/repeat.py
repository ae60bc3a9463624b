"""Repeatable jobs, as they were before job schedulers: each job names the next one. Node 5.62.0 still runs them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bullmq_ref import clock
from bullmq_ref.base import QueueBase
from bullmq_ref.job import Job
from bullmq_ref.job_record import integer
from bullmq_ref.job_scheduler import records
from bullmq_ref.jsjson import number, utf8
from bullmq_ref.repetition import ask, check_end, given, iteration, ms, next_repeat
from bullmq_ref.scripts import adding, scheduling


@dataclass(frozen=True, slots=True)
class RepeatableJob:
    """A repeatable job as it stands. `next` is its latest slot, `end_date` the last possible one, in ms; `every` is
    text, as Node gives it."""

    key: str
    name: str | None
    end_date: int | None
    tz: str | None
    pattern: str | None
    every: str | None
    next: int | None


class Repeat:
    """The repeatable jobs of the queue that `owner` (a Queue, a Worker) is an object of; its connection is used."""

    def __init__(self, owner: QueueBase) -> None:
        self._owner = owner
        self._strategy = owner.repeat_strategy or next_repeat

    async def add(self, name: str, data: Any, options: Mapping[str, Any]) -> Job[Any, Any] | None:
        """Add a repeatable job and its first iteration; None when its limit is reached already. Raises Invalid."""
        check_end(options["repeat"])
        return await self._iterate(name, data, options, first=True)

    async def iterate(self, producer: Job[Any, Any]) -> Job[Any, Any] | None:
        """Add the job that follows `producer`, which was just taken; None when nothing follows. Raises Invalid.

        As in Node, one follows even when the repeatable job has been removed; its key is then empty.
        """
        return await self._iterate(producer.name, producer.data, producer.options, first=False)

    async def _iterate(self, name: str, data: Any, options: Mapping[str, Any], *, first: bool) -> Job[Any, Any] | None:
        repeat = {key: value for key, value in options["repeat"].items() if key != "cron"}
        if repeat.get("pattern") is None and (cron := options["repeat"].get("cron")) is not None:
            repeat["pattern"] = cron
        if (count := iteration(repeat)) is None:
            return None
        previous = options.get("prevMillis") or 0
        after = max(clock.now(), previous)
        slot = await ask(self._strategy, after, repeat, name)
        if not slot:
            return None
        if not previous and options.get("jobId"):
            repeat["jobId"] = options["jobId"]
        key = await self._note(name, slot, repeat, options["repeat"].get("key"), first=first)
        every, at_once = repeat.get("every"), bool(repeat.get("immediately"))
        offset = {"offset": after - slot} if at_once and every else {}
        repeated = {**offset, **given(repeat), "count": count}
        return await self._add(name, slot, key, data, {**options, "repeat": repeated}, at_once=at_once)

    async def _note(self, name: str, slot: float, repeat: Mapping[str, Any], own: str | None, *, first: bool) -> str:
        """Note the slot in the record; returns the record's key."""
        legacy_key = _concatenated(name, repeat)
        key = self._hash(legacy_key) if own is None else own
        if not first:
            return await scheduling.update_repeatable_job_millis(self._owner.wire, key, slot, legacy_key)
        end = repeat.get("endDate")
        kept = {field: repeat[field] for field in ("tz", "pattern", "every") if repeat.get(field) is not None}
        record = {"name": name, **({"endDate": ms(end)} if end else {}), **kept}
        return await scheduling.add_repeatable_job(self._owner.wire, key, slot, record, legacy_key)

    async def _add(
        self, name: str, slot: float, key: str, data: Any, options: Mapping[str, Any], *, at_once: bool
    ) -> Job[Any, Any]:
        now = clock.now()
        delay = max(slot + (options["repeat"].get("offset") or 0) - now, 0)
        made = {
            **options,
            "jobId": self._job_id(name, slot, key, data),
            "delay": 0 if at_once else delay,
            "timestamp": now,
            "prevMillis": slot,
            "repeatJobKey": key,
        }
        job: Job[Any, Any] = Job(self._owner, name, data, made, made["jobId"])
        job.id = await adding.add(self._owner.wire, job.new())
        return job

    async def remove(self, name: str, repeat: Mapping[str, Any], job_id: str | None = None) -> bool:
        """Remove the repeatable job that was added with these options, and its job if that is delayed; whether there
        was one."""
        concatenated = _concatenated(name, {**repeat, "jobId": job_id})
        own = repeat.get("key")
        key = self._hash(concatenated) if own is None else own
        checksum = self._checksum(name, job_id or repeat.get("jobId"), concatenated) if own is None else own
        return await self._remove(f"repeat:{checksum}:", concatenated, key)

    async def remove_by_key(self, key: str) -> bool:
        """Remove a repeatable job by its key, and its job if that is delayed; whether there was one."""
        name, _, rest = key.partition(":")
        return await self._remove(f"repeat:{self._checksum(name, rest.partition(':')[0], key)}:", "", key)

    async def _remove(self, legacy_job_id: str, legacy_key: str, key: str) -> bool:
        old = key.count(":") > 1
        return await scheduling.remove_repeatable(self._owner.wire, legacy_job_id, key if old else legacy_key, key)

    async def get_all(self, start: int = 0, end: int = -1, *, ascending: bool = False) -> list[RepeatableJob]:
        """Repeatable jobs by their slots, the latest first unless `ascending`; schedulers are among them."""
        found = []
        for key, slot, fields in await records(self._owner, start, end, ascending=ascending):
            tz, pattern, every = (fields.get(field) or None for field in ("tz", "pattern", "every"))
            until = integer(fields.get("endDate"))
            found.append(RepeatableJob(key, fields.get("name"), until, tz, pattern, every, slot))
        return found

    def _job_id(self, name: str, slot: float, key: str, data: Any) -> str:
        """Keys that older versions made, with their colons, are hashed into the id."""
        if key.count(":") > 1:
            key = self._checksum(name, data.get("id") if isinstance(data, Mapping) else None, key)
        return f"repeat:{key}:{number(slot)}"

    def _checksum(self, name: str, job_id: Any, concatenated: str) -> str:
        return self._hash(f"{name}{job_id or ''}{self._hash(concatenated)}")

    def _hash(self, text: str) -> str:
        return hashlib.new(self._owner.repeat_key_hash_algorithm, utf8(text), usedforsecurity=False).hexdigest()


def _concatenated(name: str, repeat: Mapping[str, Any]) -> str:
    """What a repeatable job's key is the hash of: `name:jobId:endDate:tz:pattern or every`."""
    end, every = repeat.get("endDate"), repeat.get("every")
    when = repeat.get("pattern") or ("undefined" if every is None else number(every))
    return f"{name}:{repeat.get('jobId') or ''}:{number(ms(end)) if end else ''}:{repeat.get('tz') or ''}:{when}"
