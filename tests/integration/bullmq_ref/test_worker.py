"""A worker at work: fetching, finishing, failing, locks and sweeps (FR-1, FR-2, FR-4, T039–T065, T076–T095)."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from bullmq_ref import (
    DelayedError,
    Invalid,
    Limits,
    RateLimitError,
    UnrecoverableError,
    WaitingError,
    clock,
)


async def fields_of(queue: Any, job_id: str) -> dict[str, str]:
    flat = await queue.client.command("HGETALL", queue.keys.job(job_id))
    return dict(zip(flat[::2], flat[1::2], strict=True))


async def test_a_job_is_completed_with_what_the_processor_returned(make: Any, until: Any) -> None:
    """(T039, T057)"""
    queue, told = make.queue(), []

    async def double(job: Any, token: str) -> Any:
        await job.update_progress({"half": 0.5})
        await job.log("row")
        assert await queue.client.command("GET", queue.keys.job(job.id, "lock")) == token
        assert 0 < await queue.client.command("PTTL", queue.keys.job(job.id, "lock")) <= 30_000
        return job.data["x"] * 2

    worker = make.worker(double)
    for event in ("active", "progress", "completed", "drained"):
        worker.on(event, lambda *_, event=event: told.append(event))
    job = await queue.add("n", {"x": 21})
    await until(lambda: job.is_completed())
    stored = await fields_of(queue, job.id)
    assert stored["returnvalue"] == "42"
    assert (stored["atm"], stored["ats"], stored["progress"]) == ("1", "1", '{"half":0.5}')
    assert (await queue.get_job_logs(job.id)).logs == ["row"]
    assert await queue.client.command("EXISTS", queue.keys.job(job.id, "lock")) == 0
    await until(lambda: told[-1:] == ["drained"])
    assert [e for e in told if e != "drained"] == ["active", "progress", "completed"]


async def test_a_plain_function_may_be_the_processor(make: Any, until: Any) -> None:
    queue = make.queue()
    make.worker(lambda job, token: None)
    job = await queue.add("n", {})
    await until(lambda: job.is_completed())
    assert (await fields_of(queue, job.id))["returnvalue"] == "null"


async def test_order_is_wait_before_priority_and_first_come_first_served(make: Any, until: Any) -> None:
    """(T040, T041)"""
    queue, seen = make.queue(), []
    for name, options in (
        ("p2", {"priority": 2}),
        ("p1", {"priority": 1}),
        ("a", {}),
        ("b", {}),
        ("l", {"lifo": True}),
    ):
        await queue.add(name, {}, options)
    make.worker(lambda job, token: seen.append(job.name))
    await until(lambda: len(seen) == 5)
    assert seen == ["l", "a", "b", "p1", "p2"]


async def test_an_empty_prioritized_set_never_hides_the_wait_list(make: Any, until: Any) -> None:
    """(T041)"""
    queue, seen = make.queue(), []
    make.worker(lambda job, token: seen.append(job.name))
    for round_ in range(3):
        await queue.add("p", {}, priority=1)
        await queue.add("w", {})
        await until(lambda n=2 * (round_ + 1): len(seen) == n)


async def test_no_more_jobs_at_once_than_concurrency_and_as_many_as_that(make: Any, until: Any) -> None:
    """(T046)"""
    queue, at_once, most, release = make.queue(), 0, 0, asyncio.Event()

    async def hold(job: Any, token: str) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await release.wait()
        at_once -= 1

    worker = make.worker(hold, concurrency=3)
    await queue.add_bulk([{"name": "n"}] * 7)
    await until(lambda: at_once == 3)
    assert (await queue.get_job_counts("active", "waiting"))["active"] == 3
    worker.concurrency = 4
    release.set()
    await until(lambda: _all_done(queue, 7))
    assert 3 <= most <= 4
    with pytest.raises(Invalid):
        worker.concurrency = 0


async def _all_done(queue: Any, count: int) -> bool:
    return bool((await queue.get_job_counts("completed"))["completed"] == count)


async def test_each_finish_brings_the_next_job_along(make_single: Any, until: Any) -> None:
    """One script a job, not two."""
    queue = make_single.queue()
    await queue.add_bulk([{"name": "n"}] * 50)
    tokens: set[str] = set()
    make_single.worker(lambda job, token: tokens.add(token))
    await until(lambda: _all_done(queue, 50))
    assert len(tokens) == 1


async def test_an_idle_worker_takes_a_job_at_once(make: Any, until: Any) -> None:
    """(T042)"""
    queue, seen = make.queue(), []
    worker = make.worker(lambda job, token: seen.append(job.id))
    await until(lambda: worker.waiting)
    for number in range(10):
        before = clock.now()
        await queue.add("n", {})
        await until(lambda n=number + 1: len(seen) == n)
        assert clock.now() - before < 2000


async def test_a_delayed_job_comes_when_it_is_due(make: Any, until: Any) -> None:
    queue, late = make.queue(), []
    worker = make.worker(lambda job, token: late.append(clock.now() - job.timestamp))
    await until(lambda: worker.waiting)
    await queue.add("n", {}, delay=350)
    await until(lambda: late)
    assert 350 <= late[0] < 3000


async def test_a_failure_keeps_the_raw_reason_and_the_traces(make: Any, until: Any) -> None:
    """(T058)"""
    queue, told = make.queue(), list[Any]()

    def fail(job: Any, token: str) -> None:
        raise ValueError('boom "quoted"')

    worker = make.worker(fail)
    worker.on("failed", lambda job, error, prev: told.append((job.attempts_made, str(error), prev)))
    worker.on("retrying", lambda job, delay, kind: told.append((delay, kind)))
    job = await queue.add("n", {}, attempts=3, backoff={"type": "fixed", "delay": 5}, stack_trace_limit=2)
    await until(lambda: job.is_failed())
    stored = await fields_of(queue, job.id)
    assert stored["failedReason"] == 'boom "quoted"'
    assert stored["atm"] == "3"
    failed = await queue.get_job(job.id)
    assert len(failed.stacktrace) == 2
    assert failed.stacktrace[0].startswith('ValueError: boom "quoted"\n    at fail (')
    await until(lambda: len(told) == 5)
    reason = 'boom "quoted"'
    first, second = (1, reason, "active"), (2, reason, "active")
    assert told == [(5, "fixed"), first, (5, "fixed"), second, (3, reason, "active")]


async def test_an_unrecoverable_error_fails_at_once(make: Any, until: Any) -> None:
    """(T077)"""
    queue = make.queue()

    def fail(job: Any, token: str) -> None:
        raise UnrecoverableError("no use")

    make.worker(fail)
    job = await queue.add("n", {}, attempts=5)
    await until(lambda: job.is_failed())
    assert (await fields_of(queue, job.id))["atm"] == "1"


async def test_a_custom_strategy_decides_and_the_limit_caps_it(make: Any, until: Any) -> None:
    """(T080, T081)"""
    queue, delays = make.queue(limits=Limits(custom_backoffs=frozenset({"mine"}))), []

    def fail(job: Any, token: str) -> None:
        raise ValueError("x")

    async def strategy(attempts: int, kind: str, error: BaseException, job: Any) -> int:
        return 10_000_000 if attempts == 1 else -1

    worker = make.worker(fail, backoff_strategy=strategy, limits=Limits(backoff=20))
    worker.on("retrying", lambda job, delay, kind: delays.append((delay, kind)))
    job = await queue.add("n", {}, attempts=9, backoff={"type": "mine"})
    await until(lambda: job.is_failed())
    assert delays == [(20, "mine")]


async def test_a_result_without_json_fails_the_job(make: Any, until: Any) -> None:
    queue = make.queue()
    make.worker(lambda job, token: object())
    job = await queue.add("n", {})
    await until(lambda: job.is_failed())
    assert "has no JSON" in (await fields_of(queue, job.id))["failedReason"]


async def test_a_job_may_move_itself_and_say_so(make: Any, until: Any) -> None:
    queue, runs = make.queue(), []

    async def move(job: Any, token: str) -> str:
        runs.append(job.attempts_started)
        if len(runs) == 1:
            await job.move_to_delayed(clock.now() + 5, token)
            raise DelayedError
        if len(runs) == 2:
            await job.move_to_wait(token)
            raise WaitingError
        return "done"

    worker = make.worker(move)
    errors: list[Exception] = []
    worker.on("error", errors.append)
    job = await queue.add("n", {})
    await until(lambda: job.is_completed())
    assert runs == [1, 2, 3]
    assert (await fields_of(queue, job.id))["atm"] == "1"
    assert errors == []


async def test_a_rate_limited_job_goes_back_without_counting(make: Any, until: Any) -> None:
    queue, runs = make.queue(), []

    async def limited(job: Any, token: str) -> None:
        runs.append(job.id)
        if len(runs) == 1:
            await queue.rate_limit(120)
            raise RateLimitError

    make.worker(limited, limiter={"max": 10, "duration": 1000})
    job = await queue.add("n", {})
    await until(lambda: job.is_completed())
    assert len(runs) == 2
    assert (await fields_of(queue, job.id))["atm"] == "1"


async def test_a_limiter_lets_so_many_through(make: Any, until: Any) -> None:
    queue, times = make.queue(), []
    make.worker(lambda job, token: times.append(job.processed_on), limiter={"max": 2, "duration": 300})
    await queue.add_bulk([{"name": "n"}] * 4)
    await until(lambda: len(times) == 4)
    assert times[2] - times[0] >= 299, "the limit began after the first job was asked for; both round to ms"


async def test_a_job_started_too_often_fails_without_running(make: Any, until: Any) -> None:
    queue, runs = make.queue(), []

    def fail(job: Any, token: str) -> None:
        runs.append(1)
        raise ValueError("x")

    make.worker(fail, max_started_attempts=2)
    job = await queue.add("n", {}, attempts=5)
    await until(lambda: job.is_failed())
    assert len(runs) == 2
    assert (await fields_of(queue, job.id))["failedReason"] == "job started more than allowable limit"


async def test_removal_policies_of_job_and_worker(make: Any, until: Any) -> None:
    """(T060–T062)"""
    queue = make.queue()
    await queue.add("a", {}, job_id="keep", remove_on_complete=False)
    await queue.add("b", {}, job_id="gone")
    last = await queue.add("c", {}, job_id="last", remove_on_complete=False)
    make.worker(lambda job, token: None, remove_on_complete={"count": 0})
    await until(lambda: last.is_completed())
    assert await queue.get_job("gone") is None
    assert [job.id for job in await queue.get_completed()] == ["last", "keep"]


@pytest.mark.parametrize("duration", [1000, 1e3])
async def test_locks_are_renewed_while_a_job_runs(make: Any, duration: float) -> None:
    """(T053, T054)"""
    queue, done = make.queue(), asyncio.Event()
    lives: list[int] = []
    errors: list[Exception] = []

    async def long(job: Any, token: str) -> None:
        while len(lives) < 30:
            lives.append(await queue.client.command("PTTL", queue.keys.job(job.id, "lock")))
            await asyncio.sleep(0.05)
        done.set()

    worker = make.worker(long, lock_duration=duration, stalled_interval=duration)
    worker.on("error", errors.append)
    await queue.add("n", {})
    await asyncio.wait_for(done.wait(), 20)
    assert min(lives) > 0
    assert worker.locks.renewed >= 2
    assert errors == []


async def test_a_lock_is_held_by_the_workers_uuid_and_a_count(make: Any, until: Any) -> None:
    """(T024, T025)"""
    queue, tokens, locks = make.queue(), [], []

    async def look(job: Any, token: str) -> None:
        tokens.append(token)
        locks.append(await queue.client.command("GET", queue.keys.job(job.id, "lock")))

    worker = make.worker(look)
    await queue.add_bulk([{"name": "n"}] * 2)
    await until(lambda: len(locks) == 2)
    assert locks == tokens
    holder, _, count = tokens[0].partition(":")
    assert holder == worker.id
    assert len(holder) == 36
    assert uuid.UUID(holder).version == 4
    assert count.isdigit()


async def test_a_lost_lock_is_told_and_the_job_goes_on(make: Any, until: Any) -> None:
    """(T055)"""
    queue, errors, go = make.queue(), [], asyncio.Event()

    async def hold(job: Any, token: str) -> None:
        await go.wait()

    worker = make.worker(hold, lock_duration=400)
    worker.on("error", lambda error: errors.append(str(error)))
    job = await queue.add("n", {})
    await until(lambda: job.is_active())
    await queue.client.command("SET", queue.keys.job(job.id, "lock"), "another")
    await until(lambda: "could not renew lock for job 1" in errors)
    go.set()
    await until(lambda: any(error.startswith("Lock mismatch for job 1") for error in errors))


async def test_a_stalled_job_is_put_back_and_fails_past_the_limit(make: Any, until: Any) -> None:
    """(T066–T070)"""
    queue, stalled = make.queue(), []
    hand = make.worker()
    sweeper = make.worker(max_stalled_count=1, stalled_interval=100_000)
    sweeper.on("stalled", lambda job_id, prev: stalled.append((job_id, prev)))
    job = await queue.add("n", {})
    for turn in (1, 2):
        assert (await hand.get_next_job(f"t{turn}", block=False)).id == job.id
        await queue.client.command("DEL", queue.keys.job(job.id, "lock"))
        for _ in range(2):
            await queue.client.command("DEL", queue.keys.stalled_check)
            await sweeper.sweep()
    assert stalled == [("1", "active")] * 2
    make.worker(lambda job, token: None)
    await until(lambda: job.is_failed())
    assert (await fields_of(queue, job.id))["failedReason"] == "job stalled more than allowable limit"


async def test_sweeps_that_overlap_are_skipped_and_counted(make: Any) -> None:
    """(T073)"""
    worker = make.worker()
    await asyncio.gather(worker.sweep(), worker.sweep(), worker.sweep())
    assert worker.skipped_sweeps == 2
