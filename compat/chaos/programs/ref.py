"""A worker or an adder of the reference library; what it is told stands in its argument, what it did in its journal.

It ends when its standard input does: a worker finishes what it has in hand first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from typing import Any

import bullmq_ref


class Journal:
    """A file of lines, each written at once: what is in it outlives a SIGKILL."""

    def __init__(self, name: str) -> None:
        self._file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, *words: object) -> None:
        os.write(self._file, (json.dumps(words) + "\n").encode())


def now() -> float:
    return time.time() * 1000


def options(told: dict[str, Any]) -> Any:
    nodes = tuple((host, int(port)) for host, port in told["nodes"])
    return bullmq_ref.RedisOptions(nodes=nodes, cluster=told["cluster"])


async def work(told: dict[str, Any], journal: Journal) -> None:
    async def process(job: Any, token: str) -> int:
        journal.write("begin", job.id, now())
        await asyncio.sleep(job.data["ms"] / 1000)
        journal.write("end", job.id, now())
        if job.data["fails"]:
            raise RuntimeError("planned")
        return int(job.data["n"])

    worker: Any = bullmq_ref.Worker(
        told["queue"], process, connection=options(told), prefix=told["prefix"], **told["worker"]
    )
    worker.on("error", lambda error: None)  # faults are what this is about; the account tells what became of jobs
    journal.write("ready")
    await ended()
    await worker.close()


async def add(told: dict[str, Any], journal: Journal) -> None:
    queue: Any = bullmq_ref.Queue(
        told["queue"], connection=options(told), prefix=told["prefix"], max_len_events=told["events"]
    )
    queue.on("error", lambda error: None)
    await queue.ready()
    journal.write("ready")
    started = time.monotonic()
    todo = iter(enumerate(range(told["first"], told["jobs"], 2)))

    async def lane() -> None:
        for place, number in todo:
            await asyncio.sleep(max(0.0, started + place * told["gap"] - time.monotonic()))
            data = {
                "n": number,
                "ms": number % told["longest"],
                "fails": number % told["failing"] == told["failing"] - 1,
            }
            since = now()
            try:
                job = await queue.add("chaos", data)
                journal.write("added", number, job.id, since, now(), "")
            except bullmq_ref.BullMQError as error:
                journal.write("added", number, None, since, now(), type(error).__name__)

    await asyncio.gather(*(lane() for _ in range(told["lanes"])))
    journal.write("done")
    await ended()
    with contextlib.suppress(bullmq_ref.BullMQError):
        await queue.close()


async def ended() -> None:
    """Standard input has ended."""
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    asyncio.run({"worker": work, "adder": add}[told["role"]](told, Journal(told["journal"])))
