"""Needs: the capabilities that a scenario asks of whoever plays a role in it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET, Struct

from compat.model.cell import ROLES as SIDES
from compat.model.cell import Arm
from compat.model.program import Throw
from compat.model.scenario import Role, Scenario, TopologyName
from compat.model.steps import JobRef, Step
from compat.protocol.messages import TELLERS, Capabilities


class Need(Struct, frozen=True, order=True):
    """A capability (`queue.add`, `processor.gate`, `clock`) of a role's player."""

    role: Role
    group: str
    name: str = ""

    @property
    def title(self) -> str:
        return f"{self.group}.{self.name}" if self.name else self.group


#: Actions of a program by their field, as capabilities name them.
_ACTIONS = {
    "progress": "progress",
    "log": "log",
    "update_data": "updateData",
    "extend_lock": "extendLock",
    "spin": "spin",
    "gate": "gate",
}
#: Methods that every driver has: without them nothing can be opened.
_GRANTED = ("open", "close")


def needs(scenario: Scenario, topology: TopologyName) -> tuple[Need, ...]:
    """All that a scenario asks of the two sides on a topology, sorted. What guests are asked for is theirs."""
    found = {*_of_steps(scenario), *_of_program(scenario)}
    for spec in scenario.objects.values():
        if spec.impl is not None:
            continue
        if topology == "cluster":
            found.add(Need(spec.player, "cluster"))
        found.add(Need(spec.player, spec.kind))
        if "$repeatStrategy" in spec.opts:
            found.add(Need(spec.player, "scheduler", "repeatStrategy"))
    return tuple(sorted(found))


def missing(scenario: Scenario, arm: Arm, topology: TopologyName, capabilities: Capabilities) -> tuple[Need, ...]:
    """What the port lacks for the roles it plays in this arm."""
    return tuple(
        need for need in needs(scenario, topology) if "port" in SIDES[arm][need.role] and not _has(capabilities, need)
    )


def _has(capabilities: Capabilities, need: Need) -> bool:
    offered = getattr(capabilities, need.group)
    if isinstance(offered, bool):
        return offered
    return bool(offered) if not need.name else need.name in offered or need.name in _GRANTED


def _of_steps(scenario: Scenario) -> Iterator[Need]:
    def player(name: str) -> Role:
        return scenario.objects[name].player if name in scenario.objects else "producer"

    own = {name for name, spec in scenario.objects.items() if spec.impl is None}
    for step in scenario.steps:
        if step.until is not None and step.until.notice is not None:
            tellers = (spec for name, spec in scenario.objects.items() if spec.kind in TELLERS and name in own)
            yield from (Need(spec.player, spec.kind, "event") for spec in tellers)
        if (acting := _acting(scenario, step)) in scenario.objects and acting not in own:
            continue
        if step.add is not None:
            yield Need(player(step.add.on), "queue", "add")
            if step.add.opts is not UNSET and "repeat" in step.add.opts:
                yield Need(player(step.add.on), "scheduler", "repeat")
        elif step.bulk is not None:
            yield Need(player(step.bulk.on), "queue", "addBulk")
        elif step.flow is not None:
            yield Need(player(step.flow.on), "flow", "add" if step.flow.tree is not None else "addBulk")
        elif step.sweep is not None:
            yield Need(player(step.sweep), "worker", "sweep")
        elif step.fault is not None and step.fault.kind == "clock-stepped":
            yield Need(player(step.fault.of or ""), "clock")
        elif step.advance is not None or step.clock is not None:
            for role in {scenario.objects[name].player for name in own}:
                yield Need(role, "clock")
        elif step.call is not None and step.call.job is not None:
            on = step.call.job if isinstance(step.call.job, str) else step.call.job.on
            yield Need(
                player(on) if not isinstance(step.call.job, str) else _of_label(scenario, on), "job", step.call.method
            )
        elif step.call is not None and step.call.on in scenario.objects:
            spec = scenario.objects[step.call.on]
            yield Need(spec.player, spec.kind, step.call.method)
            repeat = step.call.args.get("repeat") if step.call.method == "upsertJobScheduler" else None
            for way in ("every", "pattern"):
                if isinstance(repeat, dict) and way in repeat:
                    yield Need(spec.player, "scheduler", way)


def _acting(scenario: Scenario, step: Step) -> str | None:
    """The object that a step acts through."""
    for deed in (step.add, step.bulk, step.flow):
        if deed is not None:
            return deed.on
    if step.call is not None and isinstance(step.call.job, str):
        queue = _queue_of(scenario, step.call.job)
        held = (name for name, spec in scenario.objects.items() if (spec.kind, spec.queue_name) == ("queue", queue))
        return next(held, None)
    if step.call is not None:
        return step.call.job.on if isinstance(step.call.job, JobRef) else step.call.on
    return step.sweep


def _of_label(scenario: Scenario, label: str) -> Role:
    """Who calls a job's methods: the player of the first queue object of the queue that the label's call names."""
    queue = _queue_of(scenario, label)
    specs = (spec for spec in scenario.objects.values() if spec.kind == "queue" and spec.queue_name == queue)
    return next((spec.player for spec in specs), "producer")


def _queue_of(scenario: Scenario, label: str) -> str | None:
    """The queue of the job that a label names."""
    for step in scenario.steps:
        on = step.add.on if step.add is not None and step.add.label == label else None
        if step.bulk is not None and any(job.label == label for job in step.bulk.jobs):
            on = step.bulk.on
        if step.call is not None and step.call.label == label:
            on = step.call.on
        queue = scenario.objects[on].queue_name if on in scenario.objects else None
        if step.flow is not None:
            queue = next((node.queue for node in step.flow.nodes() if node.label == label), None)
        if queue is not None:
            return queue
    return None


def _of_program(scenario: Scenario) -> Iterator[Need]:
    if all(spec.impl is not None for spec in scenario.objects.values() if spec.kind == "worker"):
        return
    for rule in scenario.program:
        for action in rule.do:
            for field, name in _ACTIONS.items():
                if getattr(action, field) is not UNSET:
                    yield Need("worker", "processor", name)
        if isinstance(rule.then.throw, Throw) and rule.then.throw.type != "error":
            yield Need("worker", "processor", rule.then.throw.type)
        if rule.then.die is not UNSET:
            yield Need("worker", "processor", "die")
