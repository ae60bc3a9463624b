"""The stage of one cell: whom it plays with, what is open on it, and what is noted while it is played."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from msgspec import UNSET
from redis.asyncio import Redis

from compat.drivers import CallRaised, Pool
from compat.execute.players import Player, Players, Seats
from compat.execute.processor import Processor
from compat.execute.trouble import Trouble
from compat.model.cell import Cell, Side
from compat.model.history import Label, Move, Outcome, Problem
from compat.model.scenario import Scenario
from compat.model.steps import FaultKind
from compat.protocol.messages import TELLERS
from compat.servers import Node, Server


class Stage:
    """What the steps of one cell share. `step` is the number of the one under way, -1 before the first."""

    def __init__(self, scenario: Scenario, cell: Cell, prefix: str, server: Server, pool: Pool, seats: Seats) -> None:
        self.scenario, self.cell, self.prefix, self.server, self.seats = scenario, cell, prefix, server, seats
        self.processor = Processor(scenario)
        self.labels = self.processor.labels
        self.first_key = f"{prefix}:{next(iter(scenario.objects.values())).queue_name}:meta"
        # The first address a driver gets is never the owner of its keys: without Cluster support nothing works by luck.
        first = next((node for node in server.nodes if node != self.home), self.home)
        self.players = Players(scenario, cell, prefix, server, pool, seats, self.processor, first)
        self.opened: dict[tuple[str, Side], Player] = {}
        self.worker_opts: dict[str, dict[str, Any]] = {}
        self.heard: dict[tuple[str, Side], str] = {}  # the stream's last entry when a reader of events was opened
        self.paused: set[tuple[str, Side]] = set()  # workers paused locally
        self.by_hand: set[tuple[str, str]] = set()  # jobs a test moves itself: (base key, id)
        self.orphans: set[tuple[str, str]] = set()  # jobs that a dead worker left in active
        self.outcomes: list[Outcome] = []
        self.moves: list[Move] = []
        self.skews: list[Move] = []  # clocks of single players
        self.struck: dict[str, FaultKind] = {}  # faults by name, until they are mended
        self.faulty = any(step.fault is not None for step in scenario.steps)
        self.sent = asyncio.Event()  # set whenever a call is made
        self.since: int | None = None
        self.step = -1
        self.dirty = False  # workers may be at work since the last settling
        self._turns: Counter[str] = Counter()  # in `shadow` the sides take turns

    # --- where things lie --------------------------------------------------------------------------------------------

    @property
    def home(self) -> Node:
        """The node that serves the first queue."""
        return self.server.owner(self.first_key)

    def base(self, name: str | None) -> str:
        """The base key of an object's queue; of the first object's, if none is named."""
        name = name if name is not None else next(iter(self.scenario.objects))
        return f"{self.prefix}:{self.scenario.objects[name].queue_name}"

    def bases(self, jobs: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """(queue, id) → (base key, id)."""
        return {(f"{self.prefix}:{queue}", job) for queue, job in jobs}

    def client(self, key: str) -> Redis:
        """The harness's connection to the node that serves a key, or all of a queue by its tagged base key."""
        return self.server.client(self.server.owner(key))

    def label(self, name: str) -> Label:
        """What a label stands for. Raises `Trouble` when no call has answered with it."""
        label = self.labels.get(name)
        if label is None:
            raise Trouble("refused", f"no call so far has answered with the job {name}")
        return label

    def filled(self, value: Any) -> Any:
        """`value` with `<job:LABEL>` replaced by ids and `<prefix>` by the cell's prefix."""
        if isinstance(value, str) and "<" in value:
            for name, label in self.labels.items():
                value = value.replace(f"<job:{name}>", label.id)
            return value.replace("<prefix>", self.prefix)
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        return value

    # --- who acts ----------------------------------------------------------------------------------------------------

    def looping(self, name: str) -> bool:
        """Whether a worker takes jobs by itself."""
        return bool(self.scenario.program) and self.worker_opts[name].get("autorun", True) is not False

    def unheard(self) -> tuple[str, ...]:
        """The workers and readers of which some side that holds them does not tell."""
        return tuple(
            name
            for name, spec in self.scenario.objects.items()
            if spec.kind in TELLERS
            and any(
                "event" not in getattr(self.seats[spec.impl or side].welcome.capabilities, spec.kind)
                for side in self.players.sides(name)
            )
        )

    def any_worker(self) -> bool:
        return any(self.scenario.objects[name].kind == "worker" for name, _ in self.opened)

    def holders(self, name: str) -> list[Side]:
        """The sides on which `name` is open. Raises `Trouble` if there is none."""
        sides = [side for side in self.players.sides(name) if (name, side) in self.opened]
        if not sides:
            raise Trouble("environment", f"{name} is not open at step {self.step}")
        return sides

    def victim(self, name: str) -> Side:
        """Whose `name` it is that something befalls: in `shadow` the side's that has a job in hand, so that the other
        one must rescue it; else the port's."""
        return min(self.holders(name), key=lambda side: (self.processor.held(name, side) == 0, side == "oracle"))

    def turn(self, name: str) -> Player:
        """The player to act for `name`: in `shadow` the sides that hold it take turns."""
        sides = self.holders(name)
        side = sides[self._turns[name] % len(sides)]
        self._turns[name] += 1
        return self.opened[name, side]

    def bury(self, worker: str, side: Side) -> Player:
        """Note that a worker's process is dead; the jobs in its hands are orphans."""
        player = self.opened.pop((worker, side))
        self.orphans |= self.bases(self.processor.drop(worker, side))
        self.paused.discard((worker, side))
        self.dirty = True
        return player

    def _may_raise(self, step: int) -> str | None:
        steps = self.scenario.steps
        return steps[step].may_raise if 0 <= step < len(steps) else None

    # --- calls -------------------------------------------------------------------------------------------------------

    async def ask(
        self,
        player: Player,
        method: str,
        params: dict[str, Any],
        name: str,
        raises: str | None,
        label: str | None = None,
    ) -> Outcome | None:
        """Call and note the outcome. None when the call raised as foreseen; `Trouble` when it did otherwise."""
        step, sent = self.step, time.time() * 1000
        self.sent.set()
        result: Any = UNSET
        problem: Problem | None = None
        try:
            result = await self.players.call(player, method, params)
        except CallRaised as raised:
            problem = raised.problem
        queue = self.scenario.objects[name].queue_name
        outcome = Outcome(
            step, player.side, method, sent, time.time() * 1000, label, queue, result=result, problem=problem
        )
        self.outcomes.append(outcome)
        if problem is not None and raises is None and problem.symbol != self._may_raise(step):
            raise Trouble("refused", f"`{method}` raised {problem.symbol}: {problem.text}", side=player.side)
        return None if problem is not None else outcome
