"""A history, made comparable: what chance and clocks decide is renamed, never blanked, and everything else stays."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from compat.model.capture import Capture, Key
from compat.model.history import History, Outcome
from compat.model.scenario import Scenario
from compat.normalise.instants import Window
from compat.normalise.queue import QueueView
from compat.protocol.methods import JOB_VIEW
from compat.wire.layout import place, told_apart

Canonical = dict[str, dict[str, Any]]  # capture label → tree; "calls" → outcomes

#: Properties of a job view that are compared; instants are renamed, what drivers need not give is left to the state.
_VIEW = frozenset(JOB_VIEW) & {
    *("id", "name", "data", "progress", "delay", "priority", "attemptsMade", "failedReason", "returnvalue"),
    *("deduplicationId", "repeatJobKey", "parentKey"),
}


def canonical(scenario: Scenario, history: History) -> Canonical:
    """Every capture as a tree of comparable values, and every call's outcome under `calls`."""
    trees = {shot.label: _tree(scenario, history, shot) for shot in history.captures}
    trees["calls"] = {_name(outcome): _outcome(outcome, history) for outcome in history.outcomes}
    return trees


def _tree(scenario: Scenario, history: History, shot: Capture) -> dict[str, Any]:
    queues = tuple(sorted({spec.queue_name for spec in scenario.objects.values()}))
    jobs = _jobs(shot, queues)
    window = Window(history.started_ms, shot.at_ms + history.offset_ms)
    tree: dict[str, Any] = {}
    foreign: dict[str, Any] = {}
    parts: dict[str, dict[Any, Key]] = {queue: {} for queue in queues}
    for name, key in shot.keys.items():
        where = place(shot.prefix, name, queues, jobs)
        if where is None:
            foreign[name.replace(shot.prefix, "<prefix>")] = key.type
        else:
            parts[where.queue][where] = key
    for queue in queues:
        tree[queue] = QueueView(queue, parts[queue], scenario, history, shot, window).tree()
    if foreign:
        tree["<foreign>"] = foreign
    return tree


def _jobs(shot: Capture, queues: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    """(queue, id) of every key that is a job's hash: a hash with a `timestamp` or an `opts`."""
    found = set()
    for queue in queues:
        base = f"{shot.prefix}:{queue}:"
        found |= {
            (queue, name.removeprefix(base))
            for name, key in shot.keys.items()
            if name.startswith(base) and key.type == "hash" and ("timestamp" in key.fields or "atm" in key.fields)
        }
    return frozenset(found)


def _name(outcome: Outcome) -> str:
    return f"step {outcome.step} {outcome.method}" + (f" as {outcome.label}" if outcome.label else "")


def _outcome(outcome: Outcome, history: History) -> Any:
    if outcome.problem is not None:
        return {"raised": outcome.problem.symbol}
    if outcome.result is UNSET or outcome.method.endswith((".open", ".close", ".sweep", ".pause", ".resume")):
        return {"returned": "<done>"}
    return {"returned": _result(told_apart(outcome.result), history)}


def _result(value: Any, history: History) -> Any:
    """What a JavaScript caller could tell: a whole number beyond 2^53 is the double next to it."""
    if isinstance(value, dict) and value.keys() == {"$int"}:
        return told_apart(float(value["$int"]))
    if isinstance(value, list):
        return [_result(item, history) for item in value]
    if isinstance(value, dict) and {"id", "name"} <= value.keys():
        return {key: _result(item, history) for key, item in value.items() if key in _VIEW and item is not None}
    if isinstance(value, dict):
        return {key: _result(item, history) for key, item in value.items()}
    if isinstance(value, str):
        return value.replace(history.prefix, "<prefix>")
    return value
