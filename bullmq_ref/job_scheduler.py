"""Job schedulers: records that make a job for each of their slots."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bullmq_ref import clock
from bullmq_ref.base import QueueBase
from bullmq_ref.errors import Invalid
from bullmq_ref.job import Job
from bullmq_ref.job_record import integer
from bullmq_ref.jsjson import UNDEFINED, Undefined, dumps, loads, number
from bullmq_ref.options import RepeatOptions, decoded, encoded, repeat_options
from bullmq_ref.repetition import ask, check_one, dated, given, iteration, next_in_pattern
from bullmq_ref.scripts import scheduling
from bullmq_ref.tracing import Kind, Span, carry, maybe
from bullmq_ref.wire import flat

#: What of the repeat options a scheduler's record holds.
_RECORDED = ("startDate", "endDate", "tz", "pattern", "every", "limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerTemplate:
    """What a scheduler's jobs are made of. The name is the scheduler's id unless given; `opts` have Node's names."""

    name: str | None = None
    data: Any = None
    opts: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerRecord:
    """A scheduler as it stands. `next` is the slot of its latest job, in ms; it is past when nothing comes any more.

    `offset` is the phase of `every` in ms. `iteration_count` counts the jobs made so far.
    """

    key: str
    name: str | None = None
    next: int | None = None
    iteration_count: int | None = None
    limit: int | None = None
    start_date: int | None = None
    end_date: int | None = None
    tz: str | None = None
    pattern: str | None = None
    every: int | None = None
    offset: int | None = None
    template: SchedulerTemplate | None = None


class JobScheduler:
    """The job schedulers of the queue that `owner` (a Queue, a Worker) is an object of; its connection is used.

    A scheduler has one job at a time. A worker that takes it adds the next one, before it runs it.
    """

    def __init__(self, owner: QueueBase) -> None:
        self._owner = owner
        self._strategy = owner.repeat_strategy or next_in_pattern

    async def upsert(
        self,
        scheduler_id: str,
        repeat: RepeatOptions | Mapping[str, Any],
        name: str,
        data: Any = UNDEFINED,
        options: Mapping[str, Any] | None = None,
    ) -> Job[Any, Any] | None:
        """Create or replace a scheduler, and its next job; None when its limit or end is reached already.

        Node 5.62.0's rules: the slot of a job that still waits is kept, whatever the new pattern; for `every`, an
        `offset` that was given is ignored. Raises Invalid, SchedulerJobIdCollision, SchedulerJobSlotsBusy.
        """
        repeat, options, text = repeat_options(repeat), options or {}, _text(data)
        self._owner.limits.check(name, text, options)
        iterated = await self._iterate(scheduler_id, repeat, name, options)
        if iterated is None:
            return None
        slot, made = iterated
        record = {"name": name, **{key: value for key, value in _stored(repeat).items() if key in _RECORDED}}
        with self._span(scheduler_id, name, made) as span:
            job_id, delay = await scheduling.add_job_scheduler(
                self._owner.wire,
                scheduler_id,
                slot,
                record=record,
                data=text,
                template=encoded(options),
                options=encoded(made),
            )
            if span is not None:
                span.set({"bullmq.job.id": job_id})
        return Job(self._owner, name, data, {**made, "delay": int(delay)}, job_id)

    async def iterate(self, producer: Job[Any, Any]) -> str | None:
        """Add the job that follows `producer`, which was just taken; its id. None when nothing follows.

        Only the latest job of a scheduler is followed. Raises Invalid.
        """
        scheduler_id, options = producer.repeat_job_key or "", producer.options
        iterated = await self._iterate(scheduler_id, options.get("repeat") or {}, producer.name, options)
        if iterated is None:
            return None
        slot, made = iterated
        text = _text(producer.data)
        with self._span(scheduler_id, producer.name, made) as span:
            job_id = await scheduling.update_job_scheduler(
                self._owner.wire, scheduler_id, slot, data=text, options=encoded(made), producer=producer.id
            )
            if span is not None and job_id is not None:
                span.set({"bullmq.job.id": job_id})
        return job_id

    @contextmanager
    def _span(self, scheduler_id: str, name: str, made: dict[str, Any]) -> Iterator[Span | None]:
        """The span of an added job, which carries it on."""
        owner, told = self._owner, {"bullmq.job.scheduler.id": scheduler_id}
        with maybe(owner.telemetry, owner.name, "add", told, Kind.PRODUCER, destination=f"{owner.name}.{name}") as span:
            if span is not None:
                carry(made, span)
            yield span

    async def remove(self, scheduler_id: str) -> bool:
        """Remove a scheduler, and its job if that is delayed; whether there was one."""
        return await scheduling.remove_job_scheduler(self._owner.wire, scheduler_id)

    async def get(self, scheduler_id: str) -> SchedulerRecord | None:
        """A scheduler by its id."""
        fields, slot = await scheduling.get_job_scheduler(self._owner.wire, scheduler_id)
        return None if fields is None else _record(scheduler_id, fields, integer(slot))

    async def get_all(self, start: int = 0, end: int = -1, *, ascending: bool = False) -> list[SchedulerRecord]:
        """Schedulers by their slots, the latest first unless `ascending`; repeatable jobs are among them."""
        found = await records(self._owner, start, end, ascending=ascending)
        return [_record(key, fields, slot) for key, slot, fields in found]

    async def count(self) -> int:
        """How many there are, repeatable jobs included."""
        found: int = await self._owner.client.command("ZCARD", self._owner.keys.repeat)
        return found

    async def _iterate(
        self, scheduler_id: str, repeat: Mapping[str, Any], name: str, options: Mapping[str, Any]
    ) -> tuple[float | None, dict[str, Any]] | None:
        """The next slot (None: the script finds it) and the options of its job; None when nothing comes."""
        _check(repeat)
        if (count := iteration(repeat)) is None:
            return None
        slot: float | None = None
        after = max(clock.now(), options.get("prevMillis") or 0)
        if repeat.get("pattern"):
            found = await ask(self._strategy, after, repeat, name)
            slot = None if found is None else max(found, after)
        if not slot and not repeat.get("every"):
            return None
        return slot, _options(scheduler_id, slot, repeat, options, count)


