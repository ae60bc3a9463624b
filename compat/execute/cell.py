"""One cell: its steps are played in order, and a `History` of all it left behind comes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from redis.exceptions import RedisError

from compat.capture import NeverStill, capture
from compat.drivers import Pool
from compat.execute.calls import Calls
from compat.execute.connections import Connections
from compat.execute.facts import newest
from compat.execute.faulting import Faulting
from compat.execute.incidents import Incidents
from compat.execute.players import Seats
from compat.execute.sharing import Sharing
from compat.execute.stage import Stage
from compat.execute.trouble import Trouble
from compat.execute.waiting import Waiting
from compat.model.capture import Capture
from compat.model.cell import ROLES, Cell
from compat.model.history import Failure, History
from compat.model.scenario import Scenario
from compat.model.steps import Add, Bulk, Call, Expire, Flow, Share, Start, Step, Stop, Strike, Until
from compat.servers import Server

ANY = "?"  # any error, or none
END = "end"  # the label of the capture after the last step


class CellRun:
    """The execution of one cell. `play()` does it all, once."""

    def __init__(self, scenario: Scenario, cell: Cell, prefix: str, server: Server, pool: Pool, seats: Seats) -> None:
        self.stage = Stage(scenario, cell, prefix, server, pool, seats)
        self.players = self.stage.players
        self._waiting = Waiting(self.stage)
        self._calls = Calls(self.stage, self._waiting)
        self._incidents = Incidents(self.stage, self._waiting)
        self._faulting = Faulting(self.stage)
        self._later: dict[str, asyncio.Task[None]] = {}
        self._connections = Connections(prefix, scenario.objects, cell.topology)
        self._captures: list[Capture] = []
        self._step_ms: list[float] = []

    async def play(self) -> History:
        """Run the scenario. Never raises for what a driver or the port does: that is in `History.failure`."""
        stage = self.stage
        started, clock = time.time() * 1000, time.monotonic()
        failure: Failure | None = None
        try:
            failure = await self._ended(self._steps, None)
            ended = time.time() * 1000
        finally:
            try:
                failure = await self._ended(self._faulting.mend_all, failure)
            finally:
                try:
                    await self._drop()
                    failure = await self._ended(self.players.end, failure)
                finally:
                    failure = await self._ended(lambda: stage.server.delete_prefix(stage.prefix), failure)
        return History(
            cell=stage.cell,
            prefix=stage.prefix,
            started_ms=started,
            ended_ms=ended,
            sides={side: stage.seats[side].welcome for sides in ROLES[stage.cell.arm].values() for side in sides},
            captures=tuple(self._captures),
            outcomes=tuple(stage.outcomes),
            attempts=tuple(stage.processor.attempts),
            notices=tuple(self.players.notices),
            unheard=stage.unheard(),
            labels=dict(stage.labels),
            step_ms=tuple(self._step_ms),
            moves=tuple(stage.moves),
            skews=tuple(stage.skews),
            struck=tuple(self._faulting.struck),
            failure=failure,
            denied=tuple(sorted(self.players.denied)),
            seconds=time.monotonic() - clock,
        )

    async def _steps(self) -> None:
        stage = self.stage
        if not stage.server.own:
            stage.since = await stage.server.client(stage.home).client_id()
        for name, spec in stage.scenario.objects.items():
            if spec.kind != "worker" and spec.open:
                await self._open(name, {})
        for number, step in enumerate(stage.scenario.steps):
            stage.step = number
            self._step_ms.append(time.time() * 1000)
            await (self._do(step) if step.later is None else self._leave(step, step.later))
            if stage.processor.trouble is not None:
                raise stage.processor.trouble
        stage.step = len(stage.scenario.steps)
        self._step_ms.append(time.time() * 1000)
        await self._capture(END)
        await self._waiting.told()
        if stage.processor.trouble is not None:
            raise stage.processor.trouble

    async def _ended(self, part: Callable[[], Awaitable[object]], failure: Failure | None) -> Failure | None:
        """The failure there was, else that of this part."""
        try:
            await part()
        except Trouble as trouble:
            return failure or trouble.failure(self.stage.step)
        except (RedisError, OSError, NeverStill) as error:
            return failure or Failure("environment", self.stage.step, f"the harness's own connection: {error}")
        return failure

    async def _leave(self, step: Step, label: str) -> None:
        """Make a step's call and do not wait for its end."""
        self.stage.sent.clear()
        task = self._later[label] = asyncio.create_task(self._do(step), name=f"{self.stage.cell.id} {label}")
        sent = asyncio.create_task(self.stage.sent.wait())
        try:
            await asyncio.wait((task, sent), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sent.cancel()

    async def _drop(self) -> None:
        """Forget the calls that nobody has waited for: the cell broke off."""
        for task in self._later.values():
            task.cancel()
        await asyncio.gather(*self._later.values(), return_exceptions=True)

    async def _do(self, step: Step) -> None:
        raises = ANY if step.unknown else step.raises
        match step:
            case Step(add=Add() as add):
                await self._calls.add(add, raises)
            case Step(bulk=Bulk() as bulk):
                await self._calls.bulk(bulk, raises)
            case Step(flow=Flow() as flow):
                await self._calls.flow(flow, raises)
            case Step(call=Call() as call):
                await self._calls.call(call, raises)
            case Step(open=str(name)):
                await self._open(name, {}, raises)
            case Step(close=str(name)):
                await self._close(name, False, raises)
            case Step(start=(str() | Start()) as start):
                spec = start if isinstance(start, Start) else Start(start)
                await self._open(spec.worker, spec.opts, raises)
            case Step(stop=(str() | Stop()) as stop):
                spec_ = stop if isinstance(stop, Stop) else Stop(stop)
                if not spec_.force:
                    await self._waiting.settled()
                await self._close(spec_.worker, spec_.force, raises)
            case Step(until=Until() as until):
                await self._waiting.until(until)
            case Step(capture=str(label)):
                await self._capture(label)
            case Step(release=str(gate)):
                self.stage.processor.release(gate)
                self.stage.dirty = True
            case Step(share=(str() | Share()) as share):
                await Sharing(self.stage, self._waiting).share(share if isinstance(share, Share) else Share(share))
            case Step(expire=Expire() as expire):
                await self._incidents.expire(expire)
            case Step(sweep=str(worker)):
                await self._incidents.sweep(worker, raises)
            case Step(advance=int(ms)):
                await self._incidents.advance(ms)
            case Step(clock=str(moment)):
                await self._incidents.clock(moment)
            case Step(kill=str(worker)):
                await self._incidents.kill(worker)
            case Step(fault=Strike() as strike):
                await self._faulting.strike(strike)
            case Step(mend=str(name)):
                await self._faulting.mend(name)
            case Step(await_=str(label)):
                await self._later.pop(label)
            case _:
                raise Trouble("environment", f"step {self.stage.step} has no verb")

    async def _open(self, name: str, opts: dict[str, Any], raises: str | None = None) -> None:
        stage = self.stage
        spec = stage.scenario.objects[name]
        for side in self.players.sides(name):
            if (name, side) in stage.opened:
                continue
            player = await self.players.player(name, side)
            await self._incidents.tell_clock(player)
            chosen = {**spec.opts, **opts, "prefix": stage.prefix}
            params: dict[str, Any] = {"as": name, "name": spec.queue_name, "opts": chosen}
            if spec.kind == "flow":
                del params["name"]  # it belongs to no queue
            if spec.kind == "worker":
                stage.worker_opts[name] = chosen
                params["processor"] = stage.looping(name)
            if spec.kind == "events" and (last := await newest(stage.client(stage.base(name)), stage.base(name))):
                stage.heard[name, side] = last[0]
            player.objects.add(name)
            stage.opened[name, side] = player
            if await stage.ask(player, f"{spec.kind}.open", params, name, raises) is None:
                player.objects.discard(name)
                del stage.opened[name, side]
            stage.dirty |= spec.kind == "worker"

    async def _close(self, name: str, force: bool, raises: str | None) -> None:
        stage = self.stage
        kind = stage.scenario.objects[name].kind
        if kind == "events":
            await self._waiting.told()
        for side in self.players.sides(name):
            player = stage.opened.pop((name, side), None)
            if player is None:
                continue
            stage.paused.discard((name, side))
            params = {"on": name, "force": force} if kind == "worker" else {"on": name}
            await stage.ask(player, f"{kind}.close", params, name, raises)
            if kind == "worker":
                stage.orphans |= stage.bases(stage.processor.drop(name, side))

    async def _capture(self, label: str) -> None:
        stage = self.stage
        workers_open, workers_idle = await self._waiting.settled()
        clients = [stage.server.client(node) for node in stage.server.nodes]
        opened = {name for name, _ in stage.opened}
        self._captures.append(
            await capture(
                clients,
                stage.prefix,
                label=label,
                step=stage.step,
                workers_open=workers_open,
                workers_idle=workers_idle,
                named=await self._connections.names(clients, opened, stage.worker_opts),
            )
        )
