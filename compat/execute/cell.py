"""One cell: its steps are played in order, and a `History` of all it left behind comes out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import UNSET, structs, to_builtins
from redis.asyncio import Redis
from redis.exceptions import RedisError

from compat.capture import NeverStill, capture
from compat.drivers import CallRaised, Pool
from compat.drivers.driver import PATIENT_DEADLINE
from compat.execute.connections import Connections
from compat.execute.facts import poll, seen
from compat.execute.players import Player, Players, Seat
from compat.execute.processor import Processor
from compat.execute.settle import SETTLE_DEADLINE, Bench, look
from compat.execute.trouble import Trouble
from compat.model.capture import Capture
from compat.model.cell import ROLES, Cell, Side
from compat.model.history import Failure, History, Label, Move, Outcome, Problem
from compat.model.scenario import Add, Bulk, Call, Expire, Flow, FlowNode, JobRef, Scenario, Start, Step, Stop, Until
from compat.servers import Server

END = "end"  # the label of the capture after the last step
_ANSWERING_JOBS = ("worker.getNextJob", "queue.getJob", "queue.upsertJobScheduler")
DUE_NOW = {"0": 0}  # the base marker, as `resume` writes it


class CellRun:
    """The execution of one cell. `play()` does it all, once."""

    def __init__(
        self, scenario: Scenario, cell: Cell, prefix: str, server: Server, pool: Pool, seats: Mapping[Side, Seat]
    ) -> None:
        self.scenario, self.cell, self.prefix, self.server, self.seats = scenario, cell, prefix, server, seats
        self.processor = Processor(scenario)
        self.labels = self.processor.labels
        first_key = f"{prefix}:{next(iter(scenario.objects.values())).queue_name}:meta"
        self.home = server.owner(first_key)
        # The first address a driver gets is never the owner of its keys: without Cluster support nothing works by luck.
        first = next((node for node in server.nodes if node != self.home), self.home)
        self.players = Players(scenario, cell, prefix, server, pool, seats, self.processor, first)
        self.connections = Connections(prefix, scenario.objects, cell.topology)
        self.opened: dict[tuple[str, Side], Player] = {}
        self.worker_opts: dict[str, dict[str, Any]] = {}
        self.paused: set[tuple[str, Side]] = set()  # workers paused locally
        self.by_hand: set[tuple[str, str]] = set()  # jobs a test moves itself: (base key, id)
        self.orphans: set[tuple[str, str]] = set()  # jobs that a dead worker left in active
        self.outcomes: list[Outcome] = []
        self.captures: list[Capture] = []
        self.step_ms: list[float] = []
        self.turns: Counter[str] = Counter()  # in `shadow` the sides take turns
        self.moves: list[Move] = []
        self.since: int | None = None
        self.step = -1  # the objects that are open from the start
        self.dirty = False  # workers may be at work since the last settling

    async def play(self) -> History:
        """Run the scenario. Never raises for what a driver or the port does: that is in `History.failure`."""
        started, clock = time.time() * 1000, time.monotonic()
        failure: Failure | None = None
        try:
            try:
                await self._steps()
            except Trouble as trouble:
                failure = trouble.failure(self.step)
            except (RedisError, OSError, NeverStill) as error:
                failure = Trouble("environment", f"the harness's own connection: {error}").failure(self.step)
            ended = time.time() * 1000
        finally:
            try:
                await self.players.end()
            except Trouble as trouble:
                failure = failure or trouble.failure(self.step)
            finally:
                await self.server.delete_prefix(self.prefix)
        return History(
            cell=self.cell,
            prefix=self.prefix,
            started_ms=started,
            ended_ms=ended,
            sides={side: self.seats[side].welcome for sides in ROLES[self.cell.arm].values() for side in sides},
            captures=tuple(self.captures),
            outcomes=tuple(self.outcomes),
            attempts=tuple(self.processor.attempts),
            notices=tuple(self.players.notices),
            labels=dict(self.labels),
            step_ms=tuple(self.step_ms),
            moves=tuple(self.moves),
            failure=failure,
            denied=tuple(sorted(self.players.denied)),
            seconds=time.monotonic() - clock,
        )

    async def _steps(self) -> None:
        if not self.server.own:
            self.since = await self.server.client(self.home).client_id()
        for name, spec in self.scenario.objects.items():
            if spec.kind != "worker" and spec.open:
                await self._open(name, {})
        for number, step in enumerate(self.scenario.steps):
            self.step = number
            self.step_ms.append(time.time() * 1000)
            await self._do(step)
            if self.processor.trouble is not None:
                raise self.processor.trouble
        self.step = len(self.scenario.steps)
        self.step_ms.append(time.time() * 1000)
        await self._capture(END)
        if self.processor.trouble is not None:
            raise self.processor.trouble

    async def _do(self, step: Step) -> None:
        match step:
            case Step(add=Add() as add):
                await self._add(add, step.raises)
            case Step(bulk=Bulk() as bulk):
                await self._bulk(bulk, step.raises)
            case Step(flow=Flow() as flow):
                await self._flow(flow, step.raises)
            case Step(call=Call() as call):
                await self._call(call, step.raises)
            case Step(open=str(name)):
                await self._open(name, {}, step.raises)
            case Step(close=str(name)):
                await self._close(name, False, step.raises)
            case Step(start=(str() | Start()) as start):
                spec = start if isinstance(start, Start) else Start(start)
                await self._open(spec.worker, spec.opts, step.raises)
            case Step(stop=(str() | Stop()) as stop):
                spec_ = stop if isinstance(stop, Stop) else Stop(stop)
                if not spec_.force:
                    await self._settle()
                await self._close(spec_.worker, spec_.force, step.raises)
            case Step(until=Until() as until):
                await self._until(until)
            case Step(capture=str(label)):
                await self._capture(label)
            case Step(release=str(gate)):
                self.processor.release(gate)
                self.dirty = True
            case Step(expire=Expire() as expire):
                await self._expire(expire)
            case Step(sweep=str(worker)):
                await self._sweep(worker, step.raises)
            case Step(advance=int(ms)):
                await self._set_clock(self._offset() + ms)
            case Step(clock=str(moment)):
                await self._set_clock(round(datetime.fromisoformat(moment).timestamp() * 1000 - time.time() * 1000))
            case Step(kill=str(worker)):
                await self._kill(worker)
            case _:
                raise Trouble("environment", f"step {self.step} has no verb")

    # --- objects -----------------------------------------------------------------------------------------------------

    def _base(self, name: str) -> str:
        return f"{self.prefix}:{self.scenario.objects[name].queue_name}"

    def _client(self, key: str) -> Redis:
        """The harness's connection to the node that serves a key, or all of a queue by its tagged base key."""
        return self.server.client(self.server.owner(key))

    def _queue_base(self, name: str | None) -> str:
        return self._base(name if name is not None else next(iter(self.scenario.objects)))

    async def _open(self, name: str, opts: dict[str, Any], raises: str | None = None) -> None:
        spec = self.scenario.objects[name]
        for side in self.players.sides(name):
            if (name, side) in self.opened:
                continue
            player = await self.players.player(name, side)
            await self._tell_clock(player)
            chosen = {**spec.opts, **opts, "prefix": self.prefix}
            params: dict[str, Any] = {"as": name, "name": spec.queue_name, "opts": chosen}
            if spec.kind == "flow":
                del params["name"]  # it belongs to no queue
            if spec.kind == "worker":
                self.worker_opts[name] = chosen
                params["processor"] = self._looping(name)
            player.objects.add(name)
            self.opened[name, side] = player
            if await self._ask(player, f"{spec.kind}.open", params, name, raises) is None:
                player.objects.discard(name)
                del self.opened[name, side]
            self.dirty |= spec.kind == "worker"

    async def _close(self, name: str, force: bool, raises: str | None) -> None:
        kind = self.scenario.objects[name].kind
        for side in self.players.sides(name):
            player = self.opened.pop((name, side), None)
            if player is None:
                continue
            self.paused.discard((name, side))
            params = {"on": name, "force": force} if kind == "worker" else {"on": name}
            await self._ask(player, f"{kind}.close", params, name, raises)
            if kind == "worker":
                self.orphans |= self._bases(self.processor.drop(name, side))

    def _looping(self, name: str) -> bool:
        return bool(self.scenario.program) and self.worker_opts[name].get("autorun", True) is not False

    def _bases(self, jobs: set[tuple[str, str]]) -> set[tuple[str, str]]:
        return {(f"{self.prefix}:{queue}", job) for queue, job in jobs}

    def _turn(self, name: str) -> Player:
        """The player to act for `name`: in `shadow` the sides that hold it take turns."""
        sides = [side for side in self.players.sides(name) if (name, side) in self.opened]
        if not sides:
            raise Trouble("environment", f"{name} is not open at step {self.step}")
        side = sides[self.turns[name] % len(sides)]
        self.turns[name] += 1
        return self.opened[name, side]

    # --- calls -------------------------------------------------------------------------------------------------------

    async def _ask(
        self,
        player: Player,
        method: str,
        params: dict[str, Any],
        name: str,
        raises: str | None,
        label: str | None = None,
    ) -> Outcome | None:
        """Call and note the outcome. None when the call raised as foreseen; `Trouble` when it did otherwise."""
        sent = time.time() * 1000
        result: Any = UNSET
        problem: Problem | None = None
        try:
            result = await self.players.call(player, method, params)
        except CallRaised as raised:
            problem = raised.problem
        outcome = Outcome(
            self.step,
            player.side,
            method,
            sent,
            time.time() * 1000,
            label,
            self.scenario.objects[name].queue_name,
            result,
            problem,
        )
        self.outcomes.append(outcome)
        if problem is not None and raises is None:
            raise Trouble("refused", f"`{method}` raised {problem.symbol}: {problem.text}", side=player.side)
        return None if problem is not None else outcome

    def _note_label(self, label: str | None, name: str, view: Any) -> None:
        if label is not None and isinstance(view, dict) and "id" in view:
            self.labels[label] = Label(self.scenario.objects[name].queue_name, str(view["id"]))

    async def _before_add(self) -> None:
        # Whether a worker is blocked or about to be decides who pops the marker.
        if self.dirty:
            await self._settle()
        self.dirty = self._any_worker()

    async def _add(self, add: Add, raises: str | None) -> None:
        await self._before_add()
        params = {"on": add.on, **_given(add, "name", "data", "opts")}
        outcome = await self._ask(self._turn(add.on), "queue.add", self._filled(params), add.on, raises, add.label)
        if outcome is not None:
            self._note_label(add.label, add.on, outcome.result)

    async def _bulk(self, bulk: Bulk, raises: str | None) -> None:
        await self._before_add()
        jobs = [self._filled(_given(job, "name", "data", "opts")) for job in bulk.jobs]
        outcome = await self._ask(self._turn(bulk.on), "queue.addBulk", {"on": bulk.on, "jobs": jobs}, bulk.on, raises)
        if outcome is not None and isinstance(outcome.result, list):
            for job, view in zip(bulk.jobs, outcome.result, strict=False):
                self._note_label(job.label, bulk.on, view)

    async def _flow(self, flow: Flow, raises: str | None) -> None:
        await self._before_add()
        nodes = [self._filled(_node(root)) for root in flow.roots]
        given = {"on": flow.on, **_given(flow, "opts")}
        if flow.tree is not None:
            method, params = "flow.add", {**given, "flow": nodes[0]}
        else:
            method, params = "flow.addBulk", {**given, "flows": nodes}
        outcome = await self._ask(self._turn(flow.on), method, params, flow.on, raises)
        if outcome is not None:
            answers = outcome.result if isinstance(outcome.result, list) else [outcome.result]
            for root, tree in zip(flow.roots, answers, strict=False):
                self._note_nodes(root, tree)

    def _note_nodes(self, node: FlowNode, tree: Any) -> None:
        """Note the labels of a flow's nodes, whose jobs stand in the same places of the answer."""
        if not isinstance(tree, dict):
            return
        view = tree.get("job")
        if node.label is not None and isinstance(view, dict) and "id" in view:
            self.labels[node.label] = Label(node.queue, str(view["id"]))
        for child, below in zip(node.children, tree.get("children") or (), strict=False):
            self._note_nodes(child, below)

    async def _call(self, call: Call, raises: str | None) -> None:
        await self._before_add()
        args = self._filled(call.args)
        if call.job is not None:
            name, job_id = self._job(call.job)
            method, params = f"job.{call.method}", {"on": name, "id": job_id, **args}
        else:
            assert call.on is not None
            name = call.on
            method, params = f"{self.scenario.objects[name].kind}.{call.method}", {"on": name, **args}
        player = self._turn(name)
        outcome = await self._ask(player, method, params, name, raises, call.label)
        if outcome is None:
            return
        if method == "worker.pause":
            self.paused.add((name, player.side))
        elif method == "worker.resume":
            self.paused.discard((name, player.side))
        elif method == "worker.getNextJob" and isinstance(outcome.result, dict):
            self.by_hand.add((self._base(name), str(outcome.result.get("id"))))
        if method in _ANSWERING_JOBS:
            self._note_label(call.label, name, outcome.result)

    def _job(self, job: str | JobRef) -> tuple[str, str]:
        """A queue object to reach the job through, and its id."""
        if isinstance(job, JobRef):
            return job.on, self._filled(job.id)
        label = self.labels.get(job)
        if label is None:
            raise Trouble("refused", f"no call so far has answered with the job {job}")
        for name, spec in self.scenario.objects.items():
            if spec.kind == "queue" and spec.queue_name == label.queue:
                return name, label.id
        raise Trouble("environment", f"no queue object leads to job {job}")

    def _filled(self, value: Any) -> Any:
        """`value` with `<job:LABEL>` replaced by ids and `<prefix>` by the cell's prefix."""
        if isinstance(value, str) and "<" in value:
            for name, label in self.labels.items():
                value = value.replace(f"<job:{name}>", label.id)
            return value.replace("<prefix>", self.prefix)
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        return value

    # --- waiting -----------------------------------------------------------------------------------------------------

    def _any_worker(self) -> bool:
        return any(self.scenario.objects[name].kind == "worker" for name, _ in self.opened)

    def _check(self) -> None:
        if self.processor.trouble is not None:
            raise self.processor.trouble
        for player in self.players.all:
            if player.driver.broken is None or player.dead:
                continue
            if not player.dying:
                raise Trouble.of(player.driver.broken, player.side)
            player.dead = True
            for name, side in [key for key, holder in self.opened.items() if holder is player]:
                self._bury(name, side)

    async def _until(self, until: Until) -> None:
        base = self._queue_base(until.queue)
        client = self._client(base)
        missing: list[str] = []

        async def look_once() -> bool | None:
            self._check()
            missing[:] = await seen(until, client, base, self.labels, self.players.notices, self.processor.waiting)
            return None if missing else True

        deadline = PATIENT_DEADLINE if self.players.patient else until.deadline
        if await poll(look_once, deadline) is None:
            raise Trouble("late", f"waited {deadline} ms for {'; '.join(missing)}")

    def _benches(self) -> list[Bench]:
        benches = []
        for (name, side), player in self.opened.items():
            if self.scenario.objects[name].kind != "worker":
                continue
            slots = int(self.worker_opts[name].get("concurrency", 1))
            looping = self._looping(name) and (name, side) not in self.paused
            held = self.processor.held(name, side)
            limit = (self.worker_opts[name].get("limiter") or {}).get("max")
            benches.append(Bench(name, player.user, self._base(name), slots, held, looping, limit))
        return benches

    async def _settle(self) -> tuple[int, int]:
        """Wait until every worker is at rest; (open, idle) workers. Raises `Trouble` when one never is."""
        if not self._any_worker():
            return 0, 0
        unrest: tuple[str, ...] = ()

        async def look_once() -> tuple[int, int] | None:
            nonlocal unrest
            self._check()
            benches = self._benches()
            explained = self._bases(self.processor.held_jobs()) | self.by_hand | self.orphans
            homes: dict[Redis, list[Bench]] = {}
            for bench in benches:
                homes.setdefault(self._client(bench.base), []).append(bench)
            rests = [await look(client, mine, explained, self.since) for client, mine in homes.items()]
            unrest = tuple(words for rest in rests for words in rest.unrest)
            if unrest or benches != self._benches():
                return None
            return sum(bench.looping for bench in benches), sum(rest.idle for rest in rests)

        found = await poll(look_once, SETTLE_DEADLINE)
        if found is None:
            raise Trouble("late", f"waited {SETTLE_DEADLINE} ms for the workers to come to rest: {'; '.join(unrest)}")
        return found

    async def _capture(self, label: str) -> None:
        workers_open, workers_idle = await self._settle()
        clients = [self.server.client(node) for node in self.server.nodes]
        self.captures.append(
            await capture(
                clients,
                self.prefix,
                label=label,
                step=self.step,
                workers_open=workers_open,
                workers_idle=workers_idle,
                named=await self.connections.names(clients, {name for name, _ in self.opened}, self.worker_opts),
            )
        )

    # --- what time and failure do ------------------------------------------------------------------------------------

    async def _expire(self, expire: Expire) -> None:
        if expire.lock is not None:
            label = self.labels.get(expire.lock)
            if label is None:
                raise Trouble("refused", f"no call so far has answered with the job {expire.lock}")
            key = f"{self.prefix}:{label.queue}:{label.id}:lock"
        else:
            key = f"{self._queue_base(expire.queue)}:{self._filled(expire.key)}"
        await self._client(key).delete(key.encode("utf-8", "surrogateescape"))
        self.dirty = True

    async def _sweep(self, worker: str, raises: str | None) -> None:
        await self._settle()
        await self._client(self._base(worker)).delete(f"{self._base(worker)}:stalled-check")
        await self._ask(self._turn(worker), "worker.sweep", {"on": worker}, worker, raises)
        self.dirty = True

    def _offset(self) -> int:
        return self.moves[-1].offset_ms if self.moves else 0

    async def _set_clock(self, offset_ms: int) -> None:
        await self._settle()
        since = time.time() * 1000
        self.moves.append(Move(since, since, offset_ms))
        for player in self.players.all:
            if not player.dead:
                await self._tell_clock(player)
        self.moves[-1] = Move(since, time.time() * 1000, offset_ms)
        # A blocked worker has computed its wait already: wake it as `resume` would.
        for base in sorted({bench.base for bench in self._benches() if bench.looping}):
            await self._client(base).zadd(f"{base}:marker", DUE_NOW)
        self.dirty = True

    async def _tell_clock(self, player: Player) -> None:
        offset_ms = self._offset()
        if player.offset_ms == offset_ms:
            return
        try:
            await self.players.call(player, "clock.set", {"offsetMs": offset_ms})
        except CallRaised as raised:
            raise Trouble("protocol", f"`clock.set` raised {raised}", side=player.side) from None
        player.offset_ms = offset_ms

    async def _kill(self, worker: str) -> None:
        await self._settle()
        sides = [side for side in self.players.sides(worker) if (worker, side) in self.opened]
        # In `shadow`: the side that has a job in hand, so that the other one must rescue it; else the port.
        sides.sort(key=lambda side: (self.processor.held(worker, side) == 0, side == "oracle"))
        if not sides:
            raise Trouble("environment", f"{worker} is not open at step {self.step}")
        player = self._bury(worker, sides[0])
        await self.players.kill(player)

        async def gone() -> bool | None:
            clients = await self.server.client(self.home).client_list()
            return None if any(player.user == row.get("user") for row in clients) else True

        # A dead worker's connection may still be served a marker until Redis has seen its end.
        if player.user and await poll(gone, SETTLE_DEADLINE) is None:
            raise Trouble("environment", f"Redis still holds connections of {worker}, which was killed")

    def _bury(self, worker: str, side: Side) -> Player:
        """Note that a worker's process is dead; the jobs in its hands are orphans."""
        player = self.opened.pop((worker, side))
        self.orphans |= self._bases(self.processor.drop(worker, side))
        self.paused.discard((worker, side))
        self.dirty = True
        return player


def _given(value: Add | Any, *names: str) -> dict[str, Any]:
    """The fields of a struct that were given."""
    fields = structs.asdict(value)
    return {name: to_builtins(fields[name]) for name in names if fields[name] is not UNSET}


def _node(node: FlowNode) -> dict[str, Any]:
    """A node of a flow as drivers take it: all but its label."""
    given = {"name": node.name, "queueName": node.queue, **_given(node, "data", "opts")}
    return {**given, "children": [_node(child) for child in node.children]} if node.children else given
