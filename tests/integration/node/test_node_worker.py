"""What the oracle's driver does with workers: its processor asks the harness and does as it is told."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from compat.drivers import DriverError

Oracle = Any  # see conftest.py


async def test_the_processor_asks_what_to_do_and_returns_it(oracle: Oracle) -> None:
    """(T039, T053)"""
    await oracle.open("queue")
    await oracle.open("worker", "w")
    await oracle.call("queue.add", "q", name="email", data={"to": "a@b"})
    attempt = await oracle.attempt()
    assert attempt.params["worker"] == "w"
    assert (attempt.job["id"], attempt.job["name"], attempt.job["data"]) == ("1", "email", {"to": "a@b"})
    assert attempt.job["attemptsStarted"] == 1
    held = f"{oracle.prefix}:mail:1:lock"
    client = oracle.server.client(oracle.server.owner(held))
    assert (await client.get(held)).decode() == attempt.params["token"]
    attempt.end(returns={"sent": True})
    await oracle.state("1", "completed")
    assert (await oracle.stored("1"))["returnvalue"] == '{"sent":true}'
    assert (await oracle.told("active", "1"))["args"] == {}
    assert (await oracle.told("completed", "1"))["args"] == {"returnvalue": {"sent": True}}


async def test_actions_are_done_in_order_before_the_end(oracle: Oracle) -> None:
    """(T087, T090, T093)"""
    await oracle.open("queue")
    await oracle.open("worker", "w", lockDuration=20_000)
    await oracle.call("queue.add", "q", name="n", data=1)
    attempt = await oracle.attempt()
    attempt.end(
        {"progress": {"at": 1}},
        {"log": "a"},
        {"updateData": {"new": {"$number": "NaN"}}},
        {"extendLock": 90_000},
        {"gate": "mid"},
        {"log": "b"},
        returns=None,
    )
    gate = await oracle.gate()
    assert gate.params == {"worker": "w", "job": "1", "gate": "mid"}
    stored = await oracle.stored("1")
    assert (stored["progress"], stored["data"]) == ('{"at":1}', '{"new":null}')
    lock = f"{oracle.prefix}:mail:1:lock"
    assert await oracle.server.client(oracle.server.owner(lock)).pttl(lock) > 60_000
    assert (await oracle.call("queue.getJobLogs", "q", jobId="1"))["logs"] == ["a"]
    gate.release()
    await oracle.state("1", "completed")
    assert (await oracle.call("queue.getJobLogs", "q", jobId="1"))["logs"] == ["a", "b"]
    assert (await oracle.told("progress", "1"))["args"] == {"data": {"at": 1}}


async def test_spinning_lets_nothing_else_run(on_single: Oracle) -> None:
    await on_single.open("queue")
    await on_single.open("worker", "w")
    await on_single.call("queue.add", "q", name="n")
    attempt = await on_single.attempt()
    attempt.end({"gate": "before"}, {"spin": 300}, returns=1)
    gate = await on_single.gate()
    gate.release()
    before = time.monotonic()
    await on_single.state("1", "completed")
    assert time.monotonic() - before > 0.25


async def test_other_calls_are_answered_while_an_attempt_is_held(oracle: Oracle) -> None:
    await oracle.open("queue")
    await oracle.open("worker", "w", concurrency=3)
    await oracle.call("queue.addBulk", "q", jobs=[{"name": name} for name in "abc"])
    attempts = [await oracle.attempt() for _ in "abc"]
    assert await oracle.call("queue.getJobCounts", "q", types=["active"]) == {"active": 3}
    for attempt in reversed(attempts):
        attempt.end(returns=None)
        await oracle.state(attempt.job["id"], "completed")


@pytest.mark.parametrize(
    ("throw", "state", "fields"),
    [
        ("boom", "waiting", {"failedReason": "boom", "atm": "1"}),
        ({"type": "error", "message": "boom"}, "waiting", {"failedReason": "boom", "atm": "1"}),
        ({"type": "unrecoverable", "message": "for ever"}, "failed", {"failedReason": "for ever", "atm": "1"}),
        ({"type": "unrecoverable"}, "failed", {"failedReason": "bullmq:unrecoverable"}),
        ({"type": "delayed", "ms": 60_000}, "delayed", {"ats": "1"}),
        ({"type": "nonError", "message": "just text"}, "waiting", {"atm": "1", "stacktrace": "[]"}),
    ],
    ids=["text", "error", "unrecoverable", "unrecoverable-plain", "delayed", "non-error"],
)
async def test_each_kind_of_throw_ends_as_node_lets_it(
    on_single: Oracle, throw: Any, state: str, fields: dict[str, str]
) -> None:
    """(T076, T080) The job has another attempt, which no second worker takes: this one is paused first."""
    await on_single.open("queue")
    await on_single.open("worker", "w")
    await on_single.call("queue.add", "q", name="n", opts={"attempts": 2})
    attempt = await on_single.attempt()
    await on_single.call("worker.pause", "w", doNotWaitActive=True)
    attempt.end(throw=throw)
    await on_single.state("1", state)
    stored = await on_single.stored("1")
    assert fields.items() <= stored.items()
    assert ("atm" in stored) == (state != "delayed")
    if "failedReason" in fields:
        assert (await on_single.told("failed", "1"))["args"] == {"failedReason": fields["failedReason"]}


async def test_a_job_can_be_sent_back_to_wait_or_stopped_by_the_rate_limit(oracle: Oracle) -> None:
    """(T048) Both are tried again without an attempt being counted."""
    await oracle.open("queue")
    await oracle.open("worker", "w", limiter={"max": 10, "duration": 1000})
    await oracle.call("queue.add", "q", name="n")
    (await oracle.attempt()).end(throw={"type": "waiting"})
    (await oracle.attempt()).end(throw={"type": "rateLimit", "ms": 50})
    third = await oracle.attempt()
    assert (third.job["attemptsStarted"], third.job["attemptsMade"]) == (3, 0)
    third.end(returns=None)
    await oracle.state("1", "completed")


async def test_a_job_that_waits_for_children_is_moved_first(on_single: Oracle) -> None:
    await on_single.open("queue")
    await on_single.open("worker", "w")
    await on_single.call("queue.add", "q", name="parent")
    attempt = await on_single.attempt()
    parent = {"id": "1", "queue": f"{on_single.prefix}:mail"}
    await on_single.call("queue.add", "q", name="child", opts={"parent": parent, "delay": 60_000})
    attempt.end(throw={"type": "waitingChildren"})
    await on_single.state("1", "waiting-children")


async def test_a_custom_backoff_is_read_from_the_options(oracle: Oracle) -> None:
    """(T083) `$backoffStrategy` lists delays by type; the last one holds for all later attempts."""
    await oracle.open("queue")
    await oracle.open("worker", "w", **{"$backoffStrategy": {"mine": [1, 60_000]}})
    await oracle.call("queue.add", "q", name="n", opts={"attempts": 9, "backoff": {"type": "mine"}})
    (await oracle.attempt()).end(throw="one")
    (await oracle.attempt()).end(throw="two")
    await oracle.state("1", "delayed")
    assert (await oracle.stored("1"))["delay"] == "60000"


async def test_a_death_takes_the_whole_process_and_leaves_the_lock(oracle: Oracle) -> None:
    """(T066)"""
    await oracle.open("queue")
    await oracle.open("worker", "w")
    await oracle.call("queue.add", "q", name="n")
    (await oracle.attempt()).end(die=True)
    await asyncio.wait_for(oracle.driver.process.wait(), 10)
    with pytest.raises(DriverError, match="SIGKILL"):
        await oracle.call("ping")
    lock = f"{oracle.prefix}:mail:1:lock"
    assert await oracle.server.client(oracle.server.owner(lock)).exists(lock)


async def test_a_sweep_finds_a_job_whose_lock_is_gone(oracle: Oracle) -> None:
    """(T068, T073)"""
    await oracle.open("queue")
    await oracle.open("worker", "w", processor=False)
    await oracle.call("queue.add", "q", name="n")
    await oracle.call("worker.getNextJob", "w", token="t")
    base = f"{oracle.prefix}:mail"
    client = oracle.server.client(oracle.server.owner(f"{base}:1:lock"))
    await oracle.call("worker.sweep", "w")
    await client.delete(f"{base}:1:lock", f"{base}:stalled-check")
    await oracle.call("worker.sweep", "w")
    assert await oracle.call("queue.getJobState", "q", jobId="1") == "waiting"
    assert (await oracle.told("stalled", "1"))["args"] == {}


async def test_a_worker_can_be_paused_resumed_and_closed(oracle: Oracle) -> None:
    """(T044)"""
    await oracle.open("queue")
    await oracle.open("worker", "w")
    assert await oracle.call("worker.isRunning", "w") is True
    await oracle.call("worker.pause", "w")
    assert await oracle.call("worker.isPaused", "w") is True
    await oracle.told("paused")
    await oracle.call("queue.add", "q", name="n")
    await oracle.call("worker.resume", "w")
    await oracle.told("resumed")
    (await oracle.attempt()).end(returns=None)
    await oracle.state("1", "completed")
    await oracle.told("drained")
    await oracle.call("worker.close", "w")
    await oracle.told("closed")
    await oracle.open("worker", "w")  # the name is free again


async def test_a_close_waits_for_the_attempt_unless_it_is_forced(oracle: Oracle) -> None:
    """(T056)"""
    await oracle.open("queue")
    await oracle.open("worker", "patient")
    await oracle.call("queue.add", "q", name="n")
    attempt = await oracle.attempt()
    closing = asyncio.create_task(oracle.call("worker.close", "patient"))
    assert await oracle.call("queue.count", "q") == 0
    assert not closing.done()
    attempt.end(returns=None)
    await closing
    assert await oracle.call("queue.getJobState", "q", jobId="1") == "completed"
    await oracle.open("worker", "hasty")
    await oracle.call("queue.add", "q", name="n")
    await oracle.attempt()
    await oracle.call("worker.close", "hasty", force=True)
    assert await oracle.call("queue.getJobState", "q", jobId="2") == "active"


async def test_queue_events_are_told_from_the_first_of_the_stream_on(oracle: Oracle) -> None:
    """(T116 to T122) Each once, with the arguments a listener gets, parsed as Node parses them."""
    await oracle.open("queue")
    await oracle.call("queue.add", "q", name="n", data=1)
    await oracle.open("events", "e")
    await oracle.open("worker", "w")
    (await oracle.attempt()).end({"progress": 7}, returns={"ok": 1})
    await oracle.told("completed", "1", on="e")

    def args(event: str) -> list[dict[str, Any]]:
        return [n["args"] for n in oracle.notices if n["on"] == "e" and n["event"] == event]

    await oracle.call("events.close", "e")
    assert args("added") == [{"jobId": "1", "name": "n"}]
    assert args("waiting") == [{"jobId": "1"}]
    assert args("active") == [{"jobId": "1", "prev": "waiting"}]
    assert args("progress") == [{"jobId": "1", "data": 7}]
    assert args("completed") == [{"jobId": "1", "returnvalue": {"ok": 1}, "prev": "active"}]
    assert [n["on"] for n in oracle.notices if n["event"] == "progress"].count("w") == 1


async def test_a_reader_can_start_behind_what_is_there(oracle: Oracle) -> None:
    await oracle.open("queue")
    await oracle.call("queue.add", "q", name="old")
    key = f"{oracle.prefix}:mail:events"
    ((last, _),) = await oracle.server.client(oracle.server.owner(key)).xrevrange(key, count=1)
    await oracle.open("events", "e", lastEventId=last.decode())
    await oracle.call("queue.add", "q", name="new")
    await oracle.told("waiting", "2", on="e")
    assert [n["args"].get("name") for n in oracle.notices if n["event"] == "added"] == ["new"]
