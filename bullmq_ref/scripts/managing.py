"""The scripts that change jobs and queues from outside."""

from __future__ import annotations

from collections.abc import Sequence

from bullmq_ref import clock
from bullmq_ref.client import Argument
from bullmq_ref.errors import ObliterateActiveJobs, ObliterateNotPaused, refused
from bullmq_ref.jsjson import number
from bullmq_ref.wire import Wire


async def update_data(wire: Wire, job: str, data: str) -> None:
    """updateData: `data` is JSON text. Raises JobNotExist."""
    reply = await wire.run("updateData", [wire.keys.job(job)], [data])
    if reply < 0:
        raise refused(reply, command="updateData", job=job)


async def update_progress(wire: Wire, job: str, progress: str) -> None:
    """updateProgress: `progress` is JSON text. Raises JobNotExist."""
    k = wire.keys
    reply = await wire.run("updateProgress", [k.job(job), k.events, k.meta], [job, progress])
    if reply < 0:
        raise refused(reply, command="updateProgress", job=job)


async def add_log(wire: Wire, job: str, row: str, keep: int | None = None) -> int:
    """addLog: returns the number of rows now, at most `keep`. Raises JobNotExist."""
    k = wire.keys
    reply: int = await wire.run("addLog", [k.job(job), k.job(job, "logs")], [job, row, keep or ""])
    if reply < 0:
        raise refused(reply, command="addLog", job=job)
    return reply


async def promote(wire: Wire, job: str) -> None:
    """promote: from delayed to wait or prioritized. Raises JobNotInState."""
    k = wire.keys
    keys = [k.delayed, k.wait, k.paused, k.meta, k.prioritized, k.active, k.pc, k.events, k.marker]
    reply = await wire.run("promote", keys, [k.base, job])
    if reply < 0:
        raise refused(reply, command="promote", job=job, state="delayed")


async def change_delay(wire: Wire, job: str, delay: float) -> None:
    """changeDelay: due `delay` ms from now. Raises JobNotExist, JobNotInState."""
    k = wire.keys
    arguments: list[Argument] = [number(delay), clock.now(), job, k.job(job)]
    reply = await wire.run("changeDelay", [k.delayed, k.meta, k.marker, k.events], arguments)
    if reply < 0:
        raise refused(reply, command="changeDelay", job=job, state="delayed")


async def change_priority(wire: Wire, job: str, priority: float = 0, *, lifo: bool = False) -> None:
    """changePriority: 0 means none. Raises JobNotExist."""
    k = wire.keys
    keys = [k.wait, k.paused, k.meta, k.prioritized, k.active, k.pc, k.marker]
    reply = await wire.run("changePriority", keys, [number(priority), k.base, job, int(lifo)])
    if reply < 0:
        raise refused(reply, command="changePriority", job=job)


async def reprocess_job(wire: Wire, job: str, state: str, *, lifo: bool = False) -> None:
    """reprocessJob: a `failed` or `completed` job back to wait. Raises JobNotExist, JobNotInState."""
    k = wire.keys
    keys = [k.job(job), k.events, k.state(state), k.wait, k.meta, k.paused, k.active, k.marker]
    value = "failedReason" if state == "failed" else "returnvalue"
    reply = await wire.run("reprocessJob", keys, [job, "RPUSH" if lifo else "LPUSH", value, state])
    if reply != 1:
        raise refused(reply, command="reprocessJob", job=job, state=state)


async def move_jobs_to_wait(wire: Wire, state: str, *, count: int = 1000, until: float) -> bool:
    """moveJobsToWait: up to `count` jobs of `failed`, `completed` or `delayed` whose score is at most `until`. True
    when more are left."""
    k = wire.keys
    keys = [k.base, k.events, k.state(state), k.wait, k.paused, k.meta, k.active, k.marker]
    return bool(await wire.run("moveJobsToWait", keys, [count, number(until), state]))


async def pause(wire: Wire, *, paused: bool) -> None:
    """pause: the whole queue, or resume it."""
    k = wire.keys
    source, target = (k.wait, k.paused) if paused else (k.paused, k.wait)
    keys = [source, target, k.meta, k.prioritized, k.events, k.delayed, k.marker]
    await wire.run("pause", keys, ["paused" if paused else "resumed"])


async def remove_job(wire: Wire, job: str, *, children: bool = True) -> int:
    """removeJob: 1 when removed (or missing), 0 when locked. Raises JobBelongsToJobScheduler."""
    k = wire.keys
    reply: int = await wire.run("removeJob", [k.job(job), k.repeat], [job, int(children), k.base])
    if reply < 0:
        raise refused(reply, command="removeJob", job=job)
    return reply


async def remove_child_dependency(wire: Wire, job: str, parent_key: str) -> bool:
    """removeChildDependency: True when the job was a child of the parent. Raises JobNotExist, ParentJobNotExist."""
    k = wire.keys
    reply = await wire.run("removeChildDependency", [k.base], [k.job(job), parent_key])
    if reply < 0:
        raise refused(reply, command="removeChildDependency", job=job, parent=parent_key)
    return bool(reply == 0)


async def remove_unprocessed_children(wire: Wire, job: str) -> None:
    """removeUnprocessedChildren: those neither locked nor finished."""
    k = wire.keys
    await wire.run("removeUnprocessedChildren", [k.job(job), k.meta], [k.base, job])


async def drain(wire: Wire, *, delayed: bool = False) -> None:
    """drain: what waits, and what is delayed if asked."""
    k = wire.keys
    await wire.run("drain", [k.wait, k.paused, k.delayed, k.prioritized, k.repeat], [k.base, "1" if delayed else "0"])


async def clean_jobs_in_set(wire: Wire, state: str, *, until: float, limit: int = 0) -> Sequence[str]:
    """cleanJobsInSet: removes up to `limit` (0: all) jobs of a state that are older than `until` (ms); their ids."""
    k = wire.keys
    arguments: list[Argument] = [k.base, number(until), limit, state]
    reply: list[str] = await wire.run("cleanJobsInSet", [k.state(state), k.events, k.repeat], arguments)
    return reply


async def obliterate(wire: Wire, *, force: bool = False, count: int = 1000) -> bool:
    """obliterate: everything, `count` keys a call. True when more are left. Raises ObliterateNotPaused,
    ObliterateActiveJobs."""
    reply = await wire.run("obliterate", [wire.keys.meta, wire.keys.base], [count, "force" if force else ""])
    if reply == -1:
        raise ObliterateNotPaused
    if reply == -2:
        raise ObliterateActiveJobs
    return bool(reply)
