"""What came after 2.17: events, schedulers, limits, cancelling."""

import asyncio
import importlib
import json
import os
import sys

import redis.asyncio

bullmq = importlib.import_module(sys.argv[1])


async def main():
    client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    options = {"connection": os.environ["REDIS_URL"], "prefix": "{program}"}
    queue = bullmq.Queue("newer", {**options, "connection": client})
    outcome = {}

    events = bullmq.QueueEvents("newer", {**options, "lastEventId": "0"})
    completed, cancelled, custom = asyncio.Event(), asyncio.Event(), asyncio.Event()
    returned = {}
    events.on("completed", lambda args, event_id: (returned.update(args), completed.set()))
    events.on("mine", lambda args, event_id: (outcome.update(custom=args["text"]), custom.set()))
    producer = bullmq.QueueEventsProducer("newer", options)
    await producer.publishEvent({"eventName": "mine", "text": "hello"})
    await asyncio.wait_for(custom.wait(), 20)

    started = asyncio.Event()

    async def process(job, token, signal):
        if job.name == "long":
            started.set()
            await signal.wait()
            outcome["reason"] = signal.reason
            signal.throw_if_aborted()
        return "done"

    worker = bullmq.Worker("newer", process, options)
    worker.on("failed", lambda job, error: (outcome.update(error=type(error).__name__), cancelled.set()))
    job = await queue.add("short", {})
    await asyncio.wait_for(completed.wait(), 20)
    outcome["event"] = [returned["jobId"] == job.id, returned["returnvalue"]]
    long = await queue.add("long", {})
    await asyncio.wait_for(started.wait(), 20)
    outcome["cancelled"] = bool(worker.cancelJob(long.id, "enough"))
    await asyncio.wait_for(cancelled.wait(), 20)
    outcome["a worker is found"] = await queue.get_workers_count() > 0
    await worker.close()

    first = await queue.upsertJobScheduler("tick", {"every": 3_600_000}, "ticking", {"n": 1})
    scheduler = await queue.getJobScheduler("tick")
    outcome["scheduler"] = [first.name, scheduler["name"], int(scheduler["every"]), scheduler["template"]["data"]]
    outcome["schedulers"] = [await queue.getJobSchedulersCount(), len(await queue.getJobSchedulers())]
    outcome["removed"] = bool(await queue.isJobScheduler("tick"))
    await queue.removeJobScheduler("tick")
    outcome["after"] = bool(await queue.isJobScheduler("tick"))

    await queue.setGlobalConcurrency(3)
    await queue.setGlobalRateLimit(5, 1000)
    outcome["limits"] = [await queue.getGlobalConcurrency(), await queue.getGlobalRateLimit()]
    await queue.removeGlobalRateLimit()
    held = await queue.add("once", {}, {"delay": 3_600_000, "deduplication": {"id": "d"}})
    outcome["deduplicated"] = await queue.getDeduplicationJobId("d") == held.id
    await queue.drain(True)
    outcome["drained"] = await queue.getDelayedCount()
    await events.close()
    await producer.close()
    await queue.close()
    await client.aclose()
    print(json.dumps(outcome, sort_keys=True))


asyncio.run(main())
