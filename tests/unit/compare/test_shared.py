"""Laws of a shared queue: each is kept by a sound history of two sides, and each is seen to be broken."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from compat.compare import broken_laws
from compat.model.capture import Capture, Key, StreamEntry
from compat.model.cell import Arm, Cell
from compat.model.history import Attempt, History, Outcome
from compat.model.scenario import Scenario

START = 1_795_500_000_000
OURS = {
    *("start-order", "concurrency-kept", "rate-kept", "worked-once", "rescued"),
    *("interleaved", "lock-kept", "slots-kept"),
}


def scenario(*steps: dict[str, Any]) -> Scenario:
    parts = {
        "schema": 1,
        "id": "made/shared",
        "title": "Two sides",
        "covers": ["T154"],
        "objects": {"q": {"queue": "mail"}, "w": {"worker": "mail"}},
        "program": [{"then": {"return": 1}}],
        "steps": [*steps, {"start": "w"}],
        "expect": [],
    }
    return msgspec.convert(parts, Scenario)


def history(
    rows: tuple[str, ...],
    *,
    jobs: dict[str, dict[str, str]],
    arm: Arm = "shadow",
    apart: int = 1,
    active: tuple[str, ...] = (),
    calls: tuple[str, ...] = (),
    outcomes: tuple[Outcome, ...] = (),
) -> History:
    """A history with the events `rows`, `apart` ms from each other; the processor was called for the jobs `calls`."""
    entries = []
    for number, row in enumerate(rows):
        event, job, *prev = row.split()
        fields = (("event", event), ("jobId", job), *(("prev", text) for text in prev))
        entries.append(StreamEntry(f"{START + number * apart}-0", fields))
    keys = {f"p:mail:{job}": Key("hash", fields=fields) for job, fields in jobs.items()}
    keys["p:mail:events"] = Key("stream", entries=tuple(entries))
    if active:
        keys["p:mail:active"] = Key("list", items=active)
    attempts = tuple(Attempt("w", "port", "mail", job, n, "t", START) for n, job in enumerate(calls, 1))
    capture = Capture("end", 1, START + 10_000, "p", keys)
    cell = Cell("made/shared", arm, "single")
    return History(cell, "p", START, START + 10_000, {}, (capture,), outcomes, attempts)


def laws(scenario: Scenario, history: History) -> set[str]:
    return {broken.law for broken in broken_laws(scenario, history)} & OURS


def limited(method: str) -> tuple[Outcome, ...]:
    return (Outcome(0, "oracle", f"queue.{method}", START, START, None, "mail"),)


BOTH = ("added a", "waiting a", "added b", "waiting b")
PLAIN = {"opts": "{}"}


@pytest.mark.parametrize(
    ("b", "first", "broken"),
    [
        (PLAIN, "a", set()),
        (PLAIN, "b", {"start-order"}),
        ({"opts": '{"priority":2}', "priority": "2"}, "b", {"start-order"}),
        ({"opts": '{"lifo":true}'}, "b", set()),
    ],
)
def test_the_oldest_of_the_most_urgent_starts_first(b: dict[str, str], first: str, broken: set[str]) -> None:
    """T154."""
    jobs = {"a": PLAIN, "b": b}
    assert laws(scenario(), history((*BOTH, f"active {first} waiting"), jobs=jobs)) == broken


def test_an_urgent_job_overtakes_an_older_one() -> None:
    jobs = {"a": {"opts": "{}", "priority": "5"}, "b": {"opts": "{}", "priority": "1"}}
    assert laws(scenario(), history((*BOTH, "active b waiting"), jobs=jobs)) == set()
    assert laws(scenario(), history((*BOTH, "active a waiting"), jobs=jobs)) == {"start-order"}


def test_a_job_tried_again_is_not_held_to_the_order_of_first_starts() -> None:
    rows = ("added a", "waiting a", "active a waiting", *BOTH[2:], "waiting a active", "active b waiting")
    assert laws(scenario(), history(rows, jobs={"a": PLAIN, "b": PLAIN})) == set()


def test_one_active_job_too_many_breaks_the_global_concurrency() -> None:
    one = scenario({"call": {"on": "q", "method": "setGlobalConcurrency", "args": {"concurrency": 1}}})
    known = limited("setGlobalConcurrency")
    jobs = {"a": PLAIN, "b": PLAIN}
    after = (*BOTH, "active a waiting", "completed a active", "active b waiting")
    assert laws(one, history(after, jobs=jobs, outcomes=known)) == set()
    beside = (*BOTH, "active a waiting", "active b waiting")
    assert laws(one, history(beside, jobs=jobs, outcomes=known)) == {"concurrency-kept"}
    lifted = (*known, *limited("removeGlobalConcurrency"))
    assert laws(one, history(beside, jobs=jobs, outcomes=lifted)) == set()


@pytest.mark.parametrize(("apart", "broken"), [(10, {"rate-kept"}), (1000, set())])
def test_a_start_too_many_in_one_window_breaks_the_global_rate_limit(apart: int, broken: set[str]) -> None:
    args = {"max": 1, "duration": 1000}
    one = scenario({"call": {"on": "q", "method": "setGlobalRateLimit", "args": args}})
    rows = (*BOTH, "active a waiting", "active b waiting")
    found = history(rows, jobs={"a": PLAIN, "b": PLAIN}, apart=apart, outcomes=limited("setGlobalRateLimit"))
    assert laws(one, found) == broken


def test_work_done_by_both_sides_breaks_a_law() -> None:
    rows = ("added a", "waiting a", "active a waiting", "completed a active")
    assert laws(scenario(), history(rows, jobs={"a": PLAIN}, calls=("a",))) == set()
    assert laws(scenario(), history(rows, jobs={"a": PLAIN}, calls=("a", "a"))) == {"worked-once"}
    assert laws(scenario(), history(rows[2:], jobs={"a": PLAIN}, calls=("a", "a"))) == set()  # trimmed


def test_an_orphan_that_nobody_rescues_breaks_a_law() -> None:
    rows = ("added a", "waiting a", "active a waiting")
    assert laws(scenario(), history(rows, jobs={"a": PLAIN}, active=("a",), calls=("a",))) == {"rescued"}
    assert laws(scenario(), history(rows, jobs={"a": PLAIN}, active=("a",))) == set()  # moved by hand


@pytest.mark.parametrize(
    ("rows", "broken"),
    [
        (("active a waiting", "completed a active", "active b waiting", "completed b active", "drained -"), set()),
        (("active a waiting", "completed a active", "drained -"), {"interleaved"}),  # b waits
        (("active a waiting", "active b waiting", "completed a active", "drained -"), {"interleaved"}),  # b is active
        (("paused -", "active a waiting", "completed a active", "drained -"), set()),  # b waits in `paused`
        (("active b waiting", "removed a", "completed b active", "drained -"), set()),
        (("active a waiting", "delayed a", "removed b", "drained -"), set()),
    ],
)
def test_drained_while_a_job_of_either_side_waits_or_runs_breaks_a_law(rows: tuple[str, ...], broken: set[str]) -> None:
    """T154."""
    found = laws(scenario(), history((*BOTH, *rows), jobs={"a": PLAIN, "b": PLAIN}))
    assert found - {"start-order"} == broken


def test_a_queue_that_was_drained_by_a_call_may_say_so_with_jobs_that_the_stream_still_knows() -> None:
    rows = (*BOTH, "active a waiting", "completed a active", "drained -")
    gone = history(rows, jobs={"a": PLAIN}, outcomes=limited("drain"))
    assert "interleaved" not in laws(scenario(), gone)


STALL = ("added a", "waiting a", "active a waiting", "waiting a active", "stalled a")


def test_a_job_that_stalls_though_nobody_was_taken_away_breaks_a_law() -> None:
    """T154."""
    assert laws(scenario(), history(STALL, jobs={"a": PLAIN})) == {"lock-kept"}
    assert laws(scenario(), history(STALL[:4], jobs={"a": PLAIN})) == set()


@pytest.mark.parametrize(
    "step", [{"kill": "w"}, {"expire": {"lock": "a"}}, {"stop": {"worker": "w", "force": True}}], ids=str
)
def test_a_stall_that_a_scenario_asks_for_breaks_no_law(step: dict[str, Any]) -> None:
    assert laws(scenario(step), history(STALL, jobs={"a": PLAIN})) == set()


TWO_STARTS = (*BOTH, "active a waiting", "active b waiting")


def test_a_job_too_many_in_one_workers_hands_breaks_a_law() -> None:
    """T154."""
    jobs = {"a": PLAIN, "b": PLAIN}
    assert laws(scenario(), history(TWO_STARTS, jobs=jobs, calls=("a", "b"))) == {"slots-kept"}
    after = (*TWO_STARTS[:5], "completed a active", TWO_STARTS[5])
    assert laws(scenario(), history(after, jobs=jobs, calls=("a", "b"))) == set()
    one_each = history(TWO_STARTS, jobs=jobs, calls=("a", "b"))
    one_each = msgspec.structs.replace(
        one_each, attempts=(one_each.attempts[0], msgspec.structs.replace(one_each.attempts[1], side="oracle"))
    )
    assert laws(scenario(), one_each) == set()
    assert laws(scenario({"kill": "w"}), history(TWO_STARTS, jobs=jobs, calls=("a", "b"))) == set()


def test_a_start_that_no_call_belongs_to_is_in_nobodys_hands() -> None:
    """Another worker took job a first and died before it called its processor."""
    stalled = ("active a waiting", "waiting a active")
    rows = (*BOTH, "active b waiting", *stalled, "completed b active", "active a waiting")
    found = laws(scenario(), history(rows, jobs={"a": PLAIN, "b": PLAIN}, calls=("b", "a")))
    assert "slots-kept" not in found


def test_a_worker_that_is_started_with_more_slots_may_use_them() -> None:
    more = scenario({"start": {"worker": "w", "opts": {"concurrency": 2}}})
    assert laws(more, history(TWO_STARTS, jobs={"a": PLAIN, "b": PLAIN}, calls=("a", "b"))) == set()


def test_they_are_held_against_shared_queues_only() -> None:
    rows = (*BOTH, "active b waiting")
    jobs = {"a": PLAIN, "b": PLAIN}
    assert laws(scenario(), history(rows, jobs=jobs, arm="self", active=("b",), calls=("b", "b"))) == set()
