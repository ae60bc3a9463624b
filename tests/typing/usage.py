"""What mypy must say of code that uses the library; `test_typing` asks it. Never run.

An `ignore` marks what must be refused: where it is not, mypy says that the `ignore` is unused.
"""

from __future__ import annotations

from typing import TypedDict, assert_type

from bullmq_ref import Job, JobOptions, Keep, Logs, Metrics, Queue, QueueEvents, RateLimit, Worker


class Mail(TypedDict):
    to: str


class Sent(TypedDict):
    at: int


async def producers() -> None:
    async with Queue[Mail, Sent]("mail") as queue:
        job = await queue.add("n", {"to": "a"}, attempts=3)
        assert_type(job, Job[Mail, Sent])
        assert_type(job.data, Mail)
        assert_type(job.returnvalue, Sent | None)
        await queue.add("n", {"from": "a"})  # type: ignore[arg-type]
        await queue.add("n", 5)  # type: ignore[arg-type]
        await queue.add("n", {"to": "a"}, JobOptions(remove_on_complete=Keep(count=5)))
        assert_type(await queue.add_bulk([{"name": "n"}]), list[Job[Mail, Sent]])


async def managers(queue: Queue[Mail, Sent], events: QueueEvents) -> None:
    found = await queue.get_job("1")
    assert_type(found, Job[Mail, Sent] | None)
    _ = found.data  # type: ignore[union-attr]
    assert_type(await queue.get_jobs("waiting"), list[Job[Mail, Sent] | None])
    assert_type(await queue.get_job_counts(), dict[str, int])
    assert_type(await queue.get_job_logs("1"), Logs)
    assert_type(await queue.get_metrics("completed"), Metrics)
    assert_type(await queue.get_global_rate_limit(), RateLimit | None)
    assert_type(await queue.get_workers(), list[dict[str, str]])
    await queue.get_jobs("waiting", 0, -1, True)  # type: ignore[call-arg]
    if found is not None:
        assert_type(await found.wait_until_finished(events, 1000), Sent | None)
        await found.update_data({"to": 5})  # type: ignore[typeddict-item]


async def workers() -> None:
    async def process(job: Job[Mail, Sent], token: str) -> Sent:
        assert_type(job.data, Mail)
        return {"at": len(job.data["to"])}

    def in_a_thread(job: Job[Mail, Sent], token: str) -> Sent:
        return {"at": 1}

    async def other(job: Job[int, Sent], token: str) -> Sent:
        return {"at": job.data}

    worker: Worker[Mail, Sent] = Worker("mail", process, concurrency=5)
    plain: Worker[Mail, Sent] = Worker("mail", in_a_thread)
    wrong: Worker[Mail, Sent] = Worker("mail", other)  # type: ignore[arg-type]
    by_hand: Worker[Mail, Sent] = Worker("mail")
    assert_type(await by_hand.get_next_job("token"), Job[Mail, Sent] | None)
    for made in (worker, plain, wrong, by_hand):
        await made.close()
