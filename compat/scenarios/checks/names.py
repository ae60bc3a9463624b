"""Names: each object, job, gate, method and error symbol that is used exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from compat.model.facts import Fact
from compat.model.scenario import Scenario
from compat.model.steps import Call, Flow, FlowNode, JobRef, Share, Start, Step, Stop
from compat.protocol.methods import METHODS
from compat.protocol.symbols import TEXTS
from compat.scenarios.complaint import Complaint, Path, nearest

#: Calls that answer with one job.
_FINDERS = ("getNextJob", "getJob", "upsertJobScheduler")
_RAISING = ("add", "bulk", "flow", "call", "open", "close", "start", "stop", "sweep")


def objects_are_known(scenario: Scenario) -> Iterator[Complaint]:
    """Each object named exists and is of the kind that the step needs."""
    for path, name, kind in _objects(scenario):
        spec = scenario.objects.get(name)
        if spec is None:
            yield Complaint(path, f"there is no object `{name}`; {nearest(name, scenario.objects)}")
        elif kind and spec.kind != kind:
            fitting = [other for other, found in scenario.objects.items() if found.kind == kind]
            yield Complaint(path, f"`{name}` is a {spec.kind}, expected a {kind}; {nearest(name, fitting)}")


def _objects(scenario: Scenario) -> Iterator[tuple[Path, str, str]]:
    """(place, name, kind needed or "") of every object named."""
    for index, step in enumerate(scenario.steps):
        at = ("steps", index, step.verb)
        if step.add is not None:
            yield (*at, "on"), step.add.on, "queue"
        if step.bulk is not None:
            yield (*at, "on"), step.bulk.on, "queue"
        if step.flow is not None:
            yield (*at, "on"), step.flow.on, "flow"
        if step.call is not None and step.call.on is not None:
            yield (*at, "on"), step.call.on, ""
        if step.call is not None and isinstance(step.call.job, JobRef):
            yield (*at, "job", "on"), step.call.job.on, "queue"
        for name in (step.open, step.close):
            if name is not None:
                yield at, name, ""
        if step.fault is not None and step.fault.of is not None:
            yield (*at, "of"), step.fault.of, ""
        for worker in (worker_of(step), step.sweep, step.kill):
            if worker is not None:
                yield at, worker, "worker"
        if step.until is not None and step.until.queue is not None:
            yield (*at, "queue"), step.until.queue, ""
        if step.until is not None and step.until.of is not None:
            yield (*at, "of"), step.until.of, ""
        if step.expire is not None and step.expire.queue is not None:
            yield (*at, "queue"), step.expire.queue, ""
    for index, rule in enumerate(scenario.program):
        if rule.when.worker is not None:
            yield ("program", index, "when", "worker"), rule.when.worker, "worker"
    for path, fact in facts_of(scenario):
        if fact.queue is not None:
            yield (*path, "queue"), fact.queue, ""


def facts_of(scenario: Scenario) -> Iterator[tuple[Path, Fact]]:
    """(place, fact) of all that is expected, with a quirk and without it, and of what shows a loss."""
    for index, fact in enumerate(scenario.expect):
        yield ("expect", index), fact
    for index, loss in enumerate(scenario.losses):
        yield ("losses", index, "shown"), loss.shown
    for number, quirk in enumerate(scenario.quirks):
        for index, fact in enumerate(quirk.expect):
            yield ("quirks", number, "expect", index), fact


def worker_of(step: Step) -> str | None:
    """The worker that a step starts or stops."""
    if isinstance(step.start, Start):
        return step.start.worker
    if isinstance(step.stop, Stop):
        return step.stop.worker
    return step.start or step.stop


def labels_of(step: Step) -> list[tuple[Path, str]]:
    """(place below the step, label) of every job or call that a step names with `as`."""
    if step.add is not None and step.add.label is not None:
        return [(("add", "as"), step.add.label)]
    if step.bulk is not None:
        jobs = enumerate(step.bulk.jobs)
        return [(("bulk", "jobs", place, "as"), job.label) for place, job in jobs if job.label is not None]
    if step.flow is not None:
        own = [(("flow", "as"), step.flow.label)] if step.flow.label is not None else []
        return [*own, *((path, node.label) for path, node in nodes_of(step.flow) if node.label is not None)]
    if step.call is not None and step.call.label is not None:
        return [(("call", "as"), step.call.label)]
    return []


def nodes_of(flow: Flow) -> Iterator[tuple[Path, FlowNode]]:
    """(place of its label below the step, node) of every node of a flow."""

    def below(path: Path, node: FlowNode) -> Iterator[tuple[Path, FlowNode]]:
        yield (*path, "as"), node
        for index, child in enumerate(node.children):
            yield from below((*path, "children", index), child)

    for index, root in enumerate(flow.roots):
        yield from below(("flow", "tree") if flow.tree is not None else ("flow", "trees", index), root)


def job_labels(scenario: Scenario) -> set[str]:
    """The labels of jobs: those of adds that are to succeed, and of jobs fetched or found by a call."""
    return {
        label
        for step in scenario.steps
        if step.raises is None and (step.call is None or step.call.method in _FINDERS)
        for _, label in labels_of(step)
    }


def jobs_are_known(scenario: Scenario) -> Iterator[Complaint]:
    """A job's label is given once, before it is used."""
    known: dict[str, int] = {}
    for index, step in enumerate(scenario.steps):
        for path, label in _jobs(step):
            if label not in known:
                message = f"no step before this one names a job `{label}`; {nearest(label, known)}"
                yield Complaint(("steps", index, *path), message)
        for path, label in labels_of(step):
            if label in known:
                message = f"`{label}` is a label already, of step {known[label]}; choose another"
                yield Complaint(("steps", index, *path), message)
            known[label] = index
    jobs = job_labels(scenario)
    for index, rule in enumerate(scenario.program):
        if rule.when.job is not None and rule.when.job not in jobs:
            message = f"no step names a job `{rule.when.job}`; {nearest(rule.when.job, jobs)}"
            yield Complaint(("program", index, "when", "job"), message)
    for name in scenario.ranges:
        label, _, field = name.partition(".")
        if label not in jobs or field != "delay":
            message = f"`{name}` is no place where chance decides; write `<label of a job>.delay`"
            yield Complaint(("ranges", name), message)


