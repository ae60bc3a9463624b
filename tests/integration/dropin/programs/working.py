"""Jobs are added, worked on, tried again and looked at."""

import asyncio
import importlib
import json
import os
import sys

bullmq = importlib.import_module(sys.argv[1])
OPTIONS = {"connection": os.environ["REDIS_URL"], "prefix": "{program}"}


async def main():
    queue = bullmq.Queue("work", OPTIONS)
    told = {"completed": [], "failed": []}
    done = asyncio.Event()

    async def process(job, token):
        await job.updateProgress(50)
        await job.log(f"attempt {job.attemptsMade + 1}")
        if job.name == "stubborn" and job.attemptsMade < 2:
            raise ValueError("not yet")
        if job.name == "hopeless":
            raise RuntimeError("never")
        return {"got": job.data["n"], "name": job.name}

    def note(kind):
        def listener(job, what):
            told[kind].append([job.name, job.attemptsMade])
            if len(told["completed"]) == 4 and any(name == "hopeless" for name, _ in told["failed"]):
                done.set()

        return listener

    worker = bullmq.Worker("work", process, {**OPTIONS, "autorun": False})
    worker.on("completed", note("completed"))
    worker.on("failed", note("failed"))
    single = await queue.add("single", {"n": 1})
    await queue.addBulk([{"name": "bulk", "data": {"n": n}, "opts": {}} for n in (2, 3)])
    await queue.add("stubborn", {"n": 4}, {"attempts": 3, "backoff": {"type": "fixed", "delay": 10}})
    await queue.add("hopeless", {"n": 5})
    running = asyncio.ensure_future(worker.run())
    await asyncio.wait_for(done.wait(), 20)
    await worker.close()
    await asyncio.wait_for(running, 20)
    job = await bullmq.Job.fromId(queue, single.id)
    outcome = {
        "completed": sorted(name for name, _ in told["completed"]),
        "tries of stubborn": sum(name == "stubborn" for name, _ in told["failed"]),
        "counts": await queue.getJobCounts("completed", "failed", "delayed"),
        "returned": job.returnvalue,
        "progress": job.progress,
        "attempts": job.attemptsMade,
        "logs": await queue.getJobLogs(single.id),
        "state": await job.getState(),
        "is completed": bool(await job.isCompleted()),
        "failed": [failed.name for failed in await queue.getJobs(["failed"])],
        "closed": worker.closed,
    }
    await queue.obliterate()
    await queue.close()
    print(json.dumps(outcome, sort_keys=True))


asyncio.run(main())
