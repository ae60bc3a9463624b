"""Managing a queue, and asking it (FR-8, T096–T108)."""

from __future__ import annotations

from typing import Any

import pytest

from bullmq_ref import BullMQError, Limits


async def finish(make: Any, *ends: bool) -> list[str]:
    """Jobs that completed (True) or failed (False), in order."""
    queue, worker, ids = make.queue(), make.worker(), []
    for end in ends:
        await queue.add("n", {})
        job = await worker.get_next_job("t", block=False)
        await (job.move_to_completed("ok", "t", False) if end else job.move_to_failed(ValueError("x"), "t"))
        ids.append(job.id)
    return ids


async def test_pause_and_resume_move_the_waiting_list(make: Any) -> None:
    """(T096, T097)"""
    queue = make.queue()
    await queue.add("a", {})
    await queue.pause()
    await queue.add("b", {})
    assert await queue.get_job_counts("waiting") == {"waiting": 0, "paused": 2}
    assert [job.name for job in await queue.get_jobs(["waiting"], ascending=True)] == ["a", "b"]
    await queue.resume()
    assert await queue.get_job_counts("waiting") == {"waiting": 2, "paused": 0}


async def test_counts_of_every_state_by_default(make: Any) -> None:
    """(T101)"""
    await finish(make, True, False)
    counts = await make.queue().get_job_counts()
    assert list(counts) == [
        "active", "completed", "delayed", "failed", "paused", "prioritized", "waiting", "waiting-children",
    ]  # fmt: skip
    assert (counts["completed"], counts["failed"]) == (1, 1)


async def test_ranges_are_ordered_as_in_node(make: Any) -> None:
    """(T102)"""
    queue = make.queue()
    await queue.add_bulk([{"name": str(n)} for n in range(4)])
    await queue.add("d", {}, delay=50_000)
    assert [job.name for job in await queue.get_waiting(1, 2)] == ["1", "2"]
    assert [job.name for job in await queue.get_jobs("waiting", 0, 0)] == ["3"]
    assert [job.name for job in await queue.get_delayed()] == ["d"]
    assert await queue.get_jobs(["completed", "failed"]) == []
    completed = await finish(make, True, True)
    assert [job.id for job in await queue.get_completed()] == completed[::-1]


async def test_remove_tells_what_came_of_it(make: Any) -> None:
    """(T103)"""
    queue, worker = make.queue(), make.worker()
    job = await queue.add("n", {})
    assert await queue.remove(job.id) == 1
    assert await queue.get_job(job.id) is None
    assert await queue.get_job_state(job.id) == "unknown"
    await queue.add("locked", {})
    held = await worker.get_next_job("t", block=False)
    assert await queue.remove(held.id) == 0
    with pytest.raises(BullMQError, match="could not be removed because it is locked") as raised:
        await held.remove()
    assert raised.value.symbol == "JobLocked"


async def test_drain_clean_and_obliterate(make: Any) -> None:
    """(T098–T100)"""
    ids = await finish(make, True, True, False)
    queue = make.queue()
    await queue.add("w", {})
    await queue.add("d", {}, delay=50_000)
    assert await queue.clean(0, 1, "completed") == ids[:1]
    assert await queue.clean(60_000, 0, "completed") == []
    await queue.drain()
    assert await queue.count() == 1
    await queue.drain(delayed=True)
    assert await queue.count() == 0
    await queue.add("a", {})
    await make.worker().get_next_job("t", block=False)
    with pytest.raises(BullMQError, match="active jobs") as raised:
        await queue.obliterate()
    assert raised.value.symbol == "ObliterateActiveJobs"
    await queue.obliterate(force=True, count=1)
    assert sum((await queue.get_job_counts()).values()) == 0
    assert await queue.client.command("EXISTS", queue.keys.meta) == 0


