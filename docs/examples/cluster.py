"""A queue on a Redis Cluster: all its keys must live in one slot, so its prefix carries a hash tag."""

import asyncio
import os
from typing import Any

from bullmq_ref import CrossSlot, Job, Queue, QueueEvents, RedisOptions, Worker

HOST, _, PORT = os.environ.get("REDIS_NODE", "127.0.0.1:7000").partition(":")
CLUSTER = RedisOptions(nodes=((HOST, int(PORT)),), cluster=True)  # one node is enough to find the others


async def main() -> None:
    async def process(job: Job, token: str) -> str:
        return "worked on in a Cluster"

    options: dict[str, Any] = {"connection": CLUSTER, "prefix": "{shop}"}  # braces: the part that picks the slot
    async with (
        Queue("mail", **options) as queue,
        QueueEvents("mail", **options) as events,
        Worker("mail", process, **options),
    ):
        job = await queue.add("welcome")
        print(await job.wait_until_finished(events, 10_000))

    # Without one, keys of one queue land on several masters, and no script could touch them together.
    try:
        Worker("mail", process, connection=CLUSTER)
    except CrossSlot as error:
        print("refused:", error)


asyncio.run(main())
