"""Waiting: until a fact holds, until the workers are at rest."""

from __future__ import annotations

import asyncio
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from compat.drivers.driver import PATIENT_DEADLINE
from compat.execute.facts import held, newest, poll, seen
from compat.execute.settle import SETTLE_DEADLINE, Bench, look
from compat.execute.stage import Stage
from compat.execute.trouble import Trouble
from compat.model.steps import Until

#: Faults under which Redis can be relied on.
CALM: Final = frozenset({"driver-frozen", "clock-stepped", "reply-lost", "scripts-flushed-within"})
TOLD_DEADLINE: Final = 2_000  # ms
LAST_LOOK: Final = 1.0  # s


class Waiting:
    """Looks at Redis until what a step needs is true."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def until(self, until: Until) -> None:
        """Raises `Trouble` past the deadline, with what is missing."""
        stage = self._stage
        base = stage.base(until.queue)
        missing: list[str] = []

        async def look_once() -> bool | None:
            self._check()
            client = stage.client(base)
            at_gate, notices = stage.processor.waiting, stage.players.notices
            try:
                nodes = [stage.server.client(node) for node in stage.server.nodes]
                missing[:] = await seen(until, client, base, stage.labels, notices, at_gate, nodes)
            except (RedisError, OSError) as error:
                missing[:] = [self._silence(error)]
            return None if missing else True

        deadline = PATIENT_DEADLINE if stage.players.patient else until.deadline
        if await poll(look_once, deadline) is None:
            there = f" (the queue holds {await self._holds(base)})" if until.state is not None else ""
            raise Trouble("late", f"waited {deadline} ms for {'; '.join(missing)}{there}")

    async def _holds(self, base: str) -> str:
        try:
            async with asyncio.timeout(LAST_LOOK):
                return await held(self._stage.client(base), base)
        except (RedisError, OSError) as error:  # TimeoutError among them
            return f"what Redis does not tell: {error!r}"

    async def settled(self) -> tuple[int, int]:
        """Wait until every worker is at rest; (open, idle) workers. Raises `Trouble` when one never is."""
        stage = self._stage
        if not stage.any_worker():
            return 0, 0
        unrest: tuple[str, ...] = ()

        async def look_once() -> tuple[int, int] | None:
            nonlocal unrest
            self._check()
            benches = self.benches()
            explained = stage.bases(stage.processor.held_jobs()) | stage.by_hand | stage.orphans
            homes: dict[Redis, list[Bench]] = {}
            for bench in benches:
                homes.setdefault(stage.client(bench.base), []).append(bench)
            try:
                rests = [await look(client, mine, explained, stage.since) for client, mine in homes.items()]
            except (RedisError, OSError) as error:
                unrest = (self._silence(error),)
                return None
            unrest = tuple(words for rest in rests for words in rest.unrest)
            if unrest or benches != self.benches():
                return None
            return sum(bench.looping for bench in benches), sum(rest.idle for rest in rests)

        found = await poll(look_once, SETTLE_DEADLINE)
        if found is None:
            raise Trouble("late", f"waited {SETTLE_DEADLINE} ms for the workers to come to rest: {'; '.join(unrest)}")
        return found

    async def told(self) -> None:
        """Wait until each open reader of events has told of its stream's last entry. One that never does is no trouble
        here: what it has told is compared."""
        stage = self._stage
        unheard = stage.unheard()
        readers = {
            key: stage.base(key[0])
            for key, player in stage.opened.items()
            if stage.scenario.objects[key[0]].kind == "events" and key[0] not in unheard and not player.frozen
        }

        async def look_once() -> bool | None:
            self._check()
            for (name, side), base in readers.items():
                last = await newest(stage.client(base), base)
                if last is None or last[0] == stage.heard.get((name, side)):
                    continue
                mine = [(n.event, n.job or "") for n in stage.players.notices if (n.object, n.side) == (name, side)]
                if last[1:] not in mine[-1:]:
                    return None
            return True

        await poll(look_once, TOLD_DEADLINE)

    async def before_add(self) -> None:
        """Whether a worker is blocked or about to be decides who pops the marker. In trouble, who knows."""
        if self._stage.dirty and CALM.issuperset(self._stage.struck.values()):
            await self.settled()
        self._stage.dirty = self._stage.any_worker()

    def benches(self) -> list[Bench]:
        """Every open worker, as it is now."""
        stage, benches = self._stage, []
        for (name, side), player in stage.opened.items():
            if stage.scenario.objects[name].kind != "worker" or player.frozen:
                continue
            slots = int(stage.worker_opts[name].get("concurrency", 1))
            looping = stage.looping(name) and (name, side) not in stage.paused
            held = stage.processor.held(name, side)
            limit = (stage.worker_opts[name].get("limiter") or {}).get("max")
            benches.append(Bench(name, player.user, stage.base(name), slots, held, looping, limit))
        return benches

    def _silence(self, error: Exception) -> str:
        """What is missing while Redis cannot be asked, in a cell with faults; in any other that is an error."""
        if not self._stage.faulty:
            raise error
        return f"Redis to answer (it said: {error})"

    def _check(self) -> None:
        stage = self._stage
        if stage.processor.trouble is not None:
            raise stage.processor.trouble
        for player in stage.players.all:
            if player.driver.broken is None or player.dead:
                continue
            if not player.dying:
                raise Trouble.of(player.driver.broken, player.side)
            player.dead = True
            for name, side in [key for key, holder in stage.opened.items() if holder is player]:
                stage.bury(name, side)