async def test_retry_and_promote(make: Any) -> None:
    """(T104, T105)"""
    done, failed, other = await finish(make, True, False, False)
    queue = make.queue()
    await (await queue.get_job(failed)).retry()
    await (await queue.get_job(done)).retry("completed")
    with pytest.raises(BullMQError) as raised:
        await (await queue.get_job(done)).retry()
    assert raised.value.symbol == "JobNotInState"
    await queue.retry_jobs(count=1)
    assert await queue.get_job_state(other) == "waiting"
    delayed = await queue.add("d", {}, delay=50_000)
    await delayed.change_delay(40_000)
    await delayed.promote()
    with pytest.raises(BullMQError, match=r"is not in the delayed state\. promote"):
        await delayed.promote()
    await queue.add("d", {}, delay=50_000)
    await queue.promote_jobs()
    assert (await queue.get_job_counts("delayed"))["delayed"] == 0


async def test_priority_changes(make: Any) -> None:
    queue = make.queue()
    job = await queue.add("n", {})
    await job.change_priority(7)
    assert await job.get_state() == "prioritized"
    await job.change_priority(0, lifo=True)
    assert await job.is_waiting()


async def test_logs_and_progress(make: Any) -> None:
    """(T087–T095)"""
    queue = make.queue()
    job = await queue.add("n", {}, keep_logs=2)
    assert [await job.log(row) for row in "abc"] == [1, 2, 2]
    assert (await queue.get_job_logs(job.id)).logs == ["b", "c"]
    newest = await queue.get_job_logs(job.id, 0, 0, ascending=False)
    assert (newest.logs, newest.count) == (["c"], 2)
    assert await queue.add_job_log(job.id, "d") == 3
    await job.clear_logs(1)
    assert (await queue.get_job_logs(job.id)).logs == ["d"]
    await job.clear_logs()
    assert (await queue.get_job_logs(job.id)).count == 0
    for progress in (5, "x", True, [1], None, {"a": 1.0}):
        await queue.update_job_progress(job.id, progress)
        assert (await queue.get_job(job.id)).progress == progress
    await job.update_data({"new": 1})
    assert (await queue.get_job(job.id)).data == {"new": 1}


async def test_the_librarys_own_limit_trims_logs(make: Any) -> None:
    """(T093)"""
    queue = make.queue(limits=Limits(logs=3))
    job = await queue.add("n", {})
    assert [await job.log(row) for row in "abcd"] == [1, 2, 3, 3]


@pytest.mark.parametrize("call", ["update_data", "update_progress", "log", "change_delay", "change_priority"])
async def test_a_missing_job_is_told(make: Any, call: str) -> None:
    queue = make.queue()
    job = await queue.add("n", {})
    await queue.remove(job.id)
    with pytest.raises(BullMQError, match=r"^Missing key for job 1") as raised:
        await getattr(job, call)(1)
    assert raised.value.symbol == "JobNotExist"


async def test_global_limits(make: Any) -> None:
    queue, worker = make.queue(), make.worker()
    assert await queue.get_global_concurrency() is None
    await queue.set_global_concurrency(1)
    await queue.add_bulk([{"name": "n"}] * 2)
    assert await worker.get_next_job("t", block=False)
    assert await worker.get_next_job("t", block=False) is None
    assert await queue.is_maxed()
    assert (await queue.get_global_concurrency(), await queue.remove_global_concurrency()) == (1, 1)
    await queue.set_global_rate_limit(3, 1000)
    limit = await queue.get_global_rate_limit()
    assert (limit.max, limit.duration) == (3, 1000)
    assert await queue.remove_global_rate_limit() == 2
    assert await queue.get_global_rate_limit() is None
    await queue.rate_limit(5000)
    assert 0 < await queue.get_rate_limit_ttl(1) <= 5000
    assert await queue.remove_rate_limit_key() == 1


