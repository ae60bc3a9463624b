"""A history by hand, for the parts that judge: one busy queue, as Node leaves it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from compat.model.capture import Capture, Key, StreamEntry
from compat.model.cell import Arm, Cell
from compat.model.history import Attempt, History, Implementation, Label, Outcome
from compat.model.scenario import Scenario

NODE = Implementation("bullmq", "5.62.0", "javascript", "5.62.0")
START = 1_795_500_000_000
WORKER = "0b1f5c3e-2c54-4a0e-9d5e-3f2a7c9b1d00"
NODE_ID = "3c9d2b8a-7a51-4a2b-8f2d-5d1c6e7f8a90"

BUSY: dict[str, Any] = {
    "schema": 1,
    "id": "made/up",
    "title": "One of everything",
    "covers": ["T163"],
    "why": "It is made up.",
    "objects": {"q": {"queue": "mail"}, "w": {"worker": "mail", "opts": {"name": "wn", "concurrency": 2}}},
    "program": [{"then": {"return": 1}}],
    "steps": [
        {"add": {"on": "q", "as": "j", "name": "n", "data": {"a": 1}, "opts": {"attempts": 2, "backoff": 20}}},
        {"add": {"on": "q", "as": "c", "name": "n"}},
        {"add": {"on": "q", "as": "d", "name": "n", "opts": {"delay": 3_600_000}}},
        {"add": {"on": "q", "as": "e", "name": "n", "opts": {"delay": 3_600_000}}},
        {"add": {"on": "q", "as": "p", "name": "n", "opts": {"priority": 2, "deduplication": {"id": "x"}}}},
        {"add": {"on": "q", "as": "a", "name": "n", "opts": {"timestamp": 1_700_000_000_000}}},
        {"start": "w"},
    ],
    "expect": [{"job": "j", "state": "failed"}],
}


def make(
    arm: Arm = "oracle", prefix: str = "{made-1}", start: int = START, worker: str = WORKER, node: str = NODE_ID
) -> History:
    """The history of BUSY; everything that may differ from run to run is an argument."""
    base = f"{prefix}:mail"
    token = f"{worker}:0"
    at = start + 200

    def job(name: str, opts: str, timestamp: int, **more: str) -> Key:
        fields = {"name": name, "data": "{}", "opts": opts, "timestamp": str(timestamp), "delay": "0", "priority": "0"}
        return Key("hash", fields=dict(sorted((fields | more).items())))

    def event(number: int, after: int, **fields: str) -> StreamEntry:
        return StreamEntry(f"{start + after}-{number}", tuple(fields.items()))

    due = start + 12 + 3_600_000
    delayed = '{"delay":3600000,"attempts":0}'
    keys = {
        f"{base}:id": Key("string", text="7"),
        f"{base}:pc": Key("string", text="1"),
        f"{base}:meta": Key("hash", fields={"opts.maxLenEvents": "10000", "version": "bullmq:5.62.0"}),
        f"{base}:1": job(
            *("n", '{"attempts":2,"backoff":{"type":"fixed","delay":20}}', start + 10),
            data='{"a":1}',
            atm="2",
            ats="2",
            failedReason=f"boom {prefix}",
            stacktrace='["Error: boom\\n    at x","Error: boom\\n    at y"]',
            pb="wn",
            processedOn=str(start + 60),
            finishedOn=str(start + 61),
        ),
        f"{base}:2": job(
            *("n", '{"attempts":0}', start + 11),
            atm="1",
            ats="1",
            returnvalue='{"ok":1.5,"ü":[true,null]}',
            progress="42",
            pb="wn",
            processedOn=str(start + 40),
            finishedOn=str(start + 61),
        ),
        f"{base}:2:logs": Key("list", items=("one", "two")),
        f"{base}:3": job("n", delayed, start + 12, delay="3600000"),
        f"{base}:4": job("n", delayed, start + 12, delay="3600000"),
        f"{base}:5": job("n", '{"priority":2,"de":{"id":"x"},"attempts":0}', start + 13, priority="2", deid="x"),
        f"{base}:6": job(
            *("n", '{"timestamp":1700000000000,"attempts":0}', 1_700_000_000_000),
            processedOn=str(start + 70),
            ats="1",
            pb="wn",
        ),
        f"{base}:6:lock": Key("string", text=token, ttl_ms=29_900),
        f"{base}:{node}": job("n", '{"attempts":0}', start + 15, defa="child x failed"),
        f"{base}:{node}:dependencies": Key("set", items=(f"{base}:9",)),
        f"{base}:{node}:processed": Key("hash", fields={f"{base}:8": '"ok"'}),
        f"{base}:{node}:failed": Key("hash", fields={f"{base}:10": "boom"}),
        f"{base}:{node}:unsuccessful": Key("zset", scores=((f"{base}:11", float(start + 50)),)),
        f"{base}:waiting-children": Key("zset", scores=((node, float(start + 15)),)),
        f"{base}:failed": Key("zset", scores=(("1", float(start + 61)),)),
        f"{base}:completed": Key("zset", scores=(("2", float(start + 61)),)),
        f"{base}:delayed": Key("zset", scores=(("3", due * 4096.0), ("4", due * 4096.0 + 1))),
        f"{base}:prioritized": Key("zset", scores=(("5", 2 * 2.0**32 + 1),)),
        f"{base}:active": Key("list", items=("6",)),
        f"{base}:marker": Key("zset", scores=(("0", 0.0), ("1", float(due)))),
        f"{base}:de:x": Key("string", text="5"),
        f"{base}:limiter": Key("string", text="3", ttl_ms=0),
        f"{base}:stalled-check": Key("string", text=str(start + 30), ttl_ms=29_900),
        f"{base}:metrics:completed": Key("hash", fields={"count": "1", "prevTS": str(start + 61), "prevCount": "0"}),
        f"{base}:events": Key(
            "stream",
            entries=(
                event(0, 10, event="added", jobId="1", name="n"),
                event(1, 10, event="waiting", jobId="1"),
                event(0, 11, event="added", jobId="2", name="n"),
                event(1, 11, event="waiting", jobId="2"),
                event(0, 12, event="added", jobId="3", name="n"),
                event(1, 12, event="delayed", jobId="3", delay=str(due)),
                event(0, 13, event="added", jobId="4", name="n"),
                event(1, 13, event="delayed", jobId="4", delay=str(due)),
                event(0, 14, event="added", jobId="5", name="n"),
                event(1, 14, event="waiting", jobId="5"),
                event(0, 15, event="added", jobId="6", name="n"),
                event(1, 15, event="waiting", jobId="6"),
                event(2, 15, event="added", jobId=node, name="n"),
                event(3, 15, event="waiting-children", jobId=node),
                event(0, 35, event="active", jobId="1", prev="waiting"),
                event(0, 39, event="delayed", jobId="1", delay=str(start + 38 + 20)),
                event(0, 40, event="active", jobId="2", prev="waiting"),
                event(0, 50, event="progress", jobId="2", data="42"),
                event(0, 60, event="waiting", jobId="1", prev="delayed"),
                event(1, 60, event="active", jobId="1", prev="waiting"),
                event(0, 61, event="failed", jobId="1", failedReason=f"boom {prefix}", prev="active"),
                event(1, 61, event="retries-exhausted", jobId="1", attemptsMade="2"),
                event(2, 61, event="completed", jobId="2", returnvalue='{"ok":1.5,"ü":[true,null]}', prev="active"),
                event(0, 70, event="active", jobId="6", prev="waiting"),
            ),
        ),
    }
    capture = Capture("end", 7, at, prefix, keys)

    def added(step: int, label: str, job_id: str, opts: dict[str, Any], timestamp: int) -> Outcome:
        view = {"id": job_id, "name": "n", "data": {}, "opts": opts, "timestamp": timestamp, "returnvalue": None}
        return Outcome(step, "oracle", "queue.add", start + 9 + step, start + 12 + step, label, "mail", view)

    outcomes = (
        added(0, "j", "1", {"attempts": 2, "backoff": {"type": "fixed", "delay": 20}}, start + 10),
        added(1, "c", "2", {"attempts": 0}, start + 11),
        added(2, "d", "3", {"attempts": 0, "delay": 3_600_000}, start + 12),
        added(3, "e", "4", {"attempts": 0, "delay": 3_600_000}, start + 12),
        added(4, "p", "5", {"attempts": 0, "priority": 2}, start + 13),
        added(5, "a", "6", {"attempts": 0, "timestamp": 1_700_000_000_000}, 1_700_000_000_000),
    )
    attempts = tuple(
        Attempt("w", "oracle", "mail", job_id, number, token, start + after)
        for job_id, number, after in (("1", 1, 35), ("2", 1, 40), ("1", 2, 60), ("6", 1, 70))
    )
    labels = {label: Label("mail", str(number)) for number, label in enumerate("jcdepa", 1)}
    return History(
        *(Cell("made/up", arm, "single"), prefix, float(start), float(at)),
        sides={"oracle": NODE} if arm == "oracle" else {"port": msgspec.structs.replace(NODE, name="bullmq")},
        captures=(capture,),
        outcomes=outcomes,
        attempts=attempts,
        labels=labels,
        step_ms=tuple(float(start + 9 + step) for step in range(7)),
    )


@pytest.fixture
def busy() -> Scenario:
    """A scenario with one of everything."""
    return scenario()


@pytest.fixture
def history() -> Callable[..., History]:
    """Makes a history of `busy`: `history(arm, prefix, start, worker, node)`."""
    return make


@pytest.fixture
def variant() -> Callable[..., Scenario]:
    """Makes a scenario like `busy`, with some of its parts replaced."""
    return scenario


@pytest.fixture
def with_keys() -> Callable[[History, dict[str, Key | None]], History]:
    """A history whose last capture has other keys: what follows `<prefix>:mail:` → the key, or None for none."""
    return replaced


def scenario(**parts: Any) -> Scenario:
    return msgspec.convert({**BUSY, **parts}, Scenario)


def replaced(history: History, changes: dict[str, Key | None]) -> History:
    last = history.captures[-1]
    keys = dict(last.keys)
    for suffix, key in changes.items():
        name = f"{last.prefix}:mail:{suffix}"
        keys.pop(name, None)
        if key is not None:
            keys[name] = key
    captures = (*history.captures[:-1], msgspec.structs.replace(last, keys=keys))
    return msgspec.structs.replace(history, captures=captures)
