"""Timing: a span has two moments that the scenario's steps bring about, and a bound that no busy machine exceeds."""

from __future__ import annotations

from collections.abc import Iterator

from compat.model.facts import Instant
from compat.model.scenario import Scenario
from compat.scenarios.checks.names import labels_of, worker_of
from compat.scenarios.complaint import Complaint, Path, nearest

LEAST = 200  # ms, of a bound: what a busy machine does to one side alone stays below it
LONGEST = 5_000  # ms that a span may be due after: it is waited for in truth, ten times if the port is late


def spans_are_sound(scenario: Scenario) -> Iterator[Complaint]:
    """Each span has a name of its own, moments that are there, and a bound; clocks stay where they are."""
    names: set[str] = set()
    for index, span in enumerate(scenario.timing):
        path: Path = ("timing", index)
        if span.name in names:
            yield Complaint((*path, "name"), f"`{span.name}` stands here twice; give each span a name of its own")
        names.add(span.name)
        if span.bound < LEAST:
            message = f"{span.bound} ms can be the machine's doing; say {LEAST} or more"
            yield Complaint((*path, "bound"), message)
        if not 0 <= span.due <= LONGEST:
            yield Complaint((*path, "due"), f"{span.due} ms is out of bounds; 0 to {LONGEST} ms, which are waited for")
        yield from _moment(scenario, span.since, (*path, "from"))
        yield from _moment(scenario, span.until, (*path, "to"))
    if scenario.timing and "shadow" in scenario.arms:
        yield Complaint(("arms",), "in `shadow` there is no oracle to be later than; name the other arms")
    for index, step in enumerate(scenario.steps):
        if scenario.timing and (step.advance is not None or step.clock is not None):
            yield Complaint(("steps", index), "a clock that is moved tells no lateness; wait for the real one, shortly")


def _moment(scenario: Scenario, instant: Instant, path: Path) -> Iterator[Complaint]:
    given = {
        name: value for name in ("add", "call", "stop", "attempt") if (value := getattr(instant, name)) is not None
    }
    if len(given) != 1:
        yield Complaint(path, "a moment is exactly one of `add`, `call`, `stop` and `attempt`")
        return
    ((kind, name),) = given.items()
    known = _known(scenario, kind)
    if name not in known:
        yield Complaint((*path, kind), f"no step makes the {kind} `{name}`; {nearest(name, known)}")
    if instant.number < 1:
        yield Complaint((*path, "number"), f"there is no attempt {instant.number}; they count from 1")


def _known(scenario: Scenario, kind: str) -> set[str]:
    """What a moment of this kind can be named after."""
    steps = scenario.steps
    if kind == "stop":
        return {name for step in steps if step.stop is not None and (name := worker_of(step)) is not None}
    if kind == "add":
        return {step.add.label for step in steps if step.add is not None and step.add.label is not None}
    if kind == "call":
        return {step.call.label for step in steps if step.call is not None and step.call.label is not None}
    return {label for step in steps if step.verb in ("add", "bulk", "flow") for _, label in labels_of(step)}