async def test_floats_are_numbers_as_any(make: Any) -> None:
    """JavaScript knows no other: `1.5 * 1000` is whole, and a concurrency of 2.5 lets three jobs run."""
    queue = make.queue()
    await queue.set_global_concurrency(2.5)
    assert await queue.get_global_concurrency() == 2.5
    await queue.set_global_rate_limit(3.0, 1.5 * 1000)
    limit = await queue.get_global_rate_limit()
    assert (limit.max, limit.duration) == (3, 1500)
    assert await queue.client.command("HMGET", queue.keys.meta, "max", "duration") == ["3", "1500"]
    await queue.rate_limit(2.5 * 1000)
    assert 0 < await queue.get_rate_limit_ttl(1.0) <= 2500
    assert await queue.trim_events(10.0) == 0


async def test_events_can_be_trimmed(make: Any) -> None:
    queue = make.queue()
    await queue.add("n", {})
    assert await queue.trim_events(0) == 2


async def test_events_are_read_with_values_decoded(make: Any, until: Any) -> None:
    """(T116–T122) TRAP poison: an entry that cannot be read is told of and skipped."""
    queue, seen, errors = make.queue(), list[Any](), list[Any]()
    events = make.events()
    events.on("progress", lambda args, entry: seen.append(("progress", args)))
    events.on("completed:1", lambda args, entry: seen.append(("completed", args)))
    events.on("drained", lambda entry: seen.append(("drained", entry)))
    events.on("error", errors.append)
    job = await queue.add("n", {})
    await job.update_progress({"half": 0.5})
    make.worker(lambda job, token: {"ok": 1})
    assert await job.wait_until_finished(events, 10_000) == {"ok": 1}
    await until(lambda: len(seen) >= 3)
    assert seen[:2] == [
        ("progress", {"jobId": "1", "data": {"half": 0.5}}),
        ("completed", {"jobId": "1", "returnvalue": {"ok": 1}, "prev": "active"}),
    ]
    assert seen[2][1].count("-") == 1
    await queue.client.command("XADD", queue.keys.events, "*", "event", "progress", "jobId", "1", "data", "")
    await until(lambda: errors)
    await queue.client.command("XADD", queue.keys.events, "*", "event", "progress", "jobId", "1", "data", "7")
    await until(lambda: seen[-1] == ("progress", {"jobId": "1", "data": 7}))


@pytest.mark.parametrize("event", ["completed", "progress"])
async def test_an_event_without_its_value_is_told_of_and_skipped(make: Any, until: Any, event: str) -> None:
    """TRAP poison"""
    queue, events, errors, seen = make.queue(), make.events(), list[Any](), list[Any]()
    events.on("error", errors.append)
    events.on("waiting", lambda args, entry: seen.append(args["jobId"]))
    await queue.client.command("XADD", queue.keys.events, "*", "event", event, "jobId", "1")
    await queue.add("n", {})
    await until(lambda: seen == ["1"])
    assert "cannot be read" in str(errors[0])


async def test_a_reader_remembers_no_job_that_was_waited_for(make: Any) -> None:
    queue, events = make.queue(), make.events()
    make.worker(lambda job, token: None)
    for _ in range(3):
        await (await queue.add("n", {})).wait_until_finished(events, 10_000)
    assert events._listeners == {}


async def test_waiting_for_a_job_tells_how_it_ended(make: Any) -> None:
    queue, events = make.queue(), make.events()
    job = await queue.add("n", {})
    with pytest.raises(BullMQError, match=r"^Job wait n timed out before finishing.* after 20ms \(id=1\)"):
        await job.wait_until_finished(events, 20)

    def fail(job: Any, token: str) -> None:
        raise ValueError("no luck")

    make.worker(fail)
    with pytest.raises(BullMQError, match=r"^no luck$"):
        await job.wait_until_finished(events, 10_000)
    await queue.remove(job.id)
    with pytest.raises(BullMQError, match=r"^Missing key for job"):
        await job.wait_until_finished(events)


async def test_metrics_count_finished_jobs(make: Any) -> None:
    queue, worker = make.queue(), make.worker(metrics={"maxDataPoints": 5})
    await queue.add("n", {})
    await (await worker.get_next_job("t", block=False)).move_to_completed(1, "t", False)
    metrics = await queue.get_metrics("completed")
    assert metrics["meta"]["count"] == 1
    assert metrics["count"] == 0
