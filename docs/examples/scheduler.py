"""Job schedulers: jobs that come again, by an interval or a cron pattern."""

import asyncio
import os
from datetime import UTC, datetime

from bullmq_ref import Job, Queue, RepeatOptions, SchedulerTemplate, Worker

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def main() -> None:
    thrice = asyncio.Event()
    beats: list[int] = []

    async def process(job: Job, token: str) -> None:
        beats.append(job.data["volume"])
        if len(beats) == 3:
            thrice.set()

    async with Queue("clock", connection=REDIS) as queue:
        # Upsert: made if it is not there, changed if it is. So every start of a program may say it.
        await queue.upsert_job_scheduler(
            "heartbeat", RepeatOptions(every=100), SchedulerTemplate(name="beat", data={"volume": 7})
        )
        await queue.upsert_job_scheduler(
            "report", RepeatOptions(pattern="0 9 * * 1", tz="Europe/Paris"), {"name": "report", "opts": {"attempts": 3}}
        )

        report = await queue.get_job_scheduler("report")
        assert report is not None
        assert report.next is not None  # ms since the epoch
        print("a report is due on a", datetime.fromtimestamp(report.next / 1000, UTC).strftime("%A"))

        async with Worker("clock", process, connection=REDIS):
            await thrice.wait()
        print("beats:", beats[:3])

        for scheduler in await queue.get_job_schedulers():
            await queue.remove_job_scheduler(scheduler.key)
        print("schedulers left:", await queue.get_job_schedulers_count())


asyncio.run(main())