def _check(repeat: Mapping[str, Any]) -> None:
    check_one(repeat)
    if not repeat.get("pattern") and not repeat.get("every"):
        text = "Either .pattern or .every options must be defined for this repeatable job"
        raise Invalid(text, symbol="PatternOrEvery", field="pattern")
    if repeat.get("immediately") and repeat.get("startDate"):
        text = "Both .immediately and .startDate options are defined for this repeatable job"
        raise Invalid(text, symbol="ImmediatelyAndStartDate", field="immediately")


def _options(
    scheduler_id: str, slot: float | None, repeat: Mapping[str, Any], options: Mapping[str, Any], count: int
) -> dict[str, Any]:
    """The options of the job for a slot; for `every`, the script puts its own id and delay in."""
    now = clock.now()
    repeated = {**_stored(repeat), "offset": None, "count": count}
    known = {} if slot is None else {"prevMillis": slot, "delay": max(slot - now, 0)}
    return {
        **{name: value for name, value in options.items() if name != "prevMillis"},
        "jobId": f"repeat:{scheduler_id}:{'undefined' if slot is None else number(slot)}",
        "timestamp": now,
        **known,
        "repeatJobKey": scheduler_id,
        "repeat": repeated,
    }


def _stored(repeat: Mapping[str, Any]) -> dict[str, Any]:
    """Repeat options as a scheduler stores them; a date of 0 is none."""
    return {
        name: value for name, value in dated(given(repeat)).items() if value or name not in ("startDate", "endDate")
    }


def _text(data: Any) -> str:
    return "{}" if isinstance(data, Undefined) else dumps(data)


async def records(
    owner: QueueBase, start: int, end: int, *, ascending: bool
) -> list[tuple[str, int | None, dict[str, str]]]:
    """Schedulers and repeatable jobs: the key, the latest slot and the record of each."""
    command = "ZRANGE" if ascending else "ZREVRANGE"
    found = await owner.client.command(command, owner.keys.repeat, start, end, "WITHSCORES")
    keys, slots = found[::2], found[1::2]
    hashes = await asyncio.gather(*(owner.client.command("HGETALL", f"{owner.keys.repeat}:{key}") for key in keys))
    return [(key, integer(slot), flat(fields)) for key, slot, fields in zip(keys, slots, hashes, strict=True)]


def _record(key: str, fields: Mapping[str, str], slot: int | None) -> SchedulerRecord:
    template = None
    if fields.get("data") or fields.get("opts"):
        template = SchedulerTemplate(
            data=loads(fields["data"]) if fields.get("data") else None,
            opts=decoded(loads(fields["opts"])) if fields.get("opts") else None,
        )
    return SchedulerRecord(
        key=key,
        name=fields.get("name"),
        next=slot,
        iteration_count=integer(fields.get("ic")),
        limit=integer(fields.get("limit")),
        start_date=integer(fields.get("startDate")),
        end_date=integer(fields.get("endDate")),
        tz=fields.get("tz") or None,
        pattern=fields.get("pattern") or None,
        every=integer(fields.get("every")),
        offset=integer(fields.get("offset")),
        template=template,
    )
