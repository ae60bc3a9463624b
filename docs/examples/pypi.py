"""A program for PyPI's `bullmq`: only its import was changed."""

import asyncio
import os

from bullmq_ref.dropin import Job, Queue, Worker  # was: from bullmq import Job, Queue, Worker

OPTIONS = {"connection": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")}


async def main() -> None:
    done = asyncio.Event()

    async def process(job: Job, token: str) -> str:
        await job.updateProgress(100)
        return f"hello {job.data['name']}"

    def completed(job: Job, result: str) -> None:
        print(result)
        done.set()

    queue = Queue("greetings", OPTIONS)
    worker = Worker("greetings", process, OPTIONS)
    worker.on("completed", completed)
    await queue.add("greet", {"name": "Ada"}, {"attempts": 3, "backoff": {"type": "exponential", "delay": 1000}})
    await done.wait()
    print(await queue.getJobCounts("completed", "failed"))
    await worker.close()
    await queue.close()


asyncio.run(main())
