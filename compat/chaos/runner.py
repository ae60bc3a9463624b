"""A chaos run: players on a server of its own, faults while jobs are added, then quiet, then the account."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from compat.capture import text
from compat.chaos.account import Account, Kept, Strike, account
from compat.chaos.plan import Plan
from compat.chaos.players import PREFIX, QUEUE, Player, Side, start
from compat.chaos.striker import Striker
from compat.compare.lives import finishes
from compat.faults import Proxy
from compat.model.capture import StreamEntry
from compat.servers import Binary, Server, ServerError, embedded
from compat.wire.states import LISTS, STATES

WORKERS: tuple[Side, ...] = ("node", "ref", "node", "ref")
STUCK = 60.0  # s without a job that ends: what is left then is lost
_PAGE = 1_000
_POLL = 0.1
_BASE = f"{PREFIX}:{QUEUE}:"

#: Called with the jobs that have ended, and with a strike when there was one.
Tell = Callable[[int, Strike | None], None]


async def chaos(plan: Plan, tell: Tell, *, binary: Binary | None = None) -> Account:
    """Make the run. Whatever happens, nothing of it is left. Raises ServerError, ImplementationError, NotStarted."""
    replicas = plan.topology == "cluster" and "failed-over" in plan.faults
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bullmq-compat-chaos-")))
        single = plan.topology == "single"
        server = await stack.enter_async_context(
            embedded(plan.topology, binary=binary, durable=single, replicas=replicas)
        )
        proxy = await stack.enter_async_context(Proxy(server.nodes[0])) if single else None
        run = _Chaos(plan, server, proxy, folder, tell)
        stack.push_async_callback(run.end)
        return await run.go()


class _Chaos:
    def __init__(self, plan: Plan, server: Server, proxy: Proxy | None, folder: Path, tell: Tell) -> None:
        self._plan, self._server, self._proxy, self._folder, self._tell = plan, server, proxy, folder, tell
        self._numbers = count(1)
        self._players: list[Player] = []  # all there ever were
        nodes = [("127.0.0.1", proxy.port)] if proxy else [(node.host, node.port) for node in server.nodes]
        self._told: dict[str, Any] = {
            "nodes": nodes,
            "cluster": proxy is None,
            "jobs": plan.jobs,
            "gap": plan.seconds / plan.jobs * 2,
            "events": plan.jobs * 50,
        }

    async def go(self) -> Account:
        workers = [await self._worker(side) for side in WORKERS]
        for worker in workers:
            await worker.ready()
        sides: tuple[Side, ...] = ("node", "ref")
        adders = [await self._start(side, "adder", f"{side}-adder", {"first": n}) for n, side in enumerate(sides)]
        for adder in adders:
            await adder.ready()
        striker = Striker(self._server, self._proxy, _BASE.rstrip(":"), workers, self._replaced)
        for gap, fault, chance in self._plan.strikes():
            if await self._done(adders, gap):
                break
            self._tell(await self._ended(), await striker.strike(fault, chance))
        await self._quiet()
        await self.end()
        kept = [job async for job in self._kept()]
        twice = [f"job {job} (`{event}`)" for job, event in finishes(tuple([e async for e in self._entries()]))]
        runs = [run for player in self._players if player.role == "worker" for run in player.runs()]
        adds = [add for adder in adders for add in adder.adds()]
        return account(adds, runs, kept, striker.strikes, asked=self._plan.jobs, ended_twice=twice)

    async def end(self) -> None:
        """End all players. May be called again."""
        await asyncio.gather(*(player.end() for player in self._players))

    async def _start(self, side: Side, role: Any, name: str, more: dict[str, Any]) -> Player:
        player = await start(side, role, name, self._folder, self._told | more)
        self._players.append(player)
        return player

    async def _worker(self, side: Side) -> Player:
        return await self._start(side, "worker", f"{side}-{next(self._numbers)}", {})

    async def _replaced(self, victim: Player) -> Player:
        return await self._worker("node" if victim.name.startswith("node") else "ref")

    async def _done(self, adders: list[Player], seconds: float) -> bool:
        """Whether all is added, after so many seconds at most. Raises ServerError when an adder has died."""
        until = time.monotonic() + seconds
        while not (done := all(adder.done for adder in adders)) and time.monotonic() < until:
            for adder in adders:
                if not adder.process.alive:
                    raise ServerError(str(adder.process.death()), expected="an adder that lives", remedy="report it")
            self._tell(await self._ended(), None)
            await asyncio.sleep(_POLL)
        return done

    async def _quiet(self) -> None:
        """Wait until nothing is left to do, or nothing is done any more."""
        before, since = -1, time.monotonic()
        while time.monotonic() - since < STUCK:
            ended = await self._ended()
            self._tell(ended, None)
            if ended != before:
                before, since = ended, time.monotonic()
            if ended and not await self._waiting():
                return
            await asyncio.sleep(_POLL)

    @property
    def _redis(self) -> Redis:
        return self._server.client(self._server.owner(f"{_BASE}wait"))

    async def _ended(self) -> int:
        """How many jobs have ended; 0 while Redis cannot be asked."""
        try:
            return int(await self._redis.zcard(f"{_BASE}completed")) + int(await self._redis.zcard(f"{_BASE}failed"))
        except (RedisError, OSError):
            return 0

    async def _waiting(self) -> int:
        sizes = [await self._redis.llen(f"{_BASE}{state}") for state in LISTS]
        sizes += [await self._redis.zcard(f"{_BASE}{state}") for state in ("prioritized", "delayed")]
        return sum(map(int, sizes))

    async def _kept(self) -> AsyncIterator[Kept]:
        """Every job in any state."""
        for state in STATES:
            read: Any = self._redis.lrange if state in LISTS else self._redis.zrange
            for first in count(0, _PAGE):
                ids: list[bytes] = await read(f"{_BASE}{state}", first, first + _PAGE - 1)
                if not ids:
                    break
                pipe = self._redis.pipeline(transaction=False)
                for job in ids:
                    pipe.hmget(f"{_BASE}{text(job)}", "data", "failedReason", "stc")
                for job, (data, reason, stalled) in zip(ids, await pipe.execute(), strict=True):
                    number = json.loads(data)["n"] if data else -1
                    yield Kept(text(job), number, state, text(reason or b""), int(stalled or 0))

    async def _entries(self) -> AsyncIterator[StreamEntry]:
        """The whole stream: it was never trimmed."""
        after = "-"
        while rows := await self._redis.xrange(f"{_BASE}events", after, "+", count=_PAGE):
            for entry_id, fields in rows:
                yield StreamEntry(text(entry_id), tuple((text(f), text(v)) for f, v in (fields or {}).items()))
            after = f"({text(rows[-1][0])}"
