"""The processor's part: each `processor.call` is matched with a rule, counted, and held at its gates."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from compat.execute.trouble import Trouble
from compat.model.cell import Side
from compat.model.history import Attempt, Label
from compat.model.program import Rule
from compat.model.scenario import Scenario
from compat.protocol.messages import ProcessorAnswer


@dataclass
class Gate:
    """A place where attempts are held. A release lets go of everything held now, or of the next to come."""

    held: dict[int, asyncio.Future[None]] = field(default_factory=dict)  # by attempt, as counted in the cell
    credit: int = 0


@dataclass
class Hold:
    """An attempt in a worker's hands: held at a gate (`gate`), or at work (None)."""

    attempt: Attempt
    gate: str | None = None


class Processor:
    """Answers a cell's `processor.call`s from its program and knows which attempts are held where."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._counts: Counter[tuple[str, str]] = Counter()
        self._gates: dict[str, Gate] = {}
        self.attempts: list[Attempt] = []
        self.holds: dict[int, Hold] = {}  # by index in `attempts`; at work or held
        self.labels: dict[str, Label] = {}
        self.trouble: Trouble | None = None

    async def call(self, worker: str, side: Side, job: dict[str, Any], token: str) -> ProcessorAnswer:
        """What this attempt shall do; answered when its gate opens."""
        queue = self._scenario.objects[worker].queue_name
        job_id = str(job.get("id", ""))
        self._counts[queue, job_id] += 1
        attempt = Attempt(worker, side, queue, job_id, self._counts[queue, job_id], token, time.time() * 1000)
        index = len(self.attempts)
        self.attempts.append(attempt)
        rule = self._match(attempt, str(job.get("name", "")))
        if rule is None:
            self.trouble = self.trouble or Trouble(
                "unmatched",
                f"the processor of {worker} was called for job {job_id} ({job.get('name')!r}), "
                f"attempt {attempt.number}, which no rule of the program foresees",
                side=side,
            )
            await asyncio.Future()  # the cell ends here; the driver is told nothing more
            raise AssertionError
        self.holds[index] = Hold(attempt)
        if rule.gate is not None:
            await self._pass(rule.gate, index)
        return ProcessorAnswer(rule.then, rule.do)

    async def gate(self, worker: str, job_id: str, gate: str) -> None:
        """Hold an attempt at a gate in the midst of its work."""
        mine = [i for i, h in self.holds.items() if h.attempt.worker == worker and h.attempt.job == job_id]
        if not mine:
            raise msgspec.ValidationError(f"{worker} has no attempt of job {job_id} in hand to hold at a gate")
        await self._pass(gate, mine[-1])

    def _match(self, attempt: Attempt, name: str) -> Rule | None:
        for rule in self._scenario.program:
            when = rule.when
            label = self.labels.get(when.job) if when.job is not None else None
            if when.job is not None and (label is None or (label.queue, label.id) != (attempt.queue, attempt.job)):
                continue
            if when.name not in (None, name) or when.attempt not in (None, attempt.number):
                continue
            if when.worker not in (None, attempt.worker):
                continue
            return rule
        return None

    async def _pass(self, name: str, index: int) -> None:
        gate = self._gates.setdefault(name, Gate())
        if gate.credit > 0:
            gate.credit -= 1
            return
        gate.held[index] = asyncio.get_running_loop().create_future()
        hold = self.holds.get(index)
        if hold is not None:
            hold.gate = name
        try:
            await gate.held[index]
        finally:
            gate.held.pop(index, None)
            if hold is not None:
                hold.gate = None

    def release(self, name: str) -> None:
        """Let go of all that is held at `name`; when nothing is, the next to come passes."""
        gate = self._gates.setdefault(name, Gate())
        waiting = [future for future in gate.held.values() if not future.done()]
        if not waiting:
            gate.credit += 1
        for future in waiting:
            future.set_result(None)
        for hold in self.holds.values():
            if hold.gate == name:
                hold.gate = None

    def held_at(self, name: str) -> dict[int, Attempt]:
        """The attempts held at `name`, by number, in the order in which they came."""
        gate = self._gates.get(name)
        held = gate.held.items() if gate is not None else ()
        return {index: self.attempts[index] for index, future in held if not future.done()}

    def let_go(self, name: str, index: int) -> None:
        """Let go of one attempt that is held at `name`."""
        self._gates[name].held[index].set_result(None)
        if (hold := self.holds.get(index)) is not None:
            hold.gate = None

    def waiting(self, name: str) -> int:
        """How many attempts are held at `name`."""
        gate = self._gates.get(name)
        return 0 if gate is None else sum(not future.done() for future in gate.held.values())

    def held(self, worker: str, side: Side) -> int:
        """How many of a worker's slots are held at gates."""
        return sum(
            h.gate is not None and h.attempt.worker == worker and h.attempt.side == side for h in self.holds.values()
        )

    def held_jobs(self) -> set[tuple[str, str]]:
        """(queue, id) of every job held at a gate."""
        return {(h.attempt.queue, h.attempt.job) for h in self.holds.values() if h.gate is not None}

    def drop(self, worker: str, side: Side) -> set[tuple[str, str]]:
        """Forget a dead worker's attempts; (queue, id) of the jobs that were last in its hands."""
        mine = {i: h for i, h in self.holds.items() if h.attempt.worker == worker and h.attempt.side == side}
        for index, hold in mine.items():
            del self.holds[index]
            for gate in self._gates.values():
                future = gate.held.pop(index, None)
                if future is not None:
                    future.cancel()
            hold.gate = None
        return {(h.attempt.queue, h.attempt.job) for h in mine.values()}
