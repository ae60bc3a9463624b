"""A round: both sides work on what is added, then each side alone works on the twins of what the other one finished."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from redis.exceptions import RedisError

from compat.capture import capture
from compat.chaos.account import Added, Strike
from compat.chaos.striker import Striker
from compat.drivers import CallRaised
from compat.faults import Proxy
from compat.model.cell import Side
from compat.model.history import Problem
from compat.protocol.messages import Redis
from compat.servers import Server
from compat.shadow import result
from compat.shadow.crew import Crew, Hand
from compat.shadow.ledger import Ledger
from compat.shadow.plan import OTHER, SIDES, Plan
from compat.shadow.work import Copy, Work

LANES = 25  # adds under way at once
_POLL = 0.05  # s
_TELLING = 0.2  # s
_PENDING = ("wait", "paused", "active", "delayed", "prioritized", "waiting-children")


@dataclass(frozen=True)
class Moment:
    """What is under way: the phase ("both", or the side that is alone), jobs ended in this round, calls by side."""

    phase: str
    ended: int
    calls: Mapping[Side, int]
    strike: Strike | None = None


Tell = Callable[[Moment], None]


class Stuck(Exception):
    """No job gets on any more."""


class RoundRun:
    """One round. `play` does it all; `result` reckons up what there is, also of a round that was broken off."""

    def __init__(
        self,
        plan: Plan,
        crew: Crew,
        server: Server,
        proxy: Proxy | None,
        number: int,
        prefix: str,
        works: Sequence[Work],
        tell: Tell,
    ) -> None:
        self._plan, self._crew, self._server, self._proxy, self._tell = plan, crew, server, proxy, tell
        self.prefix = prefix
        self._base = f"{prefix}:{plan.queue}"
        self._ledger = Ledger({work.number: work for work in works})
        self._phase, self._ended = "both", 0
        self._whole = False
        self._striker: Striker[Hand] | None = None
        self._round = result.Round(
            number, plan.queue, server.topology, plan.concurrency, time.time() * 1000, faults=bool(plan.faults)
        )

    async def play(self, until: float | None) -> None:
        """Work on every payload twice; none is begun past `until` (of the monotonic clock). Raises `SideFailed`, and
        `Stuck` when jobs are left that nobody works on."""
        await self._crew.begin(self._round.number, self.prefix, self._redis(), self._ledger)
        telling = asyncio.create_task(self._keep_telling())
        try:
            await self._both(until)
            for side in SIDES:
                await self._alone(side)
        except Stuck:
            self._whole = True  # what is left is lost
            raise
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        for side in SIDES:
            await self._crew.stop(side)
        self._whole = True

    async def reckon(self) -> result.Result:
        """What came of it."""
        clients = [self._server.client(node) for node in self._server.nodes]
        # What a broken-off round left active would have been gone on with: it counts as one with workers open.
        at_work = len(self._crew.working) if self._whole else len(SIDES)
        taken = await capture(clients, self.prefix, label="end", step=0, workers_open=at_work, workers_idle=0)
        strays = await self._server.stray_keys([self.prefix]) if self._server.own else []
        strikes = tuple(self._striker.strikes) if self._striker is not None else ()
        return result.result(replace(self._round, strikes=strikes, whole=self._whole), taken, self._ledger, strays)

    def _redis(self) -> Redis:
        address = self._server.address(None, None)
        return address if self._proxy is None else Redis("single", (("127.0.0.1", self._proxy.port),))

    # --- phases ------------------------------------------------------------------------------------------------------

    async def _both(self, until: float | None) -> None:
        adding = asyncio.create_task(self._add([Copy(n, False) for n in self._ledger.works], self._gap(), until))
        try:
            if self._plan.faults:
                self._striker = Striker(self._server, self._proxy, self._base, self._crew.workers, self._crew.again)
                for gap, fault, chance in self._plan.strikes(self._server.topology, self._round.number):
                    await asyncio.wait({adding}, timeout=gap)
                    if adding.done():
                        break
                    self._tell(self._moment(await self._striker.strike(fault, chance)))
            await adding
        finally:
            adding.cancel()
            await asyncio.gather(adding, return_exceptions=True)
        await self._quiet()

    async def _alone(self, side: Side) -> None:
        """Let `side` work alone on twins of what the other one finished."""
        finished = [n for n in self._ledger.works if self._ledger.finisher(Copy(n, False)) == OTHER[side]]
        if not finished:
            return
        self._phase = side
        await self._crew.stop(OTHER[side])
        await self._add([Copy(n, True) for n in finished], 1 / self._plan.rate, None)
        await self._quiet()
        await self._crew.start(OTHER[side])

    def _gap(self) -> float:
        return self._plan.gap(len(self._ledger.works))

    async def _add(self, copies: Sequence[Copy], gap: float, until: float | None) -> None:
        """Add jobs at their times, through each side's queue in turn: a twin through the other one than its twin."""
        able = [side for side in SIDES if self._crew.adds(side)]
        started = time.monotonic()
        lanes = asyncio.Semaphore(LANES)
        async with asyncio.TaskGroup() as group:
            for place, copy in enumerate(copies):
                await asyncio.sleep(max(0.0, started + place * gap - time.monotonic()))
                if until is not None and time.monotonic() > until:
                    return
                await lanes.acquire()
                group.create_task(self._add_one(able[(copy.number + copy.twin) % len(able)], copy, lanes))

    async def _add_one(self, side: Side, copy: Copy, lanes: asyncio.Semaphore) -> None:
        since = time.time() * 1000
        job: str | None = None
        problem = Problem("")
        try:
            job = await self._crew.add(side, copy)
        except CallRaised as raised:
            problem = raised.problem
        finally:
            lanes.release()
        error = f"{problem.symbol}: {problem.text}" if job is None else ""
        self._ledger.adds.append(Added(f"{side}-adder", copy.place, job, since, time.time() * 1000, error))

    # --- waiting -----------------------------------------------------------------------------------------------------

    async def _quiet(self) -> None:
        """Wait until no job is left to do. Raises `Stuck` and `SideFailed`."""
        before, since = (-1, -1), time.monotonic()
        while True:
            self._crew.check()
            pending = await self._look()
            if pending == 0:
                return
            now = (self._ended, len(self._ledger.calls))
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > self._plan.patience:
                raise Stuck(f"{pending} jobs are left and nobody has worked on one for {self._plan.patience:g} s")
            await asyncio.sleep(_POLL)

    async def _look(self) -> int | None:
        """How many jobs have not ended, read at one instant; None while Redis cannot be asked."""
        client = self._server.client(self._server.owner(f"{self._base}:wait"))
        pipe = client.pipeline(transaction=True)
        for state in _PENDING[:3]:
            pipe.llen(f"{self._base}:{state}")
        for state in (*_PENDING[3:], "completed", "failed"):
            pipe.zcard(f"{self._base}:{state}")
        try:
            sizes = [int(size) for size in await pipe.execute()]
        except (RedisError, OSError):
            return None
        self._ended = sum(sizes[-2:])
        return sum(sizes[:-2])

    async def _keep_telling(self) -> None:
        while True:
            await self._look()
            self._tell(self._moment())
            await asyncio.sleep(_TELLING)

    def _moment(self, strike: Strike | None = None) -> Moment:
        return Moment(self._phase, self._ended, self._ledger.per_side, strike)
