"""Facts: what a scenario's `expect` says, held against one history."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, Struct

from compat.compare.spelled import same
from compat.compare.words import event as event_text
from compat.model.capture import Capture, Key
from compat.model.facts import Fact
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.normalise.text import walk
from compat.protocol.values import decode
from compat.wire.states import members, state_of

_FIELD = re.compile(r" (?=[\w-]+=)")
_NOTHING = "nothing"


class MissedFact(Struct, frozen=True):
    """A fact that does not hold. `number` is its place in `expect`, from 1."""

    number: int
    about: str
    expected: Any
    seen: Any
    words: str


def missed_facts(scenario: Scenario, history: History) -> tuple[MissedFact, ...]:
    """Every part of every fact that does not hold, in the order of `expect`; those that show a loss come last."""
    return tuple(
        MissedFact(number, about, expected, seen, f"expected {about} to be {_say(expected)}, found {_say(seen)}")
        for number, fact in enumerate((*scenario.expect, *_losses(scenario, history)), 1)
        for about, expected, seen in _Facts(scenario, history, fact).missed()
    )


def holds(scenario: Scenario, history: History, fact: Fact) -> bool:
    """Whether every part of `fact` holds."""
    return not any(_Facts(scenario, history, fact).missed())


def _losses(scenario: Scenario, history: History) -> tuple[Fact, ...]:
    """What shows the losses that this side must have: a port may be spared some."""
    oracle = history.cell.arm == "oracle"
    return tuple(loss.shown for loss in scenario.losses if oracle or not loss.spared)


class _Facts:
    """One fact and the capture it is about."""

    def __init__(self, scenario: Scenario, history: History, fact: Fact) -> None:
        self.scenario, self.history, self.fact = scenario, history, fact
        found = history.capture(fact.at) if fact.at is not None else (history.captures or (None,))[-1]
        self.capture = found or Capture(fact.at or "", 0, 0, history.prefix, {})
        self.taken = found is not None

    def missed(self) -> Iterator[tuple[str, Any, Any]]:
        if not self.taken and self.fact.call is None:
            yield f"a capture `{self.fact.at or 'end'}`", "taken", "not taken"
            return
        for about, expected, seen in self._said():
            wanted = self._filled(decode(expected))
            if not (_same(wanted, seen) or (self.fact.call is not None and _within(wanted, seen))):
                yield about, wanted, seen

    def _said(self) -> Iterator[tuple[str, Any, Any]]:
        fact = self.fact
        if fact.job is not None:
            yield from self._about_job(fact.job)
        elif fact.key is not None:
            key = self.capture.keys.get(f"{self._base()}:{self._filled(fact.key)}")
            if fact.exists is not None:
                yield f"key {fact.key} to exist:", fact.exists, key is not None
            if fact.value is not UNSET:
                yield f"key {fact.key}", _texts(fact.value), _value(key)
        elif fact.call is not None:
            yield f"call {fact.call}", fact.returns, self._answer(fact.call)
        for state, count in (fact.counts or {}).items():
            state_key = self.capture.keys.get(f"{self._base()}:{state}")
            yield f"the number of jobs in {state}", count, len(members(state_key)) if state_key is not None else 0
        if fact.events is not None:
            yield from self._events(fact.events)
        if fact.processed is not None:
            yield "the order of first attempts", list(fact.processed), self._processed()

    def _about_job(self, name: str) -> Iterator[tuple[str, Any, Any]]:
        fact, label = self.fact, self.history.labels.get(name)
        if label is None:
            yield f"job {name}", "known from a call", "never answered with"
            return
        base = f"{self.capture.prefix}:{label.queue}"
        key = self.capture.keys.get(f"{base}:{label.id}")
        fields = key.fields if key is not None and key.type == "hash" else {}
        if fact.exists is not None:
            yield f"job {name} to exist:", fact.exists, key is not None
        if fact.state is not None:
            yield f"job {name}: state", fact.state, state_of(self.capture.keys, base, label.id)
        for about, raw, raw_field in (
            ("name", fact.name, "name"),
            ("failedReason", fact.failed_reason, "failedReason"),
            ("processedBy", fact.processed_by, "pb"),
        ):
            if raw is not None:
                yield f"job {name}: {about}", raw, fields.get(raw_field, _NOTHING)
        for about, number, number_field in (
            ("attemptsMade", fact.attempts_made, "atm"),
            ("attemptsStarted", fact.attempts_started, "ats"),
            ("stalledCounter", fact.stalled_counter, "stc"),
            ("delay", fact.delay, "delay"),
            ("priority", fact.priority, "priority"),
        ):
            if number is not None:
                yield f"job {name}: {about}", str(number), fields.get(number_field, "0")
        for about, value in (
            ("data", fact.data),
            ("opts", fact.opts),
            ("returnvalue", fact.returnvalue),
            ("progress", fact.progress),
        ):
            if value is not UNSET:
                yield f"job {name}: {about}", value, _json(fields.get(about))
        if fact.stacktraces is not None:
            traces = _json(fields.get("stacktrace", "[]"))
            yield f"job {name}: stack traces", fact.stacktraces, len(traces) if isinstance(traces, list) else traces
        if fact.logs is not None:
            logs = self.capture.keys.get(f"{base}:{label.id}:logs")
            yield f"job {name}: logs", list(fact.logs), list(logs.items) if logs is not None else []
        if fact.attempts is not None:
            mine = [a for a in self.history.attempts if (a.queue, a.job) == (label.queue, label.id)]
            yield f"job {name}: calls of the processor", fact.attempts, len(mine)
        for field, text in (fact.fields or {}).items():
            yield f"job {name}: field {field}", _NOTHING if text is None else text, fields.get(field, _NOTHING)

    def _events(self, expected: tuple[str, ...]) -> Iterator[tuple[str, Any, Any]]:
        key = self.capture.keys.get(f"{self._base()}:events")
        rows = [dict(entry.fields) for entry in (key.entries if key is not None else ())]
        if len(rows) == len(expected) and all(map(self._is, expected, rows)):
            return
        yield "the events", list(expected), [event_text(row) for row in rows]

    def _is(self, text: str, row: dict[str, str]) -> bool:
        head, *fields = _FIELD.split(text)
        event, _, label = head.partition(" ")
        if row.get("event") != event or (label and row.get("jobId") != self._id(label)):
            return False
        pairs = (field.partition("=") for field in fields)
        return all(row.get(name) == self._filled(value) for name, _, value in pairs)

    def _processed(self) -> list[str]:
        names = {(label.queue, label.id): name for name, label in self.history.labels.items()}
        attempts = [a for a in self.history.attempts if self.fact.queue is None or a.queue == self._queue()]
        return list(dict.fromkeys(names.get((a.queue, a.job), a.job) for a in attempts))

    def _answer(self, label: str) -> Any:
        outcome = next((o for o in self.history.outcomes if o.label == label), None)
        if outcome is None:
            return "no answer"
        if outcome.problem is not None:
            return f"the error {outcome.problem.symbol}"
        return None if outcome.result is UNSET else decode(outcome.result)

    def _queue(self) -> str:
        name = self.fact.queue
        if name is None:
            return next(iter(self.scenario.objects.values())).queue_name
        return self.scenario.objects[name].queue_name if name in self.scenario.objects else name

    def _base(self) -> str:
        return f"{self.capture.prefix}:{self._queue()}"

    def _id(self, label: str) -> str:
        known = self.history.labels.get(label)
        return known.id if known is not None else label

    def _filled(self, value: Any) -> Any:
        """`value` with `<job:LABEL>` and `<prefix>` as they are in this history."""
        if isinstance(value, str):
            for name, label in self.history.labels.items():
                value = value.replace(f"<job:{name}>", label.id)
            return value.replace("<prefix>", self.history.prefix)
        if isinstance(value, (list, tuple)):
            return [self._filled(item) for item in value]
        if isinstance(value, dict):
            return {self._filled(key): self._filled(item) for key, item in value.items()}
        return value


def _same(expected: Any, seen: Any) -> bool:
    """Equal, types included; numbers as JavaScript sees them."""
    return same(walk(expected, str, fold=True), walk(seen, str, fold=True))


def _within(expected: Any, seen: Any) -> bool:
    """Whether a job that a call returned is as expected, where it may have more."""
    return (
        isinstance(expected, dict)
        and isinstance(seen, dict)
        and {"id", "name"} <= seen.keys()
        and all(name in seen and _same(value, seen[name]) for name, value in expected.items())
    )


def _json(text: str | None) -> Any:
    if text is None:
        return _NOTHING
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return f"<not JSON: {text}>"


def _texts(value: Any) -> Any:
    """A value that YAML read as a number, as the text that Redis holds."""
    if isinstance(value, dict):
        return {str(name): _texts(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_texts(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _value(key: Key | None) -> Any:
    match key:
        case None:
            return _NOTHING
        case Key(type="string"):
            return key.text
        case Key(type="hash"):
            return dict(key.fields)
        case Key(type="zset"):
            return list(members(key))
        case Key(type="stream"):
            return [event_text(dict(entry.fields)) for entry in key.entries]
        case _:
            return list(key.items)


def _say(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"{text[:200]}… ({len(text)} characters)" if len(text) > 200 else text
