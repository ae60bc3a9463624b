"""Waits: what `until` waits for comes true and stays true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compat.model.program import Throw
from compat.model.scenario import Scenario
from compat.model.steps import OF_SCRIPTS, Step, Until
from compat.scenarios.checks.names import gates_of, worker_of
from compat.scenarios.complaint import Complaint, Path, nearest

STATES = ("wait", "paused", "active", "delayed", "prioritized", "waiting-children", "completed", "failed")
SHORTEST, LONGEST = 100, 60_000  # ms, of a deadline
SHORT_TIMER = 60_000  # ms; a timer below it may run out while a slow machine looks


def waits_name_a_fact(scenario: Scenario) -> Iterator[Complaint]:
    """There is something to wait for, and a time to give up."""
    for index, step in enumerate(scenario.steps):
        until = step.until
        if until is None:
            continue
        path: Path = ("steps", index, "until")
        if not (until.state or until.event or until.gate or until.key or until.notice or until.errors):
            message = "there is nothing to wait for; name a `state`, `event`, `gate`, `key`, `notice` or `errors`"
            yield Complaint(path, message)
        if until.errors and "own-server" not in scenario.needs:
            message = "a server counts everybody's errors; say `needs: [own-server]`"
            yield Complaint((*path, "errors"), message)
        for name in until.errors or {}:
            if name != OF_SCRIPTS and not name.isupper():
                yield Complaint((*path, "errors", name), f"`{name}` is no error of Redis; say `OOM`, or `{OF_SCRIPTS}`")
        if until.job is not None and not (until.event or until.notice):
            yield Complaint((*path, "job"), "a job alone is no fact; name an `event` or a `notice` of it")
        for state in until.state or {}:
            if state not in STATES:
                yield Complaint((*path, "state", state), f"there is no state `{state}`; {nearest(state, STATES)}")
        if not SHORTEST <= until.deadline <= LONGEST:
            message = f"{until.deadline} ms is out of bounds; {SHORTEST} to {LONGEST} ms"
            yield Complaint((*path, "deadline"), message)


def waits_are_no_coin_toss(scenario: Scenario) -> Iterator[Complaint]:
    """A count that a timer or a busy worker changes by itself may be gone before anybody looks."""
    timer = _shortest_timer(scenario)
    running: set[str] = set()
    for index, step in enumerate(scenario.steps):
        worker = worker_of(step) or step.kill
        if worker is not None:
            running = running | {worker} if step.start is not None else running - {worker}
        if step.until is None or not running:
            continue
        yield from _tosses(scenario, step.until, ("steps", index, "until", "state"), timer)


def _tosses(scenario: Scenario, until: Until, path: Path, timer: float | None) -> Iterator[Complaint]:
    state = until.state or {}
    if state.get("delayed", 0) > 0 and timer is not None:
        yield Complaint(
            (*path, "delayed"),
            f"a timer of {timer:g} ms ends it while a worker is open, so this is a coin toss; "
            f"delay by {SHORT_TIMER} ms or more and `advance` the clock, or wait for the `event`",
        )
    if state.get("active", 0) > 0 and scenario.program and not gates_of(scenario):
        message = "no gate holds an attempt, so this is a coin toss; hold it at a gate"
        yield Complaint((*path, "active"), message)


def _shortest_timer(scenario: Scenario) -> float | None:
    """The shortest time, below SHORT_TIMER, after which a delayed job becomes due by itself."""
    times = [time for step in scenario.steps for time in _times(step)]
    for spec in scenario.objects.values():
        times += _of_options(spec.opts.get("defaultJobOptions"))
    for rule in scenario.program:
        if isinstance(rule.then.throw, Throw) and rule.then.throw.type == "delayed":
            times.append(rule.then.throw.ms)
    return min((t for t in times if isinstance(t, int | float) and 0 < t < SHORT_TIMER), default=None)


def _times(step: Step) -> list[Any]:
    if step.add is not None:
        return _of_options(step.add.opts)
    if step.bulk is not None:
        return [time for job in step.bulk.jobs for time in _of_options(job.opts)]
    if step.flow is not None:
        return [time for node in step.flow.nodes() for time in _of_options(node.opts)]
    if step.call is not None and step.call.method == "changeDelay":
        return [step.call.args.get("delay")]
    return []


def _of_options(opts: Any) -> list[Any]:
    if not isinstance(opts, dict):
        return []
    backoff = opts.get("backoff")
    return [opts.get("delay"), backoff.get("delay") if isinstance(backoff, dict) else backoff]
