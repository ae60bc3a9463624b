"""Facts: what a scenario says must hold, looked up in a history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from compat.model.capture import Capture, Key
from compat.model.history import History
from compat.model.scenario import Fact, Scenario
from compat.protocol.values import decode
from compat.wire.layout import LISTS, STATES, read, told_apart

END = "end"
_RAW = {
    "failed_reason": "failedReason",
    "processed_by": "pb",
    "name": "name",
}
_NUMBERS = {
    "attempts_made": "atm",
    "attempts_started": "ats",
    "stalled_counter": "stc",
    "delay": "delay",
    "priority": "priority",
}
_JSON = {"data": "data", "opts": "opts", "returnvalue": "returnvalue", "progress": "progress"}


def missed_facts(scenario: Scenario, history: History) -> tuple[tuple[int, str], ...]:
    """(number of the fact, what was seen and what expected), for every fact that does not hold."""
    missed: list[tuple[int, str]] = []
    for number, fact in enumerate(scenario.expect):
        missed += [(number, words) for words in _missed(scenario, history, fact)]
    for outcome in history.outcomes:
        step = scenario.steps[outcome.step] if 0 <= outcome.step < len(scenario.steps) else None
        if step is not None and step.raises is not None:
            seen = outcome.problem.symbol if outcome.problem is not None else "no error"
            if seen != step.raises:
                missed.append(
                    (len(scenario.expect) + outcome.step, f"step {outcome.step}: {step.raises} expected, {seen} seen")
                )
    return tuple(missed)


def _missed(scenario: Scenario, history: History, fact: Fact) -> Iterator[str]:
    if fact.call is not None:
        yield from _call(history, fact)
        return
    label = fact.at or END
    shot = history.capture(label)
    if shot is None:
        yield f"there is no capture {label!r} to look in"
        return
    queue = _queue(scenario, fact)
    if fact.job is not None:
        yield from _job(history, shot, fact)
    base = f"{shot.prefix}:{queue}"
    for state, want in (fact.counts or {}).items():
        key = shot.keys.get(f"{base}:{state}")
        seen = 0 if key is None else len(key.items) if state in LISTS else len(key.scores)
        if seen != want:
            yield f"{want} jobs in {state} expected, {seen} seen"
    if fact.key is not None:
        yield from _key(history, shot, base, fact)
    if fact.events is not None:
        yield from _events(history, shot, base, fact.events)
    if fact.processed is not None:
        order = list(dict.fromkeys(a.job for a in history.attempts if a.queue == queue and a.at_ms <= shot.at_ms))
        names = tuple(_named(history, queue, job) for job in order)
        if names != fact.processed:
            yield f"processed in the order {list(fact.processed)} expected, {list(names)} seen"


def _queue(scenario: Scenario, fact: Fact) -> str:
    name = fact.queue if fact.queue is not None else next(iter(scenario.objects))
    return scenario.objects[name].queue_name


def _named(history: History, queue: str, job: str) -> str:
    return next((name for name, label in history.labels.items() if (label.queue, label.id) == (queue, job)), job)


def _filled(history: History, value: Any) -> Any:
    if isinstance(value, str):
        for name, label in history.labels.items():
            value = value.replace(f"<job:{name}>", label.id)
        return value.replace("<prefix>", history.prefix)
    if isinstance(value, (list, tuple)):
        return [_filled(history, item) for item in value]
    if isinstance(value, dict):
        return {_filled(history, key): _filled(history, item) for key, item in value.items()}
    return value


def _job(history: History, shot: Capture, fact: Fact) -> Iterator[str]:
    label = history.labels.get(fact.job or "")
    if label is None:
        yield f"no call has answered with the job {fact.job}"
        return
    base = f"{shot.prefix}:{label.queue}"
    key = shot.keys.get(f"{base}:{label.id}")
    fields = key.fields if key is not None else {}
    if fact.exists is not None and fact.exists != (key is not None):
        yield f"job {fact.job} {'exists' if fact.exists else 'is gone'} expected, the opposite seen"
    if fact.state is not None and (seen := _state(shot, base, label.id)) != fact.state:
        yield f"job {fact.job} in {fact.state} expected, {seen} seen"
    for attribute, field in _RAW.items():
        want = getattr(fact, attribute)
        if want is not None and fields.get(field) != want:
            yield f"job {fact.job}: {field} {want!r} expected, {fields.get(field)!r} seen"
    for attribute, field in _NUMBERS.items():
        want = getattr(fact, attribute)
        if want is not None and fields.get(field, "0") != str(want):
            yield f"job {fact.job}: {field} {want} expected, {fields.get(field)} seen"
    for attribute, field in _JSON.items():
        want = getattr(fact, attribute)
        if want is UNSET:
            continue
        seen_value = read("json", fields[field]) if field in fields else None
        wanted = told_apart(decode(_filled(history, want)))
        if json.dumps(seen_value, sort_keys=True) != json.dumps(wanted, sort_keys=True):
            yield f"job {fact.job}: {field} {wanted!r} expected, {seen_value!r} seen"
    if fact.stacktraces is not None:
        entries = read("json", fields.get("stacktrace", "[]"))
        if not isinstance(entries, list) or len(entries) != fact.stacktraces:
            yield f"job {fact.job}: {fact.stacktraces} stack traces expected, {entries!r} seen"
    if fact.logs is not None:
        logs = shot.keys.get(f"{base}:{label.id}:logs", Key("list")).items
        if logs != fact.logs:
            yield f"job {fact.job}: logs {list(fact.logs)} expected, {list(logs)} seen"
    for field, text in (fact.fields or {}).items():
        if fields.get(field) != (None if text is None else _filled(history, text)):
            yield f"job {fact.job}: field {field} {text!r} expected, {fields.get(field)!r} seen"
    if fact.attempts is not None:
        mine = (label.queue, label.id)
        times = sum((a.queue, a.job) == mine and a.at_ms <= shot.at_ms for a in history.attempts)
        if times != fact.attempts:
            yield f"job {fact.job}: {fact.attempts} calls of the processor expected, {times} seen"


def _state(shot: Capture, base: str, job: str) -> str:
    found = []
    for state in STATES:
        key = shot.keys.get(f"{base}:{state}", Key("list"))
        if job in key.items or any(member == job for member, _ in key.scores):
            found.append(state)
    return " and ".join(found) or "no state"


def _key(history: History, shot: Capture, base: str, fact: Fact) -> Iterator[str]:
    name = f"{base}:{_filled(history, fact.key)}"
    key = shot.keys.get(name)
    if fact.exists is not None and fact.exists != (key is not None):
        yield f"key {fact.key} {'exists' if fact.exists else 'is gone'} expected, the opposite seen"
    if fact.value is UNSET:
        return
    seen: Any = None
    if key is not None:
        match key.type:
            case "string":
                seen = key.text
            case "list" | "set":
                seen = list(key.items)
            case "zset":
                seen = [member for member, _ in key.scores]
            case "hash":
                seen = key.fields
            case "stream":
                seen = [dict(entry.fields) for entry in key.entries]
    want = _filled(history, fact.value)
    if isinstance(seen, str) and not isinstance(want, str):
        want = str(want)
    if isinstance(want, list):
        want = [str(item) for item in want]
    if seen != want:
        yield f"key {fact.key}: {want!r} expected, {seen!r} seen"


def _events(history: History, shot: Capture, base: str, want: tuple[str, ...]) -> Iterator[str]:
    entries = shot.keys.get(f"{base}:events", Key("stream")).entries
    queue = base.removeprefix(f"{shot.prefix}:")
    told = []
    for index, entry in enumerate(entries):
        fields = dict(entry.fields)
        words = [fields.pop("event", "")]
        if "jobId" in fields:
            words.append(_named(history, queue, fields.pop("jobId")))
        asked = want[index].split(" ")[len(words) :] if index < len(want) else []
        words += [f"{name}={fields[name]}" for name in (part.partition("=")[0] for part in asked) if name in fields]
        told.append(" ".join(words))
    if told != [_filled(history, line) for line in want]:
        yield f"events {list(want)} expected, {told} seen"


def _call(history: History, fact: Fact) -> Iterator[str]:
    outcome = next((o for o in reversed(history.outcomes) if o.label == fact.call), None)
    if outcome is None:
        yield f"the call {fact.call} was not made"
        return
    want, seen = told_apart(_filled(history, fact.returns)), told_apart(outcome.result)
    if outcome.problem is not None:
        yield f"call {fact.call}: {want!r} expected, {outcome.problem.symbol} raised"
    elif fact.returns is not UNSET and not _covers(want, seen):
        yield f"call {fact.call}: {want!r} expected, {seen!r} seen"


def _covers(want: Any, seen: Any) -> bool:
    """Whether `seen` is what was wanted; of a map, only what is wanted is looked at."""
    if isinstance(want, dict) and isinstance(seen, dict):
        return all(key in seen and _covers(item, seen[key]) for key, item in want.items())
    if isinstance(want, list) and isinstance(seen, list):
        return len(want) == len(seen) and all(map(_covers, want, seen))
    return json.dumps(want, sort_keys=True) == json.dumps(seen, sort_keys=True)
