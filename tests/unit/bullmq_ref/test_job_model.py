"""Jobs read from hashes, and what is kept of them (T010)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bullmq_ref.base import QueueBase
from bullmq_ref.job import Job
from bullmq_ref.job_attempt import kept, stack
from bullmq_ref.jsjson import UNDEFINED
from bullmq_ref.worker import Worker, new_label


async def owner() -> QueueBase:
    return QueueBase("q")


async def test_a_hash_is_read_as_leniently_as_node_reads_it() -> None:
    fields = {
        "name": "n",
        "data": '{"a":1}',
        "opts": '{"attempts":2,"kl":5,"fpof":true}',
        "timestamp": "1700000000000.5",
        "delay": "0.10000000000000001",
        "priority": "3",
        "ats": "2",
        "attemptsMade": "1",
        "stc": "4",
        "stacktrace": "no json",
        "returnvalue": "{broken",
        "failedReason": "boom",
        "defa": "child failed",
        "progress": "[1]",
        "parentKey": "bull:p:1",
        "parent": '{"id":"1","queueKey":"bull:p"}',
        "deid": "d",
        "rjk": "r",
    }
    job = Job.from_fields(await owner(), fields, "7")
    assert (job.id, job.timestamp, job.delay, job.priority) == ("7", 1700000000000, 0, 3)
    assert (job.attempts_started, job.attempts_made, job.stalled_counter) == (2, 1, 4)
    assert (job.stacktrace, job.returnvalue, job.progress) == ([], None, [1])
    assert job.options == {"attempts": 2, "keepLogs": 5, "failParentOnFailure": True}
    assert (job.parent_key, job.deduplication_id, job.repeat_job_key) == ("bull:p:1", "d", "r")


async def test_an_empty_hash_field_is_an_empty_object() -> None:
    assert Job.from_fields(await owner(), {}, "1").data == {}


@pytest.mark.parametrize(
    ("option", "default", "expected"),
    [
        (UNDEFINED, None, {"count": -1}),
        (UNDEFINED, {"age": 5}, {"age": 5}),
        (True, {"age": 5}, {"count": 0}),
        (False, {"count": 0}, {"count": -1}),
        (3, None, {"count": 3}),
        ({"age": 1}, None, {"age": 1}),
    ],
)
def test_the_jobs_word_on_removal_comes_before_the_workers(option: Any, default: Any, expected: Any) -> None:
    """(T060)"""
    assert kept(option, default) == expected


def test_a_stack_trace_begins_with_name_and_message() -> None:
    def boom() -> None:
        raise ValueError("no luck")

    try:
        boom()
    except ValueError as error:
        lines = stack(error).split("\n")
    assert lines[0] == "ValueError: no luck"
    assert lines[1].startswith("    at boom (")
    assert stack(KeyError()) == "KeyError"


def test_a_thousand_worker_labels_in_a_row_are_distinct() -> None:
    """(T022, T023)"""
    labels = [new_label() for _ in range(1000)]
    assert len(set(labels)) == 1000
    assert all(re.fullmatch(r".+-\d+-[0-9a-f]{6}", label) for label in labels)


async def test_a_worker_has_a_label_and_a_uuid() -> None:
    """(T022)"""
    worker: Worker[Any, Any] = Worker("q")
    try:
        assert worker.label.count("-") >= 2
        assert len(worker.id) == 36
    finally:
        await worker.close()
