"""Players: the drivers that take part in one cell, and which of its objects each one holds."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from compat.drivers import CallRaised, Driver, DriverError, Pool
from compat.execute.processor import Processor
from compat.execute.trouble import Trouble
from compat.faults import CATALOGUE, Proxy
from compat.model.cell import ROLES, Cell, Side
from compat.model.history import Notice
from compat.model.scenario import Scenario
from compat.protocol.messages import Begin, GateCall, ObjectEvent, ProcessorCall, Welcome
from compat.servers import Node, Server

_users = itertools.count(1)


@dataclass(frozen=True)
class Seat:
    """A side's implementation: the command that starts its driver, and what that driver said of itself."""

    command: tuple[str, ...]
    welcome: Welcome


#: Seats by side, and those of guests by their implementation's name.
Seats = Mapping[str, Seat]


@dataclass(eq=False)
class Player:
    """One driver process in one cell. `user` is its own login, "" on a server that is not ours."""

    side: Side
    driver: Driver
    user: str = ""
    offset_ms: int = 0  # how far its clock is ahead
    objects: set[str] = field(default_factory=set)
    dying: bool = False  # its processor was told to die
    dead: bool = False
    frozen: bool = False  # its process was stopped by a fault
    proxy: Proxy | None = None  # what its connections go through, where a fault needs one


class Players:
    """Takes drivers from the pool as objects need them, begins the scenario with each, and gives them back."""

    def __init__(
        self,
        scenario: Scenario,
        cell: Cell,
        prefix: str,
        server: Server,
        pool: Pool,
        seats: Seats,
        processor: Processor,
        first: Node,
    ) -> None:
        self._scenario, self._cell, self._prefix = scenario, cell, prefix
        self._server, self._pool, self._seats = server, pool, seats
        self._processor = processor
        self._first = first
        self._groups: dict[tuple[str, str], Player] = {}
        self.all: list[Player] = []
        self.notices: list[Notice] = []
        self.denied: set[str] = set()  # keys outside the prefix that a driver tried to touch
        faults = [step.fault for step in scenario.steps if step.fault is not None]
        self._proxied = any("proxy" in CATALOGUE[fault.kind].needs for fault in faults)
        self._apart = (
            any(step.kill for step in scenario.steps)
            or any(rule.then.die is not msgspec.UNSET for rule in scenario.program)
            or any(scenario.objects[fault.of].kind == "worker" for fault in faults if fault.of is not None)
        )

    @property
    def patient(self) -> bool:
        """Whether somebody may be reading a driver's code at a breakpoint."""
        return any(player.driver.process.patient for player in self.all)

    def sides(self, name: str) -> tuple[Side, ...]:
        """The sides that hold the object `name` in this arm; a guest's counts to the first."""
        spec = self._scenario.objects[name]
        sides = ROLES[self._cell.arm][spec.player]
        return sides if spec.impl is None else sides[:1]

    async def player(self, name: str, side: Side) -> Player:
        """The player that holds `name` on `side`, taking a driver where there is none yet. Raises `Trouble`."""
        # A worker that will die or suffer a fault, or whose driver can do one thing at a time (it could not add while a
        # processor call is held), has a process of its own.
        spec = self._scenario.objects[name]
        seat = spec.impl or side
        apart = self._apart or self._seats[seat].welcome.serial
        group = name if apart and spec.kind == "worker" else ""
        player = self._groups.get((seat, group))
        if player is None or player.dead:
            player = Player(side, await self._take(seat, side))
            self._groups[seat, group] = player
            self.all.append(player)
            await self._begin(player)
        return player

    async def _take(self, seat: str, side: Side) -> Driver:
        try:
            return await self._pool.take(self._seats[seat].command)
        except DriverError as error:
            raise Trouble.of(error, side) from None

    async def _begin(self, player: Player) -> None:
        password = None
        if self._server.own:
            player.user, password = f"p{next(_users)}", secrets.token_hex(16)
            await self._server.add_user(player.user, password, self._prefix)
        player.driver.serve(
            lambda method, params: self._serve(player, method, params),
            lambda method, params: self._listen(player, method, params),
        )
        redis = self._server.address(player.user or None, password, self._first)
        if self._proxied:
            everybody = (*self._server.nodes, *self._server.replicas)
            player.proxy = proxy = await Proxy(*everybody).__aenter__()
            doors = tuple((proxy.host, proxy.doors[port]) for _, port in redis.nodes)
            redis = msgspec.structs.replace(redis, nodes=doors)
        await self.call(player, "scenario.begin", Begin(self._scenario.id, self._prefix, redis))

    async def call(self, player: Player, method: str, params: Any) -> Any:
        """Call a driver. Raises `CallRaised` when the port raised; every other failure becomes `Trouble`."""
        try:
            return await player.driver.call(method, params)
        except DriverError as error:
            raise Trouble.of(error, player.side) from None

    # --- what drivers ask and tell -----------------------------------------------------------------------------------

    async def _serve(self, player: Player, method: str, params: msgspec.Raw) -> Any:
        match method:
            case "processor.call":
                call = msgspec.json.decode(params, type=ProcessorCall)
                self._known(player, call.worker)
                answer = await self._processor.call(call.worker, player.side, call.job, call.token)
                player.dying |= answer.end.die is not msgspec.UNSET
                return answer
            case "processor.gate":
                gate = msgspec.json.decode(params, type=GateCall)
                self._known(player, gate.worker)
                await self._processor.gate(gate.worker, gate.job, gate.gate)
                return None
            case _:
                raise msgspec.ValidationError(f"the harness has no method `{method}`")

    def _listen(self, player: Player, method: str, params: msgspec.Raw) -> None:
        if method in ("worker.event", "queue.event"):
            event = msgspec.json.decode(params, type=ObjectEvent)
            self.notices.append(Notice(event.object, player.side, event.event, event.job, event.args))

    def _known(self, player: Player, worker: str) -> None:
        if worker not in player.objects:
            raise msgspec.ValidationError(f"no worker {worker!r} is open here")

    # --- their end ---------------------------------------------------------------------------------------------------

    async def kill(self, player: Player) -> None:
        """SIGKILL a player's process: its connections break, its locks stay."""
        player.dead = True
        player.objects.clear()
        await self._pool.discard(player.driver)

    async def end(self) -> None:
        """End the scenario with every player and give the drivers back. One that does not obey is `Trouble`."""
        for error in await asyncio.gather(*(self._end(player) for player in self.all), return_exceptions=True):
            if error is not None:
                raise error

    async def _end(self, player: Player) -> None:
        try:
            if not (player.dead or player.dying):
                await player.driver.call("scenario.end")
        except DriverError as error:
            await self._pool.discard(player.driver)
            raise Trouble.of(error, player.side) from None
        except CallRaised as raised:
            await self._pool.discard(player.driver)
            raise Trouble("protocol", f"`scenario.end` raised: {raised}", side=player.side) from None
        else:
            if player.dying:
                await self._pool.discard(player.driver)
            elif not player.dead:
                await self._pool.give_back(player.driver)
        finally:
            if player.proxy is not None:
                await player.proxy.__aexit__(None, None, None)
            if player.user:
                self.denied |= set(await self._server.remove_user(player.user))
