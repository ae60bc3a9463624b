"""A shadow run: a server, a crew, one round after the other; whatever happens, nothing of it is left."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from redis.exceptions import RedisError

from compat.capture import NeverStill
from compat.drivers import CallRaised
from compat.faults import Proxy
from compat.model.cell import Side
from compat.protocol.messages import Welcome
from compat.servers import Server
from compat.shadow.crew import Crew, SideFailed
from compat.shadow.plan import SIDES, Plan
from compat.shadow.result import Result
from compat.shadow.round import RoundRun, Stuck, Tell
from compat.shadow.work import work

_LAST_LOOK = 15.0  # s that the account of a round that was broken off may take


class Unable(Exception):
    """A side cannot take part; the text says what it lacks."""


async def shadow(
    plan: Plan,
    server: Server,
    commands: Mapping[Side, tuple[str, ...]],
    *,
    begun: Callable[[Mapping[Side, Welcome]], None],
    tell: Tell,
    keep: Callable[[Result], None],
) -> str:
    """Make the run; every round's result is handed to `keep`, also that of one that was broken off. "", or why the run
    ended before it should. `begun` is told what the sides say of themselves. Raises `SideFailed`, `Unable`."""
    token = secrets.token_hex(3)
    ends = None if plan.seconds is None else time.monotonic() + plan.seconds
    async with AsyncExitStack() as stack:
        proxy = None
        if plan.faults and server.topology == "single":
            proxy = await stack.enter_async_context(Proxy(server.nodes[0]))
        crew = Crew(plan, commands)
        stack.push_async_callback(crew.close)
        welcomes = await crew.launch()
        _able(welcomes, server)
        begun(welcomes)
        plays = set.intersection(*(set(welcome.capabilities.processor) for welcome in welcomes.values()))
        for number, numbers in enumerate(plan.rounds(), 1):
            if ends is not None and time.monotonic() >= ends:
                break
            stem = f"{plan.prefix}-{token}-{number}"
            prefix = f"{{{stem}}}" if server.topology == "cluster" else stem
            works = [work(plan.seed, n, plays) for n in numbers]
            run = RoundRun(plan, crew, server, proxy, number, prefix, works, tell)
            try:
                await run.play(ends)
            except Stuck as stuck:
                keep(await run.reckon())
                return str(stuck)
            except BaseException:
                await _last(run, crew, keep)
                raise
            else:
                keep(await run.reckon())
            finally:
                await _swept(crew, server, prefix)
    return ""


async def _last(run: RoundRun, crew: Crew, keep: Callable[[Result], None]) -> None:
    """What a round that was broken off had come to, once nobody works on it any more; nothing, where a side does not
    stop or Redis does not tell: the error that broke it off is on its way."""
    with contextlib.suppress(SideFailed, CallRaised, NeverStill, RedisError, OSError, TimeoutError):
        async with asyncio.timeout(_LAST_LOOK):
            with contextlib.suppress(SideFailed):
                await crew.end()
            keep(await run.reckon())


async def _swept(crew: Crew, server: Server, prefix: str) -> None:
    """End the round on all sides, then delete its keys."""
    try:
        await crew.end()
    except SideFailed:
        await crew.close()  # a driver that does not end a round might still write
        raise
    finally:
        await server.delete_prefix(prefix)


def _able(welcomes: Mapping[Side, Welcome], server: Server) -> None:
    for side in SIDES:
        can = welcomes[side].capabilities
        name = welcomes[side].name or side
        if not can.worker:
            raise Unable(f"{name} offers no worker; a driver declares `worker.open` and answers `processor.call`")
        if server.topology == "cluster" and not can.cluster:
            raise Unable(f"{name} does not offer Redis Cluster")
    if not any("add" in welcome.capabilities.queue for welcome in welcomes.values()):
        raise Unable("neither side can add jobs")
