"""The scripts that only read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bullmq_ref.client import Argument
from bullmq_ref.wire import Wire, flat

_ITERATIONS = 5  # scans that paginate makes at most in a call


async def get_state(wire: Wire, job: str) -> str:
    """getStateV2: the name of the state (`waiting` for wait and paused alike), or `unknown`."""
    k = wire.keys
    keys = [k.completed, k.failed, k.delayed, k.active, k.wait, k.paused, k.waiting_children, k.prioritized]
    reply: str = await wire.run("getStateV2", keys, [job])
    return reply


async def get_counts(wire: Wire, states: Sequence[str]) -> list[int]:
    """getCounts: how many jobs are in each state."""
    reply: list[int] = await wire.run("getCounts", [wire.keys.base], [_stored(state) for state in states])
    return [count or 0 for count in reply]


async def get_counts_per_priority(wire: Wire, priorities: Sequence[int]) -> list[int]:
    """getCountsPerPriority: 0 counts the waiting (or paused) list."""
    k = wire.keys
    reply: list[int] = await wire.run("getCountsPerPriority", [k.wait, k.paused, k.meta, k.prioritized], priorities)
    return [count or 0 for count in reply]


async def get_ranges(wire: Wire, states: Sequence[str], start: int, end: int, *, ascending: bool) -> list[list[str]]:
    """getRanges: the ids of each state from `start` to `end`. Lists come newest first even when `ascending`."""
    arguments = [start, end, "1" if ascending else "0", *(_stored(state) for state in states)]
    reply: list[list[str] | None] = await wire.run("getRanges", [wire.keys.base], arguments)
    return [ids or [] for ids in reply]


async def get_rate_limit_ttl(wire: Wire, max_jobs: int | None = None) -> int:
    """getRateLimitTtl: ms that the queue is limited for; -2 when no limit is known and none runs."""
    reply: int = await wire.run(
        "getRateLimitTtl", [wire.keys.limiter, wire.keys.meta], ["0" if max_jobs is None else max_jobs]
    )
    return reply


async def is_maxed(wire: Wire) -> bool:
    """isMaxed: whether the global concurrency is reached."""
    return bool(await wire.run("isMaxed", [wire.keys.meta, wire.keys.active]))


async def is_finished(wire: Wire, job: str) -> tuple[int, Any]:
    """isFinished: 0 not yet; 1 with the return value's JSON; 2 with the reason; -1 with a text when it is missing."""
    k = wire.keys
    reply: list[Any] = await wire.run("isFinished", [k.completed, k.failed, k.job(job)], [job, "1"])
    return int(reply[0]), reply[1] if len(reply) > 1 else None


async def get_dependency_counts(wire: Wire, job: str, kinds: Sequence[str]) -> list[int]:
    """getDependencyCounts: of `processed`, `unprocessed`, `ignored`, `failed`."""
    k = wire.keys
    keys = [k.job(job, part) for part in ("processed", "dependencies", "failed", "unsuccessful")]
    reply: list[int] = await wire.run("getDependencyCounts", keys, kinds)
    return [count or 0 for count in reply]


async def paginate(wire: Wire, key: str, start: int, end: int) -> tuple[list[Any], int, list[dict[str, str]]]:
    """paginate: the members of a set (texts) or a hash (pairs) at positions `start` to `end` (-1: the last), how many
    there are in all, and the hashes of the jobs that they name. In no order, and not stable while they change."""
    size = end - start + 1 if end >= 0 else None
    cursor, offset = "0", 0
    items: list[Any] = []
    jobs: list[dict[str, str]] = []
    while True:
        arguments: list[Argument] = [start + len(items), end, cursor, offset, _ITERATIONS, 1]
        cursor, offset, found, total, *raw = await wire.run("paginate", [key], arguments)
        items += found
        jobs += [flat(fields) for hashes in raw for fields in hashes]
        if str(cursor) == "0" or (size is not None and len(items) >= size):
            return items, int(total), jobs


async def get_metrics(wire: Wire, kind: str, start: int, end: int) -> tuple[list[str | None], list[str], int]:
    """getMetrics of `completed` or `failed`: [count, prevTS, prevCount], points newest first, number of points."""
    key = wire.keys.metrics(kind)
    meta, points, total = await wire.run("getMetrics", [key, f"{key}:data"], [start, end])
    return meta, points, int(total)


def _stored(state: str) -> str:
    return "wait" if state == "waiting" else state
