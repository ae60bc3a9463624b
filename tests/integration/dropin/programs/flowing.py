"""A parent waits for its children, and gets what they returned."""

import asyncio
import importlib
import json
import os
import sys

bullmq = importlib.import_module(sys.argv[1])
OPTIONS = {"connection": os.environ["REDIS_URL"], "prefix": "{program}"}


async def main():
    done = asyncio.Event()
    seen = {}

    async def part(job, token):
        return job.data["n"] * 2

    async def whole(job, token):
        seen["values"] = sorted((await job.getChildrenValues()).values())
        return sum(seen["values"])

    flow = bullmq.FlowProducer(OPTIONS["connection"], {"prefix": OPTIONS["prefix"]})
    tree = await flow.add(
        {
            "name": "whole",
            "queueName": "wholes",
            "data": {},
            "children": [
                {"name": "part", "queueName": "parts", "data": {"n": 1}},
                {"name": "part", "queueName": "parts", "data": {"n": 2}},
            ],
        }
    )
    wholes = bullmq.Queue("wholes", OPTIONS)
    seen["before"] = await wholes.getJobState(tree["job"].id)
    seen["children"] = [child["job"].name for child in tree["children"]]
    parts = bullmq.Worker("parts", part, OPTIONS)
    worker = bullmq.Worker("wholes", whole, OPTIONS)
    worker.on("completed", lambda job, result: done.set())
    await asyncio.wait_for(done.wait(), 20)
    await parts.close()
    await worker.close()
    seen["result"] = (await bullmq.Job.fromId(wholes, tree["job"].id)).returnvalue
    await wholes.close()
    await flow.close()
    print(json.dumps(seen, sort_keys=True))


asyncio.run(main())
