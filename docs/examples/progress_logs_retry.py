"""A job that fails twice, tells how far it is, and keeps a log."""

import asyncio
import os

from bullmq_ref import Backoff, Job, Queue, QueueEvents, UnrecoverableError, Worker

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def process(job: Job, token: str) -> str:
    await job.log(f"attempt {job.attempts_made + 1}")
    if not job.data["url"].startswith("https://"):
        raise UnrecoverableError("not worth another try")  # fails for good, whatever attempts are left
    if job.attempts_made < 2:
        raise ConnectionError("the other side is busy")
    await job.update_progress({"percent": 100})
    return "fetched"


async def main() -> None:
    async with (
        Queue("fetch", connection=REDIS) as queue,
        QueueEvents("fetch", connection=REDIS) as events,
        Worker("fetch", process, connection=REDIS) as worker,
    ):
        worker.on("retrying", lambda job, delay, kind: print(f"try again in {delay} ms"))
        worker.on("progress", lambda job, progress: print("progress:", progress))

        good = await queue.add(
            "page", {"url": "https://example.org"}, attempts=3, backoff=Backoff(type="fixed", delay=100)
        )
        print("result:", await good.wait_until_finished(events, 10_000))
        logs = await queue.get_job_logs(good.id)
        print("log:", logs.logs)

        bad = await queue.add("page", {"url": "ftp://example.org"}, attempts=3)
        try:
            await bad.wait_until_finished(events, 10_000)
        except Exception as error:
            print("failed:", error)
        after = await queue.get_job(bad.id)
        assert after is not None
        print("attempts:", after.attempts_made, "reason:", after.failed_reason)


asyncio.run(main())
