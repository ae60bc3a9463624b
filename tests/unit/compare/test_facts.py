"""Facts: what a scenario expects is looked up in a history, types and all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from compat.compare import missed_facts
from compat.model.history import History
from compat.model.scenario import Scenario

Make = Callable[..., History]
Variant = Callable[..., Scenario]

EVENTS_OF_J = ["added j name=n", "waiting j"]

HOLD: list[dict[str, Any]] = [
    {"job": "j", "state": "failed", "failedReason": "boom <prefix>", "attemptsMade": 2, "stacktraces": 2},
    {"job": "j", "data": {"a": 1}, "opts": {"attempts": 2, "backoff": {"type": "fixed", "delay": 20}}},
    {"job": "j", "attempts": 2, "processedBy": "wn", "fields": {"atm": "2", "returnvalue": None}},
    {"job": "c", "returnvalue": {"ok": 1.5, "ü": [True, None]}, "progress": 42, "logs": ["one", "two"]},
    {"job": "d", "state": "delayed", "delay": 3_600_000, "exists": True, "stalledCounter": 0},
    {"counts": {"delayed": 2, "wait": 0, "active": 1}},
    {"key": "id", "is": "7"},
    {"key": "id", "is": 7},
    {"key": "de:x", "is": "<job:p>"},
    {"key": "delayed", "is": ["3", "4"]},
    {"key": "active", "is": ["<job:a>"]},
    {"key": "meta", "is": {"opts.maxLenEvents": "10000", "version": "bullmq:5.62.0"}},
    {"key": "wait", "exists": False},
    {"processed": ["j", "c", "a"]},
    {"call": "j", "returns": {"id": "1", "name": "n"}},
    {"queue": "q", "key": "pc", "is": "1", "at": "end"},
]

MISS: list[dict[str, Any]] = [
    {"job": "j", "state": "completed"},
    {"job": "j", "failedReason": '"boom <prefix>"'},
    {"job": "j", "data": {"a": True}},
    {"job": "j", "data": {"a": 1, "b": 2}},
    {"job": "j", "attemptsMade": 1},
    {"job": "j", "fields": {"atm": None}},
    {"job": "j", "returnvalue": None},
    {"job": "c", "returnvalue": '{"ok":1.5}'},
    {"job": "c", "logs": ["two", "one"]},
    {"job": "nobody", "state": "wait"},
    {"counts": {"wait": 1}},
    {"key": "delayed", "is": ["4", "3"]},
    {"key": "wait", "exists": True},
    {"events": EVENTS_OF_J},
    {"processed": ["c", "j", "a"]},
    {"call": "j", "returns": {"id": 1}},
    {"call": "nothing", "returns": None},
    {"key": "id", "is": "7", "at": "never-taken"},
]


@pytest.mark.parametrize("fact", HOLD, ids=str)
def test_what_is_so_holds(variant: Variant, history: Make, fact: dict[str, Any]) -> None:
    assert missed_facts(variant(expect=[fact]), history()) == ()


@pytest.mark.parametrize("fact", MISS, ids=str)
def test_what_is_not_so_is_missed(variant: Variant, history: Make, fact: dict[str, Any]) -> None:
    (missed,) = missed_facts(variant(expect=[{"key": "id", "is": "7"}, fact]), history())
    assert missed.number == 2
    assert "expected" in missed.words and "found" in missed.words


def test_only_what_a_call_returns_may_have_more_than_is_expected(
    variant: Variant, history: Make, with_keys: Callable[..., History]
) -> None:
    """A payload may look like a job, too."""
    one = history()
    key = one.captures[0].keys[f"{one.prefix}:mail:1"]
    data = '{"id":1,"name":"n","more":true}'
    changed = with_keys(one, {"1": msgspec.structs.replace(key, fields={**key.fields, "data": data})})
    assert missed_facts(variant(expect=[{"job": "j", "data": {"id": 1, "name": "n", "more": True}}]), changed) == ()
    assert missed_facts(variant(expect=[{"job": "j", "data": {"id": 1, "name": "n"}}]), changed)


def test_events_are_listed_whole_with_the_fields_that_are_named(variant: Variant, history: Make) -> None:
    one = history()
    name = f"{one.prefix}:mail:events"
    capture = one.captures[0]
    few = msgspec.structs.replace(capture.keys[name], entries=capture.keys[name].entries[:2])
    short = msgspec.structs.replace(one, captures=(msgspec.structs.replace(capture, keys={**capture.keys, name: few}),))
    assert missed_facts(variant(expect=[{"events": EVENTS_OF_J}]), short) == ()
    assert missed_facts(variant(expect=[{"events": ["added", "waiting 1"]}]), short) == ()
    (missed,) = missed_facts(variant(expect=[{"events": ["added c", "waiting j"]}]), short)
    assert missed.seen == ["added 1 name=n", "waiting 1"]


def test_a_miss_tells_what_was_expected_and_what_was_found(variant: Variant, history: Make) -> None:
    (missed,) = missed_facts(variant(expect=[{"job": "j", "state": "wait"}]), history())
    assert missed.words == "expected job j: state to be wait, found failed"
