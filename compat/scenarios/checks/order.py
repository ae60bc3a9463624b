"""Order: objects live once, gates hold what is released, jobs end in an order that nothing leaves to chance."""

from __future__ import annotations

from collections.abc import Iterator

from compat.model.scenario import Scenario
from compat.model.steps import Start, Until
from compat.scenarios.checks.names import gates_of, labels_of, shared_gate, worker_of
from compat.scenarios.complaint import Complaint, Path

OPEN_WORKERS = "open-workers"  # the tag of scenarios that end with workers open, on purpose


def objects_live_once(scenario: Scenario) -> Iterator[Complaint]:
    """A worker is started before it is used and stopped once; an object is opened before it is used."""
    workers = {name for name, spec in scenario.objects.items() if spec.kind == "worker"}
    alive = {name for name, spec in scenario.objects.items() if spec.open and name not in workers}
    dying = any(rule.then.die is True for rule in scenario.program)
    for index, step in enumerate(scenario.steps):
        path: Path = ("steps", index, step.verb)
        born = step.open or (worker_of(step) if step.start is not None else None)
        used = [step.add.on] if step.add is not None else [step.bulk.on] if step.bulk is not None else []
        used += [step.flow.on] if step.flow is not None else []
        used += [step.call.on] if step.call is not None and step.call.on is not None else []
        used += [name for name in (step.sweep, step.kill, step.close) if name is not None]
        used += [step.fault.of] if step.fault is not None and step.fault.of is not None else []
        used += [name for name in (worker_of(step),) if name is not None and step.stop is not None]
        if step.open in workers or step.close in workers:
            yield Complaint(path, "a worker is opened by `start` and closed by `stop`")
            continue
        if born is not None and born in alive and not dying:
            yield Complaint(path, f"`{born}` is open already; {_how(born in workers)} it first")
        if step.raises is None and born is not None:
            alive.add(born)
        for name in used:
            if name in scenario.objects and name not in alive:
                yield Complaint(path, f"`{name}` is not open here; {'start' if name in workers else 'open'} it first")
        other_side_lives = step.kill is not None and scenario.arms == ("shadow",)
        if (step.stop is not None or step.kill is not None or step.close is not None) and not other_side_lives:
            alive -= set(used)
    left = sorted(alive & workers)
    if left and not dying and OPEN_WORKERS not in scenario.tags:
        message = f"{', '.join(left)} still open at the end; stop each, or tag the scenario `{OPEN_WORKERS}`"
        yield Complaint(("steps", len(scenario.steps) - 1), message)


def _how(worker: bool) -> str:
    return "stop" if worker else "close"


def gates_hold_what_is_released(scenario: Scenario) -> Iterator[Complaint]:
    """A gate is released after a wait has seen an attempt held there; every gate is released or its holder dies."""
    seen: set[str] = set()
    released: set[str] = set()
    gates = gates_of(scenario)
    for index, step in enumerate(scenario.steps):
        if step.until is not None and step.until.gate is not None:
            seen.add(step.until.gate)
        if (shared := shared_gate(step)) is not None:
            released.add(shared)
        if step.release is not None and step.release in gates:
            if step.release not in seen:
                message = f"nothing is known to be held there; write `- until: {{gate: {step.release}}}` before it"
                yield Complaint(("steps", index, "release"), message)
            seen.discard(step.release)
            released.add(step.release)
    forced = any(
        step.kill is not None or not (step.stop is None or isinstance(step.stop, str)) for step in scenario.steps
    )
    for index, rule in enumerate(scenario.program):
        for gate in [rule.gate, *(action.gate for action in rule.do)]:
            if isinstance(gate, str) and gate not in released and not forced and OPEN_WORKERS not in scenario.tags:
                message = f"no step releases the gate `{gate}`; the worker would never come to its end"
                yield Complaint(("program", index), message)


def labels_are_known_in_time(scenario: Scenario) -> Iterator[Complaint]:
    """A job added while a worker is open may be in its hands before the answer to the add has told its id."""
    late: set[str] = set()
    running: set[str] = set()
    for step in scenario.steps:
        worker = worker_of(step) or step.kill
        if worker is not None:
            running = running | {worker} if step.start is not None else running - {worker}
        on = step.add.on if step.add is not None else step.bulk.on if step.bulk is not None else None
        if on is not None and any(_same_queue(scenario, on, worker) for worker in running):
            late |= {label for _, label in labels_of(step)}
        if step.flow is not None:
            queues = {scenario.objects[worker].queue_name for worker in running if worker in scenario.objects}
            late |= {node.label for node in step.flow.nodes() if node.label is not None and node.queue in queues}
    for index, rule in enumerate(scenario.program):
        if rule.when.job in late:
            message = f"`{rule.when.job}` is added while a worker is open, which may take it first; match it by `name`"
            yield Complaint(("program", index, "when", "job"), message)


def _same_queue(scenario: Scenario, one: str, other: str) -> bool:
    specs = [scenario.objects.get(name) for name in (one, other)]
    return len({spec.queue_name for spec in specs if spec is not None}) == 1


def jobs_end_one_by_one(scenario: Scenario) -> Iterator[Complaint]:
    """Where jobs run at once, the order of their events is decided by gates, or compared job by job."""
    if scenario.order == "per-job" or scenario.arms == ("shadow",):
        return
    where = _at_once(scenario)
    if where is None:
        return
    free = next((index for index, rule in enumerate(scenario.program) if rule.gate is None and not rule.do), None)
    if free is not None and len(scenario.program) == 1:
        message = "jobs run at once and nothing orders their ends; hold them at gates, or say `order: per-job`"
        yield Complaint(where, message)
    waiting: int | None = None
    for index, step in enumerate(scenario.steps):
        if step.release is not None:
            if waiting is not None:
                message = "jobs run at once: wait for the end of the one released before, or say `order: per-job`"
                yield Complaint(("steps", index, "release"), message)
            waiting = index
        elif step.share is not None or _ends_something(step.until):
            waiting = None


def _ends_something(until: Until | None) -> bool:
    return until is not None and bool(until.state or until.event or until.notice or until.gate)


def _at_once(scenario: Scenario) -> Path | None:
    """The step after which two attempts may run at the same time."""
    alive: dict[str, set[str]] = {}
    for index, step in enumerate(scenario.steps):
        name = worker_of(step) or step.kill
        if name is None or name not in scenario.objects:
            continue
        spec = scenario.objects[name]
        workers = alive.setdefault(spec.queue_name, set())
        if step.start is None:
            workers.discard(name)
            continue
        workers.add(name)
        opts = {**spec.opts, **(step.start.opts if isinstance(step.start, Start) else {})}
        many = opts.get("concurrency", 1)
        if len(workers) > 1 or (isinstance(many, int) and many > 1):
            return ("steps", index)
    return None