def _jobs(step: Step) -> Iterator[tuple[Path, str]]:
    """(place below the step, label) of every job used."""
    if step.call is not None and isinstance(step.call.job, str):
        yield ("call", "job"), step.call.job
    if step.until is not None and step.until.job is not None:
        yield ("until", "job"), step.until.job
    if step.expire is not None and step.expire.lock is not None:
        yield ("expire", "lock"), step.expire.lock
    if step.call is not None:
        yield from _mentions(step.call.args, ("call", "args"))
        if isinstance(step.call.job, JobRef):
            yield from _mentions(step.call.job.id, ("call", "job", "id"))


def _mentions(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """(place, label) of every `<job:LABEL>` in a value."""
    if isinstance(value, str):
        for label in re.findall(r"<job:([^>]*)>", value):
            yield path, label
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _mentions(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _mentions(item, (*path, index))


def gates_of(scenario: Scenario) -> set[str]:
    """All gates of a program."""
    gates = {rule.gate for rule in scenario.program if rule.gate is not None}
    return gates | {action.gate for rule in scenario.program for action in rule.do if isinstance(action.gate, str)}


def shared_gate(step: Step) -> str | None:
    """The gate that a `share` step opens."""
    return step.share.gate if isinstance(step.share, Share) else step.share


def gates_are_known(scenario: Scenario) -> Iterator[Complaint]:
    """A gate that a step waits at or releases stands in the program."""
    gates = gates_of(scenario)
    for index, step in enumerate(scenario.steps):
        gate = step.until.gate if step.until is not None else step.release or shared_gate(step)
        if gate is not None and gate not in gates:
            path: Path = ("steps", index, "until", "gate") if step.until is not None else ("steps", index, step.verb)
            yield Complaint(path, f"no rule of the program has a gate `{gate}`; {nearest(gate, gates)}")


def methods_are_known(scenario: Scenario) -> Iterator[Complaint]:
    """A call names a method of the driver protocol, with parameters that it has."""
    for index, step in enumerate(scenario.steps):
        if step.call is None:
            continue
        group = _group(scenario, step.call)
        if group is None:
            continue
        name = f"{group}.{step.call.method}"
        if name not in METHODS or step.call.method in ("open", "close", "add", "addBulk"):
            offered = [method.partition(".")[2] for method in METHODS if method.startswith(f"{group}.")]
            message = f"a {group} has no method `{step.call.method}` to call; {nearest(step.call.method, offered)}"
            yield Complaint(("steps", index, "call", "method"), message)
            continue
        for argument in step.call.args:
            if argument not in METHODS[name]:
                message = f"`{name}` takes no `{argument}`; {nearest(argument, METHODS[name])}"
                yield Complaint(("steps", index, "call", "args", argument), message)


def _group(scenario: Scenario, call: Call) -> str | None:
    if call.job is not None:
        return "job"
    spec = scenario.objects.get(call.on or "")
    return spec.kind if spec is not None else None


def symbols_are_known(scenario: Scenario) -> Iterator[Complaint]:
    """`raises` and `mayRaise` stand at a call and name one of BullMQ's errors."""
    for index, step in enumerate(scenario.steps):
        for name, symbol in (("raises", step.raises), ("mayRaise", step.may_raise)):
            path: Path = ("steps", index, name)
            if symbol is not None and symbol not in TEXTS:
                yield Complaint(path, f"there is no error `{symbol}`; {nearest(symbol, TEXTS)}")
            if symbol is not None and step.verb not in _RAISING:
                yield Complaint(path, f"`{step.verb}` calls nothing that could raise; move it to the call")


def queues_are_said(scenario: Scenario) -> Iterator[Complaint]:
    """With more than one queue, whatever is about a queue says which."""
    if len({spec.queue_name for spec in scenario.objects.values()}) < 2:
        return
    message = "there is more than one queue; say which with `queue: <object>`"
    for index, step in enumerate(scenario.steps):
        until, expire = step.until, step.expire
        if until is not None and until.queue is None and (until.state or until.key or until.event):
            yield Complaint(("steps", index, "until"), message)
        if expire is not None and expire.key is not None and expire.queue is None:
            yield Complaint(("steps", index, "expire"), message)
    for path, fact in facts_of(scenario):
        about = fact.counts is not None or fact.key is not None or fact.events is not None or fact.processed is not None
        if about and fact.queue is None:
            yield Complaint(path, message)
