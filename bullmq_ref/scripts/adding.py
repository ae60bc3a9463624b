"""The scripts that add a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bullmq_ref.errors import refused
from bullmq_ref.pack import pack
from bullmq_ref.wire import Wire


@dataclass(frozen=True, slots=True)
class NewJob:
    """What the add scripts store. `data` is JSON text; `options` have their stored names; `parent` is
    `{id, queueKey, fpof?, …}`; `timestamp` in ms."""

    name: str
    data: str
    options: Mapping[str, Any]
    timestamp: float
    id: str = ""
    parent_key: str | None = None
    parent: Mapping[str, Any] | None = None
    repeat_job_key: str | None = None
    deduplication_id: str | None = None


async def add(wire: Wire, job: NewJob) -> str:
    """Add by the script that fits: a delay above 0 goes to delayed, a priority to prioritized, the rest to wait.

    Returns the job's id (an older job's when deduplicated). Raises ParentJobNotExist, ParentJobCannotBeReplaced.
    """
    reply = await add_raw(wire, job)
    if isinstance(reply, int):
        raise refused(reply, command="addJob", parent=job.parent_key)
    return reply


async def add_raw(wire: Wire, job: NewJob) -> str | int:
    """As `add`, but a negative code is returned, as Node's addBulk leaves it in `job.id`."""
    delay = job.options.get("delay")
    if isinstance(delay, int | float) and not isinstance(delay, bool) and delay > 0:
        reply = await add_delayed_job(wire, job)
    elif job.options.get("priority"):
        reply = await add_prioritized_job(wire, job)
    else:
        reply = await add_standard_job(wire, job)
    return reply if isinstance(reply, str) else int(reply)


async def add_standard_job(wire: Wire, job: NewJob) -> str | int:
    """addStandardJob: to wait, or paused."""
    k = wire.keys
    keys = [k.wait, k.paused, k.meta, k.id, k.completed, k.delayed, k.active, k.events, k.marker]
    reply: str | int = await wire.run("addStandardJob", keys, _arguments(wire, job))
    return reply


async def add_delayed_job(wire: Wire, job: NewJob) -> str | int:
    """addDelayedJob: to delayed."""
    k = wire.keys
    keys = [k.marker, k.meta, k.id, k.delayed, k.completed, k.events]
    reply: str | int = await wire.run("addDelayedJob", keys, _arguments(wire, job))
    return reply


async def add_prioritized_job(wire: Wire, job: NewJob) -> str | int:
    """addPrioritizedJob: to prioritized."""
    k = wire.keys
    keys = [k.marker, k.meta, k.id, k.prioritized, k.delayed, k.completed, k.active, k.events, k.pc]
    reply: str | int = await wire.run("addPrioritizedJob", keys, _arguments(wire, job))
    return reply


def _arguments(wire: Wire, job: NewJob) -> tuple[bytes, str, bytes]:
    about = [
        wire.keys.base,
        job.id,
        job.name,
        job.timestamp,
        job.parent_key,
        f"{job.parent_key}:dependencies" if job.parent_key else None,
        job.parent,
        job.repeat_job_key,
        wire.keys.deduplication(job.deduplication_id) if job.deduplication_id else None,
    ]
    return pack(about), job.data, pack(job.options)
