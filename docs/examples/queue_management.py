"""Looking into a queue, and changing what is in it."""

import asyncio
import os

from bullmq_ref import Queue

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def main() -> None:
    async with Queue("reports", connection=REDIS) as queue:
        await queue.pause()  # no worker takes jobs now
        for month in ("january", "february", "march"):
            await queue.add("report", {"month": month})
        late = await queue.add("report", {"month": "april"}, delay=3_600_000)

        print("paused:", await queue.is_paused())
        print("counts:", await queue.get_job_counts("paused", "delayed"))

        # Jobs by state, oldest first.
        for job in await queue.get_jobs("paused", ascending=True):
            if job is not None:
                print(job.id, job.data)

        await late.promote()  # due now
        await late.change_priority(5)
        print("april is", await late.get_state())

        removed = await queue.remove("1")
        print("removed:", removed)

        await queue.resume()
        print("waiting:", (await queue.get_job_counts("waiting"))["waiting"])

        await queue.drain()  # all that waits
        await queue.obliterate()  # the queue itself, and all that is left
        print("left:", await queue.count())


asyncio.run(main())
