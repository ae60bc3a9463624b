"""Facts to wait for: `until` polls Redis until what it names holds, or its deadline passes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import OutOfMemoryError, ResponseError

from compat.capture import text
from compat.model.history import Label, Notice
from compat.model.steps import OF_SCRIPTS, Until
from compat.servers.binary import release

_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.02  # s between two looks

_LISTS = frozenset({"wait", "paused", "active"})
_STATES = (*sorted(_LISTS), "delayed", "prioritized", "waiting-children", "completed", "failed")

T = TypeVar("T")


async def poll(look: Callable[[], Awaitable[T | None]], deadline_ms: int) -> T | None:
    """Look again and again, at growing distances, until `look` finds something; None past the deadline."""
    end = time.monotonic() + deadline_ms / 1000
    pause = _FIRST_PAUSE
    while (found := await look()) is None:
        if time.monotonic() > end:
            return None
        await asyncio.sleep(pause)
        pause = min(pause * 1.4, _LONGEST_PAUSE)
    return found


async def counts(client: Redis, base: str, states: tuple[str, ...]) -> dict[str, int | None]:
    """How many jobs are in each of `states`; None where the port keeps something else under the state's key."""

    def sizes(pipe: Pipeline) -> None:
        for state in states:
            if state in _LISTS:
                pipe.llen(f"{base}:{state}")
            else:
                pipe.zcard(f"{base}:{state}")

    replies = await together(client, sizes)
    return {state: sound(reply) for state, reply in zip(states, replies, strict=True)}


async def held(client: Redis, base: str) -> str:
    """Where a queue's jobs are, in words: `active 1, failed 2`."""
    there = await counts(client, base, _STATES)
    return ", ".join(f"{state} {number}" for state, number in there.items() if number) or "no job"


async def together(client: Redis, ask: Callable[[Pipeline], None]) -> list[Any]:
    """The replies to what `ask` puts into a pipeline, of one instant, with errors in their places; one after the other
    where memory is full: Redis takes nothing into a MULTI then."""
    pipe = client.pipeline(transaction=True)
    ask(pipe)
    try:
        return await pipe.execute(raise_on_error=False)
    except OutOfMemoryError:
        pipe = client.pipeline(transaction=False)
        ask(pipe)
        return await pipe.execute(raise_on_error=False)


def sound(reply: Any) -> Any:
    """A reply of a pipeline; None where the port keeps a key of another type than Node does. Raises other errors."""
    if isinstance(reply, ResponseError) and "WRONGTYPE" in str(reply):
        return None
    if isinstance(reply, Exception):
        raise reply
    return reply


async def _told(node: Redis, name: str) -> int:
    """How often a node has answered with an error."""
    return int((await node.info("errorstats")).get(f"errorstat_{name}", {}).get("count", 0))


async def _failed_scripts(node: Redis) -> int:
    """How often a node has answered a script's call with an error; that it does not know the script is none."""
    calls = await node.info("commandstats")
    failed = sum(int(calls.get(f"cmdstat_{name}", {}).get("failed_calls", 0)) for name in ("eval", "evalsha"))
    return failed - await _told(node, "NOSCRIPT")


async def _unnamed(client: Redis) -> int:
    """How often a script failed by an error whose name Redis does not tell: before 7.0 it calls each of them ERR."""
    named = release((await client.info("server"))["redis_version"]) >= (7,)
    return 0 if named else await _failed_scripts(client)


async def happened(client: Redis, base: str, event: str, job_id: str | None) -> int:
    """How often `event` stands in the stream (of one job, where an id is given); never, when that is no stream."""
    number = 0
    try:
        entries = await client.xrange(f"{base}:events") or ()
    except ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        return 0
    for _, fields in entries:
        row = {text(name): text(value) for name, value in (fields or {}).items()}
        number += row.get("event") == event and job_id in (None, row.get("jobId"))
    return number


async def newest(client: Redis, base: str) -> tuple[str, str, str] | None:
    """Id, event and job (or "") of the stream's last entry; None without one, and when that is no stream."""
    try:
        entries = await client.xrevrange(f"{base}:events", count=1) or ()
    except ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        return None
    for entry, fields in entries:
        row = {text(name): text(value) for name, value in (fields or {}).items()}
        return text(entry), row.get("event", ""), row.get("jobId", "")
    return None


async def seen(
    until: Until,
    client: Redis,
    base: str,
    labels: dict[str, Label],
    notices: list[Notice],
    held: Callable[[str], int],
    nodes: Sequence[Redis],
) -> list[str]:
    """What is still missing for `until` to hold, in words; empty when it holds. `client` leads to the queue's node; an
    error may have come from any of the `nodes` (on half a slot Redis 6.2 leaves TRYAGAIN to the other one)."""
    missing: list[str] = []
    label = labels.get(until.job) if until.job is not None else None
    job_id = label.id if label is not None else None
    if until.gate is not None and (now := held(until.gate)) != until.waiting:
        missing.append(f"{until.waiting} attempts held at gate {until.gate!r} (there are {now})")
    if until.state is not None:
        there = await counts(client, base, tuple(until.state))
        missing += [
            f"{state}: {want} (is {'of another type' if there[state] is None else there[state]})"
            for state, want in until.state.items()
            if there[state] != want
        ]
    if until.event is not None and (now := await happened(client, base, until.event, job_id)) < until.count:
        of = f" of job {until.job}" if until.job else ""
        missing.append(f"{until.count} × event {until.event!r}{of} (there are {now})")
    if until.key is not None:
        exists = bool(await client.exists(f"{base}:{until.key.key}"))
        if exists != until.key.exists:
            missing.append(f"key {until.key.key!r} {'to exist' if until.key.exists else 'to be gone'}")
    if until.errors is not None:
        for name, least in until.errors.items():
            if name == OF_SCRIPTS:
                now = sum([await _failed_scripts(node) for node in nodes])
            else:
                now = sum([await _told(node, name) for node in nodes])
                now += await _unnamed(client) if now < least else 0
            if now < least:
                missing.append(f"{least} × an error {name} from Redis (there are {now})")
    if until.notice is not None:
        mine = [n for n in notices if until.of in (None, n.object)]
        now = sum(n.event == until.notice and job_id in (None, n.job) for n in mine)
        if now < until.count:
            missing.append(f"{until.count} × the driver's notice {until.notice!r} (there are {now})")
    return missing
