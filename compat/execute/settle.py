"""Settling: no worker is between two commands. What depends on who popped last is compared only then.

A worker is at rest when it is blocked on its marker (CLIENT LIST says so), or when all its slots are held at gates; and
every job in `active` must be one that is held, that a test drives by hand, or that a dead worker left.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from compat.capture import text
from compat.execute.facts import sound, together

SETTLE_DEADLINE = 8_000  # ms


@dataclass(frozen=True)
class Bench:
    """One open worker as settling sees it: its login, its queue's base key, its slots and how many of them are held."""

    name: str
    user: str
    base: str
    slots: int
    held: int
    looping: bool  # has a processor and is not paused locally
    limit: int | None = None  # its rate limiter's `max`

    @property
    def must_block(self) -> bool:
        return self.looping and self.held < self.slots


@dataclass(frozen=True)
class Rest:
    """What was found: `unrest` in words, empty when settled; `idle` workers blocked with no slot held."""

    unrest: tuple[str, ...]
    idle: int


async def look(client: Redis, benches: Iterable[Bench], explained: set[tuple[str, str]], since: int | None) -> Rest:
    """One look, atomic on the node. `explained` holds (base key, job id) of jobs that may be active.

    `since`: on a server without logins of our own, connections younger than this client id are the drivers'.
    """
    benches = tuple(benches)
    bases = sorted({bench.base for bench in benches})

    def ask(pipe: Pipeline) -> None:
        pipe.client_list()
        for base in bases:
            pipe.lrange(f"{base}:active", 0, -1)
            pipe.get(f"{base}:limiter")
            pipe.hget(f"{base}:meta", "max")

    clients, *answers = map(sound, await together(client, ask))
    active, limiters, limits = answers[::3], answers[1::3], answers[2::3]
    blocked: dict[str, int] = {}
    for row in clients:
        # `cmd` is the last command, blocked or not: the flag tells.
        if (
            row.get("cmd") != "bzpopmin"
            or "b" not in row.get("flags", "")
            or (since is not None and int(row["id"]) <= since)
        ):
            continue
        user = "" if since is not None else row.get("user", "")
        blocked[user] = blocked.get(user, 0) + 1
    sleeping = {
        base
        for base, count, limit in zip(bases, limiters, limits, strict=True)
        if _exhausted(count, limit, [bench.limit for bench in benches if bench.base == base])
    }
    unrest: list[str] = []
    for base, jobs in zip(bases, active, strict=True):
        strangers = [text(job) for job in jobs or () if (base, text(job)) not in explained]
        if strangers:
            unrest.append(f"job {', '.join(strangers)} in active, held at no gate")
    idle = 0
    for user in sorted({bench.user for bench in benches}):
        mine = [bench for bench in benches if bench.user == user]
        want = sum(bench.must_block and bench.base not in sleeping for bench in mine)
        if blocked.get(user, 0) < want:
            names = ", ".join(bench.name for bench in mine if bench.must_block)
            unrest.append(f"{names}: {blocked.get(user, 0)} of {want} blocked on the marker")
        idle += sum(bench.must_block and bench.held == 0 and bench.base not in sleeping for bench in mine)
    return Rest(tuple(unrest), idle)


def _exhausted(count: bytes | None, everyones: bytes | None, own: list[int | None]) -> bool:
    """Whether a rate limit is used up, so that workers sleep instead of blocking (a queue's limit rules a worker's)."""
    if count is None or not count.isdigit():  # a port may keep anything there
        return False
    queues = everyones is not None and everyones.isdigit()
    limits = [int(everyones or 0)] if queues else [limit for limit in own if limit is not None]
    return bool(limits) and int(count) >= min(limits)
