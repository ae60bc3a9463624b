"""The scripts of a worker: take a job, hold it, and put it where it belongs next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from bullmq_ref import clock
from bullmq_ref.client import Argument
from bullmq_ref.errors import refused
from bullmq_ref.jsjson import number
from bullmq_ref.keys import Keys
from bullmq_ref.pack import pack
from bullmq_ref.wire import Wire, flat

NO_TOKEN = "0"  # means "without a lock" to the scripts


class Fetched(NamedTuple):
    """What a fetch brought: a job's hash and id, or None and how long (ms) the queue is limited, or until when (ms
    since the epoch) the next job is delayed."""

    fields: dict[str, str] | None = None
    id: str = ""
    limited_for: int = 0
    delayed_until: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """A worker's terms, as the scripts take them. `lock_duration` in ms, None outside a worker; `metrics` in data
    points, 0 for none."""

    lock_duration: float | None = None
    name: str | None = None
    limiter: Mapping[str, Any] | None = None
    metrics: int = 0


class Finish(NamedTuple):
    """The end of a job. `value` is JSON text of what it returned, or the raw reason of its failure.

    `keep` is `{count, age}`; `options` are the job's own; `updates` are hash fields written along.
    """

    state: Literal["completed", "failed"]
    value: str
    keep: Mapping[str, Any]
    options: Mapping[str, Any]
    updates: Mapping[str, str] | None = None


async def move_to_active(wire: Wire, token: str, terms: Terms) -> Fetched:
    """moveToActive: promote what is due and take the next job, if the queue lets us."""
    k = wire.keys
    packed = {"token": token, "lockDuration": terms.lock_duration, "limiter": terms.limiter, "name": terms.name}
    return _fetched(await wire.run("moveToActive", _taking(k), [k.marker, k.base, clock.now(), pack(packed)]))


@lru_cache
def _taking(k: Keys) -> tuple[str, ...]:
    """The first KEYS of the two scripts that take a job."""
    return (
        k.wait, k.active, k.prioritized, k.events, k.stalled, k.limiter, k.delayed, k.paused, k.meta, k.pc,
    )  # fmt: skip


async def move_to_finished(
    wire: Wire, job: str, token: str, finish: Finish, terms: Terms, *, at: int, fetch_next: bool
) -> Fetched:
    """moveToFinished: to completed or failed at `at` (ms); takes the next job in the same step when `fetch_next`.

    Raises JobNotExist, JobLockNotExist, JobNotInState, JobPendingChildren, JobLockMismatch, JobHasFailedChildren.
    """
    k = wire.keys
    target = k.completed if finish.state == "completed" else k.failed
    packed = {
        "token": token,
        "name": terms.name,
        "keepJobs": finish.keep,
        "limiter": terms.limiter,
        "lockDuration": terms.lock_duration,
        "attempts": finish.options.get("attempts", 0),
        "maxMetricsSize": terms.metrics or "",
        "fpof": bool(finish.options.get("failParentOnFailure")),
        "cpof": bool(finish.options.get("continueParentOnFailure")),
        "idof": bool(finish.options.get("ignoreDependencyOnFailure")),
        "rdof": bool(finish.options.get("removeDependencyOnFailure")),
    }
    arguments: list[Argument] = [
        target, k.job(job), k.metrics(finish.state), k.marker,  # the last KEYS
        job,
        at,
        "returnvalue" if finish.state == "completed" else "failedReason",
        finish.value,
        finish.state,
        int(fetch_next),
        k.base,
        pack(packed),
        _updates(finish.updates),
    ]  # fmt: skip
    reply = await wire.run("moveToFinished", _taking(k), arguments)
    if isinstance(reply, int) and reply < 0:
        raise refused(reply, command="moveToFinished", job=job, state="active")
    return _fetched(reply)


async def retry_job(
    wire: Wire, job: str, token: str, *, lifo: bool = False, updates: Mapping[str, str] | None = None
) -> None:
    """retryJob: from active back to wait or prioritized, one attempt counted. Raises JobNotExist, JobLockNotExist,
    JobNotInState, JobLockMismatch."""
    k = wire.keys
    keys = [
        k.active, k.wait, k.paused, k.job(job), k.meta, k.events, k.delayed, k.prioritized, k.pc, k.marker, k.stalled,
    ]  # fmt: skip
    push = "RPUSH" if lifo else "LPUSH"
    reply = await wire.run("retryJob", keys, [k.base, clock.now(), push, job, token, _updates(updates)])
    if reply < 0:
        raise refused(reply, command="retryJob", job=job, state="active")


async def move_to_delayed(
    wire: Wire,
    job: str,
    token: str,
    *,
    at: int,
    delay: float,
    skip_attempt: bool = False,
    updates: Mapping[str, str] | None = None,
) -> None:
    """moveToDelayed: from active to delayed, due `delay` ms after `at`. Raises as `retry_job`."""
    k = wire.keys
    keys = [k.marker, k.active, k.prioritized, k.delayed, k.job(job), k.events, k.meta, k.stalled]
    arguments: list[Argument] = [k.base, at, job, token, number(delay), "1" if skip_attempt else "0", _updates(updates)]
    reply = await wire.run("moveToDelayed", keys, arguments)
    if reply < 0:
        raise refused(reply, command="moveToDelayed", job=job, state="active")


async def move_to_waiting_children(wire: Wire, job: str, token: str, *, child: str | None = None) -> bool:
    """moveToWaitingChildren: True when moved, False when no child (or not this `child` key) is pending. Raises
    JobNotExist, JobLockNotExist, JobNotInState, JobLockMismatch, JobHasFailedChildren."""
    k = wire.keys
    keys = [
        k.active, k.waiting_children, k.job(job), k.job(job, "dependencies"), k.job(job, "unsuccessful"), k.stalled,
        k.events,
    ]  # fmt: skip
    reply = await wire.run("moveToWaitingChildren", keys, [token, child or "", clock.now(), job, k.base])
    if reply < 0:
        raise refused(reply, command="moveToWaitingChildren", job=job, state="active")
    return bool(reply == 0)


async def move_job_from_active_to_wait(wire: Wire, job: str, token: str) -> int:
    """moveJobFromActiveToWait: to the front of wait or of its priority; returns the ms that the queue is limited for.
    Raises JobNotExist, JobLockNotExist, JobLockMismatch."""
    k = wire.keys
    keys = [k.active, k.wait, k.stalled, k.paused, k.meta, k.limiter, k.prioritized, k.marker, k.events]
    reply: int = await wire.run("moveJobFromActiveToWait", keys, [job, token, k.job(job)])
    if reply < 0:
        raise refused(reply, command="moveJobFromActiveToWait", job=job, state="active")
    return reply


async def extend_lock(wire: Wire, job: str, token: str, duration: float) -> int:
    """extendLock: 1 when the lock now lasts `duration` ms more, 0 when it is not ours."""
    k = wire.keys
    reply: int = await wire.run("extendLock", [k.job(job, "lock"), k.stalled], [token, number(duration), job])
    return reply


async def extend_locks(wire: Wire, jobs: Sequence[str], tokens: Sequence[str], duration: float) -> list[str]:
    """extendLocks: the ids whose lock could not be renewed."""
    k = wire.keys
    reply: list[str] = await wire.run("extendLocks", [k.stalled], [k.base, pack(tokens), pack(jobs), number(duration)])
    return reply


async def move_stalled_jobs_to_wait(wire: Wire, *, max_stalled_count: int, interval: float) -> list[str]:
    """moveStalledJobsToWait: one sweep, at most one per `interval` ms over all workers; the ids put back."""
    k = wire.keys
    keys = [k.stalled, k.wait, k.active, k.stalled_check, k.meta, k.paused, k.marker, k.events]
    arguments: list[Argument] = [max_stalled_count, k.base, clock.now(), number(interval)]
    reply: list[str] | None = await wire.run("moveStalledJobsToWait", keys, arguments)
    return reply or []


def _updates(fields: Mapping[str, str] | None) -> bytes:
    return pack([part for field in fields.items() for part in field]) if fields else b""


def _fetched(reply: Any) -> Fetched:
    if not reply:
        return Fetched()
    fields, job, limited_for, delayed_until = reply
    return Fetched(flat(fields) if fields else None, str(job), int(limited_for), int(delayed_until))
