"""What a worker tells of itself: log records, and metrics for a Prometheus server."""

import asyncio
import logging
import os
import sys

from prometheus_client import CollectorRegistry, generate_latest

from bullmq_ref import Job, Queue, QueueEvents, Worker
from bullmq_ref.prometheus import PrometheusMonitor

REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")

logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(levelname)s %(name)s [%(queue)s] %(message)s")


async def process(job: Job, token: str) -> str:
    if job.name == "bad":
        raise ValueError("no such address")
    return "sent"


async def main() -> None:
    registry = CollectorRegistry()
    monitor = PrometheusMonitor(registry)  # one a process, for all its workers
    failures = []
    async with (
        Queue("letters", connection=REDIS) as queue,
        QueueEvents("letters", connection=REDIS) as events,
        Worker("letters", process, connection=REDIS, monitor=monitor),
    ):
        for name in ("good", "good", "bad"):
            job = await queue.add(name)
            try:
                await job.wait_until_finished(events, 10_000)
            except Exception as error:
                failures.append(error)

    for failure in failures:
        print("failed:", failure)
    for line in generate_latest(registry).decode().splitlines():
        if line.startswith("bullmq_jobs_processed_total"):
            print(line)


asyncio.run(main())
