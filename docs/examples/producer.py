"""What a producer can ask of a job."""

import asyncio
import os

from bullmq_ref import Backoff, Deduplication, JobOptions, Keep, Queue

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")

# Options can be made once and used often.
CAREFUL = JobOptions(attempts=5, backoff=Backoff(type="exponential", delay=1_000), remove_on_complete=Keep(count=1_000))


async def main() -> None:
    async with Queue("orders", connection=REDIS) as queue:
        job = await queue.add("pay", {"order": 1}, CAREFUL)
        print("added", job.name, "as", job.id)

        # Keywords are options too; times are in ms.
        await queue.add("remind", {"order": 1}, delay=60_000)
        await queue.add("refund", {"order": 2}, priority=1)

        # An id of your own: adding it again changes nothing.
        await queue.add("pay", {"order": 3}, job_id="order-3")
        await queue.add("pay", {"order": 3}, job_id="order-3")

        # At most one job for a deduplication id while that job is unfinished.
        first = await queue.add("reindex", {}, deduplication=Deduplication(id="reindex"))
        second = await queue.add("reindex", {}, deduplication=Deduplication(id="reindex"))
        print("deduplicated:", first.id == second.id)

        # Many at once: one round trip.
        jobs = await queue.add_bulk([{"name": "label", "data": {"order": n}} for n in range(3)])
        print("bulk:", [job.id for job in jobs])

        counts = await queue.get_job_counts("waiting", "delayed", "prioritized")
        print({state: counts[state] for state in ("waiting", "delayed", "prioritized")})


asyncio.run(main())
