"""A driver for a producer, whole: it opens queues and adds jobs. (bullmq_ref plays the part of your port.)"""

import asyncio
import json
import sys

from bullmq_ref import UNDEFINED, Limits, Queue, RedisOptions
from bullmq_ref.errors import BullMQError
from compat.ports.reference.values import decode  # tagged values, as bullmq_ref's own
from compat.ports.stdio import encode

WELCOME = {
    "protocol": "bullmq-compat/1", "name": "tutorial", "version": "0.1", "language": "python", "bullmq": "5.62.0",
    "metaVersion": "bullmq:5.62.0", "capabilities": {"queue": ["open", "close", "add"], "cluster": True},
}  # fmt: skip
VIEW = {  # Node's names for what a job shows, and the port's
    **dict.fromkeys(("id", "name", "data", "progress", "delay", "priority", "timestamp", "parent")),
    "opts": "options", "attemptsMade": "attempts_made", "attemptsStarted": "attempts_started",
    "stalledCounter": "stalled_counter", "parentKey": "parent_key", "deduplicationId": "deduplication_id",
}  # fmt: skip
queues, scenario = {}, {}


async def handle(method, p):
    if method == "initialize":
        return WELCOME
    if method == "scenario.begin":
        scenario.update(p)
    elif method == "queue.open":
        redis, opts = scenario["redis"], {"prefix": scenario["prefix"], **p.get("opts", {})}
        nodes, cluster = tuple(map(tuple, redis["nodes"])), redis["topology"] == "cluster"
        where = RedisOptions(nodes, cluster, redis.get("username"), redis.get("password"))
        queues[p["as"]] = Queue(p["name"], opts, connection=where, limits=Limits.node())
        await queues[p["as"]].ready()
    elif method == "queue.add":
        job = await queues[p["on"]].add(p["name"], p.get("data", UNDEFINED), p.get("opts"))
        shown = {name: getattr(job, own or name) for name, own in VIEW.items()}
        return {name: value for name, value in shown.items() if value is not UNDEFINED}
    elif method in ("queue.close", "scenario.end", "shutdown"):
        for name in [p["on"]] if "on" in p else list(queues):
            await queues.pop(name).close()
    elif method != "ping":
        raise NotImplementedError(method)


async def main():
    call = {}
    while call.get("method") != "shutdown" and (line := await asyncio.to_thread(sys.stdin.readline)):
        call = json.loads(line)
        try:
            reply = {"result": encode(await handle(call["method"], decode(call.get("params", {}))))}
        except NotImplementedError as error:
            reply = {"error": {"code": -32601, "message": f"no {error}"}}
        except (BullMQError, KeyError, TypeError) as error:
            data = {"bullmq": getattr(error, "symbol", "unclassified")}
            reply = {"error": {"code": -32000, "message": str(error), "data": data}}
        print(json.dumps({"jsonrpc": "2.0", "id": call["id"], **reply}), flush=True)


asyncio.run(main())
