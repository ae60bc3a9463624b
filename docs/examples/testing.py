"""A test of a processor on a real Redis: a prefix of its own, no waiting for time, nothing left behind."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bullmq_ref import Job, Queue, QueueEvents, Worker

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")


async def remind(job: Job, token: str) -> str:  # the processor to be tested
    return f"reminded {job.data['who']}"


@asynccontextmanager
async def fresh_queue(name: str) -> AsyncIterator[tuple[Queue, QueueEvents, str]]:
    """A queue that no other test sees, and that is gone afterwards."""
    prefix = f"test-{uuid.uuid4().hex}"
    async with (
        Queue(name, connection=REDIS, prefix=prefix) as queue,
        QueueEvents(name, connection=REDIS, prefix=prefix) as events,
    ):
        yield queue, events, prefix
        await queue.obliterate(force=True)


async def test_a_reminder_is_sent_when_it_is_due() -> None:
    async with fresh_queue("reminders") as (queue, events, prefix):
        job = await queue.add("remind", {"who": "Ada"}, delay=86_400_000)
        async with Worker("reminders", remind, connection=REDIS, prefix=prefix):
            assert await job.is_delayed()
            await job.promote()  # instead of waiting for tomorrow
            assert await job.wait_until_finished(events, 10_000) == "reminded Ada"


asyncio.run(test_a_reminder_is_sent_when_it_is_due())
print("passed")
