"""Everything that happens in a queue, whoever did it, from the queue's event stream."""

import asyncio
import os
from typing import Any

from bullmq_ref import Job, Queue, QueueEvents, Worker

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def main() -> None:
    async def process(job: Job, token: str) -> int:
        return int(job.data["a"]) + int(job.data["b"])

    finished = asyncio.Event()

    def completed(args: dict[str, Any], event_id: str) -> None:
        print("completed:", args["jobId"], "=", args["returnvalue"])
        finished.set()

    # "0" reads from the start of the stream; without it, from now on.
    async with (
        Queue("sums", connection=REDIS) as queue,
        QueueEvents("sums", connection=REDIS, last_event_id="0") as events,
    ):
        events.on("added", lambda args, event_id: print("added:", args["jobId"], args["name"]))
        events.on("completed", completed)
        await queue.add("sum", {"a": 2, "b": 3})
        async with Worker("sums", process, connection=REDIS):
            await finished.wait()


asyncio.run(main())
