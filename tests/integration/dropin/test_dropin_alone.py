"""What the drop-in does where PyPI's package differs from Node or fails, on one Redis and on a Cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode

from bullmq_ref import Invalid
from bullmq_ref.dropin import Job, Queue, UnrecoverableError, Worker

Options = dict[str, Any]


@pytest.fixture
async def options(server: Any, prefix: str) -> AsyncIterator[Options]:
    """Options with a redis-py client as the connection."""
    client: Any
    if server.topology == "cluster":
        client = RedisCluster(startup_nodes=[ClusterNode(node.host, node.port) for node in server.nodes])
    else:
        client = Redis(host=server.nodes[0].host, port=server.nodes[0].port)
    yield {"connection": client, "prefix": prefix}
    await client.aclose()


@pytest.fixture
async def queue(options: Options) -> AsyncIterator[Queue]:
    queue = Queue("q", {**options, "defaultJobOptions": {"attempts": 3}})
    yield queue
    await queue.obliterate(True)
    await queue.close()


async def test_options_of_the_queue_lie_under_those_of_a_job(queue: Queue) -> None:
    assert [(await queue.add("a", {})).attempts, (await queue.add("b", {}, {"attempts": 5})).attempts] == [3, 5]


async def test_a_priority_can_be_changed(queue: Queue) -> None:
    job = await queue.add("a", {}, {"priority": 7})
    await job.changePriority({"priority": 2})
    assert await queue.getCountsPerPriority([2, 7]) == {"2": 1, "7": 0}


async def test_a_queue_with_an_active_job_can_be_obliterated(queue: Queue, options: Options) -> None:
    await queue.add("a", {})
    worker = Worker("q", None, options)
    assert await worker.getNextJob("token") is not None
    await queue.obliterate(True)
    assert sum((await queue.getJobCounts()).values()) == 0
    await worker.close()


async def test_a_job_is_worked_on_by_hand(queue: Queue, options: Options) -> None:
    first, second = await queue.add("a", {}), await queue.add("b", {})
    worker = Worker("q", None, options)
    job = await worker.getNextJob("token")
    assert job is not None
    assert (job.id, job.token) == (first.id, "token")
    fetched = await job.moveToCompleted({"sum": 3}, "token", True)
    assert fetched is not None
    assert fetched[1] == second.id
    after = await Job.fromId(queue, job.id or "")
    assert after is not None
    assert after.returnvalue == {"sum": 3}
    await worker.close()


async def test_a_custom_backoff_gets_jobs_under_the_packages_names(queue: Queue, options: Options) -> None:
    seen: list[Any] = []
    failed: asyncio.Queue[Any] = asyncio.Queue()

    def strategy(made: int, kind: str, error: BaseException, job: Job) -> int:
        seen.append((made, kind, str(error), job.attemptsMade))
        return -1

    async def process(job: Job, token: str) -> None:
        raise ValueError("no")

    worker = Worker("q", process, {**options, "settings": {"backoffStrategy": strategy}})
    worker.on("failed", lambda job, error: failed.put_nowait(job))
    await queue.add("a", {}, {"backoff": {"type": "mine"}})
    job = await asyncio.wait_for(failed.get(), 15)
    assert seen == [(1, "mine", "no", 0)]
    assert await job.isFailed()
    await worker.close()


async def test_an_unrecoverable_error_ends_a_job(queue: Queue, options: Options) -> None:
    failed: asyncio.Queue[Any] = asyncio.Queue()

    async def process(job: Job, token: str) -> None:
        raise UnrecoverableError("never")

    worker = Worker("q", process, options)
    worker.on("failed", lambda job, error: failed.put_nowait(job.failedReason))
    await queue.add("a", {})
    assert await asyncio.wait_for(failed.get(), 15) == "never"
    await worker.close()


async def test_a_reset_of_attempts_is_refused_with_words(queue: Queue) -> None:
    job = await queue.add("a", {})
    with pytest.raises(Invalid, match=r"cannot reset attempts.*resetAttemptsMade"):
        await job.retry("failed", {"resetAttemptsMade": True})


def test_a_queue_can_be_made_where_no_event_loop_runs() -> None:
    queue = Queue("q", {"connection": "redis://localhost:1"})
    assert queue.toKey("wait") == "bull:q:wait"
    asyncio.run(queue.close())
