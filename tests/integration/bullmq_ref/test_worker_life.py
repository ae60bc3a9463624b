"""A worker's life: closing, pausing, taking by hand, and ends that Redis refuses or loses (FR-1, FR-2)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullmq_ref import (
    BullMQError,
    CommandFailed,
    Limits,
    OutcomeUnknown,
)
from bullmq_ref.scripts import working


def finish_fails_once(monkeypatch: pytest.MonkeyPatch, error: BullMQError) -> None:
    """The first end of a job raises `error` instead of being told to Redis."""
    errors, finish = [error], working.move_to_finished

    async def fail_first(*arguments: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return await finish(*arguments, **options)

    monkeypatch.setattr(working, "move_to_finished", fail_first)


async def test_close_waits_for_the_active_job_and_ends_every_task(make: Any, until: Any) -> None:
    """(T129)"""
    before = asyncio.all_tasks()
    queue, started, go = make.queue(), asyncio.Event(), asyncio.Event()

    async def hold(job: Any, token: str) -> str:
        started.set()
        await go.wait()
        return "late"

    worker = make.worker(hold, concurrency=2)
    job = await queue.add("n", {})
    await queue.add("m", {})
    await asyncio.wait_for(started.wait(), 10)
    closing = asyncio.create_task(worker.close())
    await until(lambda: worker.closing)
    assert not closing.done()
    go.set()
    await asyncio.wait_for(closing, 10)
    assert await job.is_completed()
    assert (await queue.get_job_counts("waiting"))["waiting"] in (0, 1)
    await queue.close()
    await until(lambda: asyncio.all_tasks() <= before)


async def test_an_idle_worker_closes_at_once(make: Any, until: Any) -> None:
    worker = make.worker(lambda job, token: None)
    await until(lambda: worker.waiting)
    async with asyncio.timeout(3):
        await worker.close()
    await worker.close()


@pytest.mark.parametrize("force", [True, False])
async def test_a_job_left_behind_keeps_its_lock(make: Any, until: Any, force: bool) -> None:
    """(T130)"""
    queue = make.queue()

    async def hang(job: Any, token: str) -> None:
        await asyncio.Event().wait()

    worker = make.worker(hang, limits=Limits(close=50))
    job = await queue.add("n", {})
    await until(lambda: job.is_active())
    async with asyncio.timeout(5):
        await worker.close(force=force)
    assert await job.is_active()
    assert await queue.client.command("EXISTS", queue.keys.job(job.id, "lock")) == 1


async def test_pausing_one_worker_holds_it_alone(make: Any, until: Any) -> None:
    queue, seen = make.queue(), []
    worker = make.worker(lambda job, token: seen.append(job.id))
    await until(lambda: worker.waiting)
    await worker.pause()
    assert worker.is_paused()
    assert not worker.is_running()
    await until(queue.get_workers_count)  # it is still there to be found
    job = await queue.add("n", {})
    assert await job.get_state() == "waiting"
    worker.resume()
    await until(lambda: seen == [job.id])
    with pytest.raises(BullMQError, match=r"already running"):
        worker.run()


async def test_sweeps_go_on_after_a_pause_that_was_given_up(make: Any, until: Any) -> None:
    queue, swept, go = make.queue(), [], asyncio.Event()

    async def hold(job: Any, token: str) -> None:
        await go.wait()

    worker = make.worker(hold, stalled_interval=50)
    job = await queue.add("n", {})
    await until(job.is_active)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await worker.pause()
    await until(lambda: worker._checking is None or worker._checking.done())
    go.set()
    await until(lambda: not worker.is_running())
    worker.on("sweep_skipped", lambda: swept.append(True))
    worker._stalled_check._sweeping = True  # so that each sweep is told of
    worker.resume()
    await until(lambda: swept)


async def test_a_worker_that_is_resumed_before_its_pause_has_ended_goes_on(make: Any, until: Any) -> None:
    queue, seen = make.queue(), []
    worker = make.worker(lambda job, token: seen.append(job.id))
    await until(lambda: worker.waiting)
    pausing = asyncio.create_task(worker.pause())
    while worker.is_running():  # noqa: ASYNC110 - the very moment is wanted
        await asyncio.sleep(0)
    worker.resume()
    async with asyncio.timeout(5):
        await pausing
    job = await queue.add("n", {})
    await until(lambda: seen == [job.id])
    assert worker._checking is not None
    assert not worker._checking.done()


async def test_a_paused_queue_gives_no_jobs(make: Any, until: Any) -> None:
    queue, seen = make.queue(), []
    await queue.pause()
    job = await queue.add("n", {})
    worker = make.worker(lambda job, token: seen.append(job.id))
    await until(lambda: worker.waiting)
    assert await queue.is_paused()
    assert (await queue.get_job_counts("paused"))["paused"] == 1
    await queue.resume()
    await until(lambda: seen == [job.id])


async def test_a_job_taken_by_hand_is_finished_by_hand(make: Any) -> None:
    queue, worker = make.queue(), make.worker()
    await queue.add("a", {})
    await queue.add("b", {})
    job = await worker.get_next_job("t")
    fetched = await job.move_to_completed({"ok": 1}, "t", True)
    assert fetched.id == "2"
    assert fetched.fields["name"] == "b"
    with pytest.raises(BullMQError, match=r"^Lock mismatch for job 2\. Cmd moveToFinished from active"):
        await (await queue.get_job("2")).move_to_completed(None, "other", False)
    second = await queue.get_job("2")
    assert await second.extend_lock("t", 5000) == 1
    assert await second.extend_lock("x", 5000) == 0
    assert await worker.get_next_job("t", block=False) is None


async def test_jobs_may_be_taken_by_hand_beside_the_main_loop(make: Any, until: Any) -> None:
    queue, go, looks = make.queue(), asyncio.Event(), []

    async def hold(job: Any, token: str) -> None:
        await go.wait()

    worker = make.worker(hold)
    await until(lambda: worker.waiting)
    held = await queue.add("n", {})
    await until(held.is_active)
    may_fetch = worker.may_fetch

    def looked() -> bool:
        looks.append(True)
        assert len(looks) < 20, "the main loop never lets go"
        return may_fetch()

    async def take() -> Any:
        while (job := await worker.get_next_job("t")) is None:
            pass  # the marker of the first job may still be there
        return job

    by_hand = asyncio.create_task(take())
    await until(lambda: worker.waiting)
    worker.may_fetch = looked
    go.set()
    await until(held.is_completed)
    job = await queue.add("n", {})
    await until(job.is_active)
    assert worker.is_running()
    by_hand.cancel()


async def test_a_wait_that_was_given_up_takes_no_marker(make: Any) -> None:
    queue, worker = make.queue(), make.worker(drain_delay=20)
    assert await worker.get_next_job("t", block=False) is None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await worker.get_next_job("t")
    taking = asyncio.create_task(worker.get_next_job("t"))
    job = await queue.add("n", {})
    async with asyncio.timeout(5):
        assert (await taking).id == job.id


async def test_a_fetch_that_redis_refused_is_tried_again_without_a_wait(
    make: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its marker is gone: who waited for another one would find the job late, and would be seen waiting by nobody."""
    queue, seen, refusals = make.queue(), [], [CommandFailed("READONLY", transient=True)]
    worker = make.worker(lambda job, token: seen.append(job.id), drain_delay=20)
    await until(lambda: worker.waiting)
    move = working.move_to_active

    async def refuse_once(*arguments: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return await move(*arguments)

    monkeypatch.setattr(working, "move_to_active", refuse_once)
    worker.on("error", lambda error: None)
    await queue.add("n", {})
    async with asyncio.timeout(10):
        await until(lambda: seen)


async def test_an_end_that_redis_refused_leaves_one_trace(
    make: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = make.queue()
    finish_fails_once(monkeypatch, CommandFailed("READONLY", transient=True))

    def fail(job: Any, token: str) -> None:
        raise ValueError("no luck")

    worker = make.worker(fail)
    worker.on("error", lambda error: None)
    job = await queue.add("n", {})
    await until(job.is_failed)
    assert len((await queue.get_job(job.id)).stacktrace) == 1


async def test_an_end_that_was_lost_while_closing_is_told_again(
    make: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, go = make.queue(), asyncio.Event()
    finish_fails_once(monkeypatch, OutcomeUnknown("the connection broke on the way to Redis"))

    async def hold(job: Any, token: str) -> None:
        await go.wait()

    worker = make.worker(hold)
    job = await queue.add("n", {})
    await until(job.is_active)
    closing = asyncio.create_task(worker.close())
    await until(lambda: worker.closing)
    go.set()
    await closing
    assert await job.is_completed()


async def test_names_in_client_list_are_nodes(make_single: Any, until: Any) -> None:
    queue = make_single.queue()
    make_single.worker(lambda job, token: None, name="w-one")
    make_single.worker(lambda job, token: None)
    make_single.events()
    await until(lambda: _counts(queue, 2))
    assert len(await queue.get_queue_events()) == 1


async def _counts(queue: Any, workers: int) -> bool:
    return await queue.get_workers_count() == workers and bool(await queue.get_queue_events())
