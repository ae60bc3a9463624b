"""Processors of every kind: on the event loop, in a thread, in a process of their own; with a time limit."""

import asyncio
import hashlib
import os

from bullmq_ref import Job, Queue, QueueEvents, Worker, from_thread

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def wait(job: Job, token: str) -> str:
    """A coroutine function shares the event loop: it must not block."""
    await asyncio.sleep(job.data["seconds"])
    return "waited"


def digest(job: Job, token: str) -> str:
    """Any other function runs in a thread, and may block."""
    from_thread(job.update_progress(50))  # what must be awaited is done on the event loop
    return hashlib.sha256(job.data["text"].encode()).hexdigest()[:12]


async def main() -> None:
    async with (
        Queue("waits", connection=REDIS) as waits,
        QueueEvents("waits", connection=REDIS) as waited,
        Queue("digests", connection=REDIS) as digests,
        QueueEvents("digests", connection=REDIS) as digested,
        Worker("waits", wait, connection=REDIS, concurrency=50, timeout=200),  # ms for an attempt
        Worker("digests", digest, connection=REDIS, concurrency=4),
    ):
        quick = await waits.add("wait", {"seconds": 0})
        print(await quick.wait_until_finished(waited, 10_000))
        slow = await waits.add("wait", {"seconds": 60})
        try:
            await slow.wait_until_finished(waited, 10_000)
        except Exception as error:
            print("failed:", error)
        job = await digests.add("digest", {"text": "hello"})
        print(await job.wait_until_finished(digested, 10_000))


asyncio.run(main())
