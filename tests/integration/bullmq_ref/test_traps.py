"""Traps of BullMQ 5.62.0 that a library of one's own walks into: here Node's behaviour holds, odd as it is.

`tests/unit/test_traps.py` lists all traps; those that stand in no scenario and in no other test stand here.
"""

from __future__ import annotations

from typing import Any

import pytest

from bullmq_ref import BullMQError, FlowJob, Invalid, Worker, clock

HOUR = 3_600_000


async def stored(queue: Any, kind: str, name: str, *more: Any) -> Any:
    return await queue.client.command(kind, queue.keys.state(name), *more)


async def test_resuming_overwrites_what_waits_there(make: Any) -> None:
    """TRAP rename-overwrites, TRAP mixed-pause: a queue that version 6 has paused keeps its jobs in `wait`; one job
    added by version 5 and a resume by it, and they are lost, but for their hashes."""
    queue = make.queue()
    await queue.add_bulk([{"name": "n"}] * 2)
    await stored(queue, "HSET", "meta", "paused", 1)  # as version 6 pauses: nothing is renamed
    await queue.add("n", {})
    assert await queue.get_job_counts("waiting") == {"waiting": 2, "paused": 1}
    await queue.resume()
    assert await stored(queue, "LRANGE", "wait", 0, -1) == ["3"]
    assert await stored(queue, "EXISTS", "1") == 1
    assert await queue.get_job_state("1") == "unknown"


async def test_the_due_time_in_an_event_is_a_time_and_no_duration(make: Any, until: Any) -> None:
    """TRAP delayed-event."""
    queue, seen = make.queue(), list[Any]()
    events = make.events()
    events.on("delayed", lambda args, entry: seen.append(args["delay"]))
    job = await queue.add("n", {}, delay=HOUR)
    await until(lambda: seen)
    assert seen == [str(int(job.timestamp) + HOUR)]


async def test_who_is_named_first_in_a_deduplication_depends_on_who_stays(make: Any, until: Any) -> None:
    """TRAP deduplicated-reverse: the job that stays is `jobId`: the old one, or with `replace` the new one."""
    queue, seen = make.queue(), list[Any]()
    events = make.events()
    events.on("deduplicated", lambda args, entry: seen.append((args["jobId"], args["deduplicatedJobId"])))
    for _ in range(2):
        await queue.add("n", {}, deduplication={"id": "simple"})
    for _ in range(2):
        await queue.add("n", {}, delay=HOUR, deduplication={"id": "replaced", "replace": True})
    await until(lambda: len(seen) == 2)
    assert seen == [("1", "2"), ("4", "3")]


async def test_a_removed_failing_child_releases_its_parent(make: Any) -> None:
    """TRAP removed-child: even without an option that says what its failure does to the parent."""
    flows, worker = make.flows(), make.worker()
    child = FlowJob("child", "q", options={"removeOnFail": True})
    root = await flows.add(FlowJob("root", "q", children=[child]))
    job = await worker.get_next_job("t", block=False)
    assert await root.job.get_state() == "waiting-children"
    await job.move_to_failed(ValueError("no"), "t")
    assert await root.job.get_state() == "waiting"


async def test_retrying_an_ignored_child_fails_when_it_is_back_already(make: Any) -> None:
    """TRAP retry-wrongtype: the script takes a hash for a sorted set after it has put the job into wait."""
    flows, worker, queue = make.flows(), make.worker(), make.queue()
    children = [FlowJob(name, "q", options={"ignoreDependencyOnFailure": True}) for name in ("child", "other")]
    await flows.add(FlowJob("root", "q", children=children))
    job = await worker.get_next_job("t", block=False)
    await job.move_to_failed(ValueError("no"), "t")
    with pytest.raises(BullMQError, match="WRONGTYPE"):
        await job.retry()
    assert await job.get_state() == "waiting"
    events = await stored(queue, "XRANGE", "events", "-", "+")
    assert ["event", "waiting", "jobId", job.id, "prev", "failed"] not in [fields for _, fields in events]


async def test_draining_loses_the_waiting_iteration_of_a_scheduler(make: Any) -> None:
    """TRAP drain-scheduler: as many entries are cut off the head as jobs were removed, whichever they are."""
    queue = make.queue()
    await queue.add("old", {})
    iteration = await queue.upsert_job_scheduler("s", {"every": HOUR})
    await queue.add("new", {})
    await queue.drain()
    assert await stored(queue, "EXISTS", iteration.id) == 1
    assert await stored(queue, "LRANGE", "wait", 0, -1) == ["1"]
    assert await stored(queue, "EXISTS", "1") == 0


async def test_an_offset_does_not_move_a_scheduler_of_every_so_many_ms(make: Any) -> None:
    """TRAP every-offset: it is computed anew from the first slot."""
    queue = make.queue()
    before = clock.now()
    job = await queue.upsert_job_scheduler("s", {"every": HOUR, "offset": 1234})
    first = int(job.id.rpartition(":")[2])
    assert before <= first <= clock.now()
    assert await stored(queue, "HGET", "repeat:s", "offset") == str(first % HOUR)


async def test_a_delay_and_a_repeat_are_not_refused(make: Any) -> None:
    """TRAP delay-and-repeat: the check comes after the count that switches it off."""
    queue = make.queue()
    job = await queue.add("n", {}, {"delay": 5, "repeat": {"every": HOUR}})
    assert job.id.startswith("repeat:")
    assert await job.get_state() == "delayed"


async def test_an_unknown_backoff_leaves_the_job_active(make: Any, until: Any) -> None:
    """TRAP unknown-backoff: nobody finishes it until it stalls."""
    queue, errors = make.queue(), list[str]()

    def fail(job: Any, token: str) -> None:
        raise ValueError("no")

    worker = make.worker(fail)
    worker.on("error", lambda error: errors.append(str(error)))
    job = await queue.add("n", {}, attempts=2, backoff={"type": "odd"})
    await until(lambda: errors)
    assert errors[0].startswith("Unknown backoff strategy odd.")
    assert await job.is_active()
    assert await stored(queue, "EXISTS", f"{job.id}:lock") == 1


async def test_a_refused_worker_opens_no_connection(make: Any) -> None:
    """TRAP worker-connects-first: in Node the first connection is there before the options are looked at."""
    queue = make.queue()
    with pytest.raises(Invalid):
        Worker("q", None, connection=make.connection, prefix=make.prefix, name="refused", concurrency=0)
    assert await queue.get_workers_count() == 0
