"""The scripts of job schedulers and of the repeatable jobs that came before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bullmq_ref import clock
from bullmq_ref.client import Argument
from bullmq_ref.errors import refused
from bullmq_ref.jsjson import number
from bullmq_ref.pack import pack
from bullmq_ref.wire import Wire, flat


def _slot(slot: float | None) -> str:
    return "" if slot is None else number(slot)


async def add_job_scheduler(
    wire: Wire,
    scheduler: str,
    slot: float | None,
    *,
    record: Mapping[str, Any],
    data: str,
    template: Mapping[str, Any],
    options: Mapping[str, Any],
) -> tuple[str, float]:
    """addJobScheduler: write the scheduler's `record` anew, and its next job, to run at `slot` (None: the script finds
    it from `every`). `data` is JSON text; `template` and `options` (of that job) have their stored names.

    Returns the job's id and its delay. Raises SchedulerJobIdCollision, SchedulerJobSlotsBusy.
    """
    k = wire.keys
    keys = [k.repeat, k.delayed, k.wait, k.paused, k.meta, k.prioritized, k.marker, k.id, k.events, k.pc, k.active]
    arguments: list[Argument] = [
        _slot(slot),
        pack(record),
        scheduler,
        data,
        pack(template),
        pack(options),
        clock.now(),
        k.base,
        "",
    ]
    reply = await wire.run("addJobScheduler", keys, arguments)
    if isinstance(reply, int):
        raise refused(reply, command="addJobScheduler")
    return reply[0], float(reply[1])


async def update_job_scheduler(
    wire: Wire, scheduler: str, slot: float | None, *, data: str, options: Mapping[str, Any], producer: str
) -> str | None:
    """updateJobScheduler: add the job after `producer`, which a worker has just taken; returns its id.

    None when the scheduler is gone, `producer` is not its latest job, or the next one exists.
    """
    k = wire.keys
    keys = [k.repeat, k.delayed, k.wait, k.paused, k.meta, k.prioritized, k.marker, k.id, k.events, k.pc]
    arguments: list[Argument] = [_slot(slot), scheduler, data, pack(options), clock.now(), k.base, producer]
    reply: str | None = await wire.run("updateJobScheduler", [*keys, k.job(producer), k.active], arguments)
    return reply


async def get_job_scheduler(wire: Wire, scheduler: str) -> tuple[dict[str, str] | None, str | None]:
    """getJobScheduler: its record and its latest slot; (None, None) when there is none."""
    reply = await wire.run("getJobScheduler", [wire.keys.repeat], [scheduler])
    if not reply or reply[0] is None:
        return None, None
    return flat(reply[0]), reply[1]


async def remove_job_scheduler(wire: Wire, scheduler: str) -> bool:
    """removeJobScheduler: with its job, if that is delayed. Whether there was one."""
    k = wire.keys
    reply: int = await wire.run("removeJobScheduler", [k.repeat, k.delayed, k.events], [scheduler, k.base])
    return reply == 0


async def add_repeatable_job(wire: Wire, key: str, slot: float, record: Mapping[str, Any], legacy_key: str) -> str:
    """addRepeatableJob: write a repeatable job's `record`; returns the key in use (`legacy_key` where it exists)."""
    k = wire.keys
    arguments: list[Argument] = [number(slot), pack(record), legacy_key, key, k.base]
    reply: str = await wire.run("addRepeatableJob", [k.repeat, k.delayed], arguments)
    return reply


async def update_repeatable_job_millis(wire: Wire, key: str, slot: float, legacy_key: str) -> str:
    """updateRepeatableJobMillis: note the next slot; returns the key in use, "" when the repeatable job is gone."""
    reply: str = await wire.run("updateRepeatableJobMillis", [wire.keys.repeat], [number(slot), key, legacy_key])
    return reply


async def remove_repeatable(wire: Wire, legacy_job_id: str, legacy_key: str, key: str) -> bool:
    """removeRepeatable: with its job, if that is delayed. Whether there was one."""
    k = wire.keys
    arguments: list[Argument] = [legacy_job_id, legacy_key, key, k.base]
    reply: int = await wire.run("removeRepeatable", [k.repeat, k.delayed, k.events], arguments)
    return reply == 0
