"""Shape: wherever a choice is offered, exactly one thing is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, Struct, structs

from compat.model.scenario import Action, End, Scenario, Throw
from compat.scenarios.complaint import Complaint, Path

#: Ends of an attempt that move the job or the limit by a number of milliseconds.
_TIMED = ("delayed", "rateLimit")


def one_kind(scenario: Scenario) -> Iterator[Complaint]:
    """An object is a queue, a worker, a reader of events or a flow producer."""
    if not scenario.objects:
        yield Complaint(("objects",), "there are none; add one, for example `q: {queue: mail}`")
    for name, spec in scenario.objects.items():
        kinds = ("queue", "worker", "events", "flow")
        yield from _one(("objects", name), {kind: getattr(spec, kind) for kind in kinds})


def one_verb(scenario: Scenario) -> Iterator[Complaint]:
    """A step does one thing."""
    if not scenario.steps:
        yield Complaint(("steps",), "there are none; a scenario does something")
    for index, step in enumerate(scenario.steps):
        verbs = {name: value for name, value in _given(step).items() if name != "raises"}
        yield from _one(("steps", index), verbs, "a step does one thing: split it")


def one_end(scenario: Scenario) -> Iterator[Complaint]:
    """A rule ends an attempt in one way."""
    for index, rule in enumerate(scenario.program):
        path: Path = ("program", index, "then")
        yield from _one(path, _given(rule.then), "one of `return`, `throw`, `die`", of=_names(End))
        throw = rule.then.throw
        if isinstance(throw, Throw) and (throw.type in _TIMED) != (throw.ms is not None):
            need = "needs `ms`" if throw.type in _TIMED else "takes no `ms`"
            yield Complaint((*path, "throw"), f"`type: {throw.type}` {need}")


def one_action(scenario: Scenario) -> Iterator[Complaint]:
    """An action is one thing."""
    for index, rule in enumerate(scenario.program):
        for place, action in enumerate(rule.do):
            yield from _one(("program", index, "do", place), _given(action), of=_names(Action))


def one_target(scenario: Scenario) -> Iterator[Complaint]:
    """A call is made on an object or on a job; a lock or a key is expired."""
    for index, step in enumerate(scenario.steps):
        if step.call is not None:
            yield from _one(("steps", index, "call"), {"on": step.call.on, "job": step.call.job})
        if step.expire is not None:
            yield from _one(("steps", index, "expire"), {"lock": step.expire.lock, "key": step.expire.key})


def _given(value: Struct) -> dict[str, Any]:
    """What was written of a struct whose fields are all optional, by the names written."""
    fields = {field.encode_name: getattr(value, field.name) for field in structs.fields(value)}
    return {name: content for name, content in fields.items() if content is not None and content is not UNSET}


def _names(struct: type[Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in structs.fields(struct))


def _one(path: Path, choice: dict[str, Any], hint: str = "", of: tuple[str, ...] = ()) -> Iterator[Complaint]:
    chosen = [name for name, value in choice.items() if value is not None and value is not UNSET]
    if len(chosen) == 1:
        return
    seen = f"{' and '.join(f'`{name}`' for name in chosen)} are both" if chosen else "nothing is"
    names = of or tuple(choice)
    wanted = hint or f"exactly one of {', '.join(f'`{name}`' for name in names)} is expected"
    yield Complaint(path, f"{seen} given; {wanted}")
