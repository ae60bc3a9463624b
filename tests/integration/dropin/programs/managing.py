"""A queue is paused, filled, rearranged and emptied."""

import asyncio
import importlib
import json
import os
import sys
from urllib.parse import urlsplit

bullmq = importlib.import_module(sys.argv[1])
PLACE = urlsplit(os.environ["REDIS_URL"])


async def main():
    options = {"connection": {"host": PLACE.hostname, "port": PLACE.port}, "prefix": "{program}"}
    queue = bullmq.Queue("manage", options)
    await queue.pause()
    first = await queue.add("a", {"n": 1})
    second = await queue.add("b", {"n": 2}, {"delay": 3_600_000})
    third = await queue.add("c", {"n": 3}, {"priority": 7})
    named = await queue.add("d", {"n": 4}, {"jobId": "mine"})
    outcome = {"paused": await queue.isPaused(), "ids": [first.id, second.id, third.id, named.id]}
    outcome["states"] = [await queue.getJobState(job.id) for job in (second, third)]
    outcome["priorities"] = await queue.getCountsPerPriority([7])
    await second.promote()
    await first.updateData({"n": 10})
    outcome["data"] = (await bullmq.Job.fromId(queue, first.id)).data
    await queue.resume()
    outcome["waiting"] = await queue.getWaitingCount()
    outcome["removed"] = await queue.remove("mine")
    outcome["jobs"] = sorted(job.name for job in await queue.getJobs(["waiting"]))
    outcome["by types"] = await queue.getJobCountByTypes("waiting", "delayed")
    outcome["key"] = queue.toKey("wait")
    outcome["cleaned"] = len(await queue.clean(0, 10, "wait"))
    await queue.obliterate()
    outcome["left"] = await queue.getJobCounts("delayed", "prioritized", "completed")
    await queue.close()
    print(json.dumps(outcome, sort_keys=True))


asyncio.run(main())
