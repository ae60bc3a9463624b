"""Incidents: what befalls objects beside the calls: time passes, keys expire, workers sweep and die."""

from __future__ import annotations

import time
from datetime import datetime

from compat.drivers import CallRaised
from compat.execute.facts import poll
from compat.execute.players import Player
from compat.execute.settle import SETTLE_DEADLINE
from compat.execute.stage import Stage
from compat.execute.trouble import Trouble
from compat.execute.waiting import Waiting
from compat.model.history import Move
from compat.model.steps import Expire

DUE_NOW = {"0": 0}  # the base marker, as `resume` writes it


class Incidents:
    """Lets each happen when the workers are at rest."""

    def __init__(self, stage: Stage, waiting: Waiting) -> None:
        self._stage, self._waiting = stage, waiting

    async def expire(self, expire: Expire) -> None:
        stage = self._stage
        if expire.lock is not None:
            label = stage.label(expire.lock)
            key = f"{stage.prefix}:{label.queue}:{label.id}:lock"
            if (label.queue, label.id) not in stage.processor.held_jobs():  # whoever had it has given it up
                stage.orphans |= stage.bases({(label.queue, label.id)})
        else:
            key = f"{stage.base(expire.queue)}:{stage.filled(expire.key)}"
        await stage.client(key).delete(key.encode("utf-8", "surrogateescape"))
        stage.dirty = True

    async def sweep(self, worker: str, raises: str | None) -> None:
        stage = self._stage
        await self._waiting.settled()
        await stage.client(stage.base(worker)).delete(f"{stage.base(worker)}:stalled-check")
        await stage.ask(stage.turn(worker), "worker.sweep", {"on": worker}, worker, raises)
        stage.dirty = True

    async def kill(self, worker: str) -> None:
        stage = self._stage
        await self._waiting.settled()
        player = stage.bury(worker, stage.victim(worker))
        await stage.players.kill(player)

        async def gone() -> bool | None:
            clients = await stage.server.client(stage.home).client_list()
            return None if any(player.user == row.get("user") for row in clients) else True

        # A dead worker's connection may still be served a marker until Redis has seen its end.
        if player.user and await poll(gone, SETTLE_DEADLINE) is None:
            raise Trouble("environment", f"Redis still holds connections of {worker}, which was killed")

    # --- time --------------------------------------------------------------------------------------------------------

    async def advance(self, ms: int) -> None:
        await self._set_clock(self._offset() + ms)

    async def clock(self, moment: str) -> None:
        await self._set_clock(round(datetime.fromisoformat(moment).timestamp() * 1000 - time.time() * 1000))

    def _offset(self) -> int:
        return self._stage.moves[-1].offset_ms if self._stage.moves else 0

    async def _set_clock(self, offset_ms: int) -> None:
        stage = self._stage
        await self._waiting.settled()
        since = time.time() * 1000
        stage.moves.append(Move(since, since, offset_ms))
        for player in stage.players.all:
            if not player.dead:
                await self.tell_clock(player)
        stage.moves[-1] = Move(since, time.time() * 1000, offset_ms)
        # A blocked worker has computed its wait already: wake it as `resume` would.
        for base in sorted({bench.base for bench in self._waiting.benches() if bench.looping}):
            await stage.client(base).zadd(f"{base}:marker", DUE_NOW)
        stage.dirty = True

    async def tell_clock(self, player: Player) -> None:
        """Set a driver's clock to what it is in this cell."""
        offset_ms = self._offset()
        if player.offset_ms == offset_ms:
            return
        try:
            await self._stage.players.call(player, "clock.set", {"offsetMs": offset_ms})
        except CallRaised as raised:
            raise Trouble("protocol", f"`clock.set` raised {raised}", side=player.side) from None
        player.offset_ms = offset_ms
