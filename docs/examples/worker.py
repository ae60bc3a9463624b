"""A worker that runs until it is told to stop, and then finishes what it has in hand."""

import asyncio
import os
import signal
from typing import Any

from bullmq_ref import Job, Worker

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def process(job: Job, token: str) -> dict[str, Any]:
    """What it returns is stored as the job's result; what it raises fails the job."""
    if job.name == "pay":
        return {"paid": job.data["order"]}
    raise ValueError(f"what is {job.name}?")


async def main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    worker = Worker("orders", process, connection=REDIS, concurrency=10)
    worker.on("completed", lambda job, result, previous: print(f"{job.name} {job.id}: {result}"))
    worker.on("failed", lambda job, error, previous: print(f"{job.name} {job.id}: {error}"))
    worker.on("error", lambda error: print("trouble:", error))

    await worker.ready()
    print("ready")
    await stop.wait()
    await worker.close()  # takes no more jobs, waits for those under way
    print("closed")


asyncio.run(main())
