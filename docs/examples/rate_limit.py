"""Limits: so many jobs in so much time, and a pause that the other side asks for."""

import asyncio
import os
import time

from bullmq_ref import Job, Queue, RateLimitError, Worker

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def main() -> None:
    done = asyncio.Event()
    asked_to_wait = False

    async def call(job: Job, token: str) -> None:
        nonlocal asked_to_wait
        if job.data["n"] == 1 and not asked_to_wait:
            asked_to_wait = True
            await worker.rate_limit(200)  # ms; as after "429 Too Many Requests"
            raise RateLimitError()  # back to wait; this attempt does not count
        print("call", job.data["n"])
        if job.data["n"] == 3:
            done.set()

    async with Queue("calls", connection=REDIS) as queue:
        await queue.add_bulk([{"name": "call", "data": {"n": n}} for n in range(4)])
        started = time.monotonic()
        # At most 2 jobs in 300 ms, over all workers of the queue that have this limit.
        async with Worker("calls", call, connection=REDIS, limiter={"max": 2, "duration": 300}) as worker:
            await done.wait()
        print("took its time:", time.monotonic() - started >= 0.5)


asyncio.run(main())
