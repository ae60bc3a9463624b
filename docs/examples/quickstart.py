"""One job, added and worked on."""

import asyncio
import os

from bullmq_ref import Job, Queue, Worker

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def main() -> None:
    done = asyncio.Event()

    async def send(job: Job, token: str) -> str:
        print("sending", job.name, "to", job.data["to"])
        done.set()
        return "sent"

    async with Queue("mail", connection=REDIS) as queue, Worker("mail", send, connection=REDIS):
        await queue.add("welcome", {"to": "ada@example.org"})
        await done.wait()
    # leaving the block closes the worker, which waits for the job in hand


asyncio.run(main())
