"""Shape: wherever a choice is offered, exactly one thing is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from msgspec import UNSET, Struct, structs

from compat.model.program import Action, End, Throw
from compat.model.scenario import Scenario
from compat.model.steps import BESIDES, Step
from compat.scenarios.complaint import Complaint, Path

#: Ends of an attempt that move the job or the limit by a number of milliseconds.
_TIMED = ("delayed", "rateLimit")


def one_kind(scenario: Scenario) -> Iterator[Complaint]:
    """An object is a queue, a worker, a reader of events or a flow producer."""
    if not scenario.objects:
        yield Complaint(("objects",), "there are none; add one, for example `q: {queue: mail}`")
    for name, spec in scenario.objects.items():
        kinds = ("queue", "worker", "events", "flow", "producer")
        chosen = {kind: value for kind, value in _given(spec).items() if kind in kinds}
        yield from _one(("objects", name), chosen, of=kinds)


def one_verb(scenario: Scenario) -> Iterator[Complaint]:
    """A step does one thing."""
    if not scenario.steps:
        yield Complaint(("steps",), "there are none; a scenario does something")
    for index, step in enumerate(scenario.steps):
        aside = {field.encode_name for field in fields_of(Step) if field.name in BESIDES}
        verbs = {name: value for name, value in _given(step).items() if name not in aside}
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
            chosen = {name: value for name, value in _given(step.call).items() if name in ("on", "job")}
            yield from _one(("steps", index, "call"), chosen, of=("on", "job"))
        if step.flow is not None:
            trees = {name: value for name, value in _given(step.flow).items() if name in ("tree", "trees")}
            yield from _one(("steps", index, "flow"), trees, of=("tree", "trees"))
        if step.expire is not None:
            chosen = {name: value for name, value in _given(step.expire).items() if name != "queue"}
            yield from _one(("steps", index, "expire"), chosen, of=("lock", "key"))


@cache  # looking them up takes longer than all the checks
def fields_of(struct: type[Struct]) -> tuple[structs.FieldInfo, ...]:
    """The fields of a struct."""
    return structs.fields(struct)


def _given(value: Struct) -> dict[str, Any]:
    """What was written of a struct whose fields are all optional, by the names written."""
    fields = fields_of(type(value))
    return {field.encode_name: getattr(value, field.name) for field in fields if _is_given(value, field)}


def _is_given(value: Struct, field: structs.FieldInfo) -> bool:
    # `return: null` is a value; where a field's default is None, null is as good as absent.
    return getattr(value, field.name) is not (UNSET if field.default is UNSET else None)


def _names(struct: type[Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in fields_of(struct))


def _one(path: Path, choice: dict[str, Any], hint: str = "", of: tuple[str, ...] = ()) -> Iterator[Complaint]:
    chosen = list(choice)
    if len(chosen) == 1:
        return
    seen = f"{' and '.join(f'`{name}`' for name in chosen)} are both" if chosen else "nothing is"
    wanted = hint or f"exactly one of {', '.join(f'`{name}`' for name in of)} is expected"
    yield Complaint(path, f"{seen} given; {wanted}")
