"""Faulting: strikes the faults of one cell where its steps say so, and mends whatever is struck when it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import structs
from redis.exceptions import RedisError

from compat.drivers import CallRaised, DriverError
from compat.execute.facts import poll
from compat.execute.players import Player
from compat.execute.settle import SETTLE_DEADLINE
from compat.execute.stage import Stage
from compat.execute.trouble import Trouble
from compat.faults import (
    CATALOGUE,
    ClockStepped,
    ConnectionReset,
    ConnectionsKilled,
    DriverFrozen,
    FailedOver,
    Fault,
    Frozen,
    HalfOpen,
    InWait,
    Killed,
    Loading,
    LocksEvicted,
    MasterLost,
    MemoryFull,
    NodeFault,
    ReadOnly,
    ReplyLost,
    ScriptsFlushed,
    ScriptsFlushedWithin,
    SlotFault,
    SlotMoved,
    SlotTorn,
    SlotUnserved,
)
from compat.model.history import Move, Struck
from compat.model.steps import Strike
from compat.servers import ServerError

_NODE: dict[str, type[NodeFault]] = {
    "node-killed": Killed,
    "node-frozen": Frozen,
    "loading": Loading,
    "scripts-flushed": ScriptsFlushed,
    "locks-evicted": LocksEvicted,
    "memory-full": MemoryFull,
    "read-only": ReadOnly,
    "failed-over": FailedOver,
    "master-lost": MasterLost,
}
_SLOT: dict[str, type[SlotFault]] = {"slot-unserved": SlotUnserved, "slot-torn": SlotTorn, "slot-moved": SlotMoved}
_PLAYER = ("driver-frozen", "clock-stepped")
_HARNESS_FAILS = (ServerError, DriverError, CallRaised, RedisError, OSError)


class Faulting:
    """The faults of one cell. `struck` tells of each, in the order of their strikes."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._open: dict[str, tuple[int, list[Fault]]] = {}  # name → its place in `struck`, and what is to be mended
        self.struck: list[Struck] = []

    async def strike(self, strike: Strike) -> None:
        """Let it happen. What leaves nothing behind is over at once. Raises `Trouble`."""
        stage, about = self._stage, CATALOGUE[strike.kind]
        players = self._victims(strike)
        side = players[0].side if strike.of is not None and about.befalls == "players" else None
        number, since = len(self.struck), time.time() * 1000
        self.struck.append(Struck(stage.step, strike.kind, since, of=strike.of or "", side=side))
        try:
            faults = self._faults(strike, players)
            self._open[strike.name] = number, faults
            stage.struck[strike.name] = strike.kind
            for fault in faults:
                await fault.strike()
            if isinstance(faults[0], SlotTorn) and strike.keys:
                base = stage.base(strike.of)
                await faults[0].move(*(f"{base}:{stage.filled(key)}" for key in strike.keys))
        except _HARNESS_FAILS as error:
            raise Trouble("environment", f"the fault {strike.kind} could not be struck: {error}") from None
        for player in players if strike.kind == "driver-frozen" else ():
            player.frozen = True
        stage.dirty = True
        if about.at_once:
            await self.mend(strike.name)

    async def mend(self, name: str) -> None:
        """Undo it. A fault that lies in wait must have happened. Raises `Trouble`."""
        number, faults = self._open[name]
        armed = [fault for fault in faults if isinstance(fault, InWait)]
        if armed and await poll(lambda: _happened(armed), SETTLE_DEADLINE) is None:
            raise Trouble("late", armed[0].missed, side=self.struck[number].side)
        await self._mend(name)

    async def _mend(self, name: str) -> None:
        stage = self._stage
        number, faults = self._open.pop(name)
        try:
            for fault in faults:
                await fault.mend()
        except _HARNESS_FAILS as error:
            raise Trouble("environment", f"{self.struck[number].kind} could not be mended: {error}") from None
        finally:
            del stage.struck[name]
            stage.dirty = True
            over = time.time() * 1000
            struck = self.struck[number] = structs.replace(self.struck[number], mended_ms=over)
            for fault in faults:
                if isinstance(fault, ClockStepped):
                    stage.skews.append(Move(struck.since_ms, over, fault.ms))
                if isinstance(fault, DriverFrozen):
                    next(p for p in stage.players.all if p.driver is fault.driver).frozen = False

    async def mend_all(self) -> None:
        """Mend what is still struck, whatever goes wrong with one of them. Raises the first `Trouble`."""
        first: Trouble | None = None
        for name in reversed(tuple(self._open)):
            try:
                await self._mend(name)
            except Trouble as trouble:
                first = first or trouble
        if first is not None:
            raise first

    # --- what is struck, and whom ------------------------------------------------------------------------------------

    def _victims(self, strike: Strike) -> list[Player]:
        stage = self._stage
        if strike.of is None:
            return [player for player in stage.players.all if not player.dead]
        if CATALOGUE[strike.kind].befalls != "players":
            return []
        return [stage.opened[strike.of, stage.victim(strike.of)]]

    def _faults(self, strike: Strike, players: Sequence[Player]) -> list[Fault]:
        stage, kind = self._stage, strike.kind
        key = f"{stage.base(strike.of)}:meta"
        if kind in _NODE:
            return [_NODE[kind](stage.server, stage.server.owner(key))]
        if kind in _SLOT:
            return [_SLOT[kind](stage.server, key)]
        if kind in _PLAYER:
            return [
                DriverFrozen(player.driver)
                if kind == "driver-frozen"
                else ClockStepped(player.driver, strike.ms or 0, player.offset_ms)
                for player in players
            ]
        if kind == "connections-killed":
            return [
                ConnectionsKilled(stage.server, stage.server.owner(key), user=player.user, blocked=strike.blocked)
                for player in players
            ]
        proxies = [player.proxy for player in players if player.proxy is not None]
        if kind == "reply-lost":
            word = stage.filled(strike.word or "").encode()
            return [ReplyLost(proxy, word, carried_out=strike.carried_out) for proxy in proxies]
        if kind == "scripts-flushed-within":
            return [ScriptsFlushedWithin(stage.server, proxy, strike.before or 1) for proxy in proxies]
        if kind == "half-open":
            return [HalfOpen(proxy, blocked=strike.blocked, anew=strike.anew) for proxy in proxies]
        return [ConnectionReset(proxy) for proxy in proxies]


async def _happened(armed: Sequence[InWait]) -> bool | None:
    return True if any(fault.happened.is_set() for fault in armed) else None
