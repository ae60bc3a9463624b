"""What is stored wrongly is told field by field; what Node stores is not."""

from __future__ import annotations

from typing import Any

import pytest

from compat.watch import fields

GOOD = {
    "name": "n",
    "data": "{}",
    "opts": '{"attempts":0}',
    "timestamp": "1700000000000",
    "delay": "0",
    "priority": "0",
}


def parts(wrongs: Any) -> list[str]:
    return [wrong.part for wrong in wrongs]


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"data": "{'a': 1}"}, "data"),
        ({"returnvalue": "NaN"}, "returnvalue"),
        ({"opts": "[]"}, "opts"),
        ({"opts": '{"keepLogs":5}'}, "opts.keepLogs"),
        ({"stacktrace": '"a"'}, "stacktrace"),
        ({"ats": "one"}, "ats"),
        ({"delay": "nan"}, "delay"),
        ({"attemptsMade": "1"}, "attemptsMade"),
        ({"failedReason": '"boom"'}, "failedReason"),
    ],
)
def test_a_field_that_is_stored_wrongly_is_told(changed: dict[str, str], part: str) -> None:
    assert parts(fields.of_job(GOOD | changed)) == [part]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"delay": "0.10000000000000001"},
        {"failedReason": "boom"},
        {"failedReason": ""},
        {"returnvalue": "null", "stacktrace": "[]", "progress": '"half"'},
    ],
)
def test_what_node_stores_is_right(changed: dict[str, str]) -> None:
    assert parts(fields.of_job(GOOD | changed)) == []


def test_a_hash_written_after_its_job_had_gone_is_told() -> None:
    assert "timestamp" in parts(fields.of_job({"progress": "1"}))


def test_times_may_differ_as_clocks_do_but_not_more() -> None:
    near = GOOD | {"processedOn": "1699999999500"}
    far = GOOD | {"processedOn": "1699999990000"}
    given = far | {"opts": '{"timestamp":1700000000000}'}
    assert [parts(fields.order(f)) for f in (near, far, given)] == [[], ["processedOn"], []]


@pytest.mark.parametrize(
    ("state", "score", "wrong"),
    [
        ("delayed", 1700000000000 * 4096, False),
        ("delayed", 1700000000000, True),
        ("prioritized", 3 * 2**32 + 1, False),
        ("prioritized", 3, True),
        ("completed", 1700000000001, False),
        ("completed", 1700000000002, True),
    ],
)
def test_scores_agree_with_the_hash(state: str, score: float, wrong: bool) -> None:
    hash_ = GOOD | {"priority": "3", "finishedOn": "1700000000001"}
    assert bool(parts(fields.of_score(state, score, hash_))) is wrong


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ({"event": "completed", "jobId": "1", "returnvalue": "nope", "prev": "active"}, "completed.returnvalue"),
        ({"event": "progress", "jobId": "1", "data": ""}, "progress.data"),
        ({"event": "waiting"}, "waiting.jobId"),
    ],
)
def test_an_event_that_ends_nodes_reader_is_told(row: dict[str, str], part: str) -> None:
    assert parts(fields.of_event(row)) == [part]


def test_events_of_ones_own_are_not_judged() -> None:
    assert parts(fields.of_event({"event": "mine", "data": "x"})) == []


def test_settings_that_scripts_compute_with_are_numbers() -> None:
    assert parts(fields.of_meta({"concurrency": "many", "opts.maxLenEvents": "10000"})) == ["concurrency"]
