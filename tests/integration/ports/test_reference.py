"""The reference library's driver, spoken to as the harness speaks (T155, T156)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from compat.protocol.methods import METHODS

DEADLINE = 20


class Peer:
    """The harness's end: calls with answers by id; what the driver asks is answered by `play`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self._in, self._out = process, process.stdin, process.stdout
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._told = asyncio.Event()
        self.events: list[dict[str, Any]] = []
        self.attempts: list[dict[str, Any]] = []
        self.play: dict[str, Any] = {"end": {"return": None}}
        self._numbers = itertools.count(1)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while line := await self._out.readline():
            message = json.loads(line)
            if "method" not in message:
                self._answers.pop(message["id"]).set_result(message)
            elif "id" in message:
                self.attempts.append(message["params"])
                self._send({"id": message["id"], "result": self.play})
            else:
                self.events.append(message["params"])
                self._told.set()

    def _send(self, message: dict[str, Any]) -> None:
        self._in.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        self._send({"id": number, "method": method, "params": params})
        return await asyncio.wait_for(future, DEADLINE)

    async def call(self, method: str, **params: Any) -> Any:
        answer = await self.ask(method, **params)
        assert "error" not in answer, answer
        return answer["result"]

    async def symbol(self, method: str, **params: Any) -> str:
        symbol: str = (await self.ask(method, **params))["error"]["data"]["bullmq"]
        return symbol

    async def until(self, event: str, count: int = 1) -> dict[str, Any]:
        """The event number `count` of this name."""
        async with asyncio.timeout(DEADLINE):
            while len(told := [e for e in self.events if e["event"] == event]) < count:
                self._told.clear()
                await self._told.wait()
        return told[count - 1]

    async def close(self) -> None:
        if self.process.returncode is None:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self.call("shutdown")
            await asyncio.wait_for(self.process.wait(), DEADLINE)
        await self._reading
        self._in.close()
        with contextlib.suppress(ConnectionError):
            await self._in.wait_closed()


@pytest.fixture
async def peer(server: Any, prefix: str) -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "compat.ports.reference", stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=2**24
    )
    made = Peer(process)
    await made.call("initialize", protocol="bullmq-compat/1", bullmq="5.62.0")
    nodes = [[node.host, node.port] for node in server.nodes]
    await made.call("scenario.begin", id="s", prefix=prefix, redis={"topology": server.topology, "nodes": nodes})
    yield made
    await made.close()


async def test_it_declares_every_method_of_the_protocol(peer: Peer) -> None:
    welcome = await peer.call("initialize", protocol="bullmq-compat/1", bullmq="5.62.0")
    assert welcome["metaVersion"] == "bullmq:5.62.0"
    capabilities = welcome["capabilities"]
    groups = ("queue", "job", "worker", "events", "producer", "flow")
    declared = {f"{group}.{name}" for group in groups for name in capabilities[group]}
    methods = {name for name in METHODS if name.split(".")[0] in groups}
    assert declared == methods | {"worker.event", "events.event"}


async def test_a_job_goes_from_producer_through_the_processor_to_events(peer: Peer) -> None:
    await peer.call("queue.open", **{"as": "q", "name": "mail"})
    await peer.call("events.open", **{"as": "e", "name": "mail"})
    job = await peer.call("queue.add", on="q", name="n", data={"x": {"$utf16": "d83d"}}, opts={"attempts": 2})
    assert job["id"] == "1"
    assert job["opts"] == {"attempts": 2}
    assert job["data"] == {"x": {"$utf16": "d83d"}}
    peer.play = {
        "do": [{"progress": {"$number": "NaN"}}, {"log": "row"}, {"updateData": 5}, {"gate": "g"}, {"spin": 1}],
        "end": {"return": {"$undefined": True}},
    }
    await peer.call("worker.open", **{"as": "w", "name": "mail", "opts": {"concurrency": 2}})
    completed = await peer.until("completed")
    assert completed["job"] == "1"
    assert await peer.call("job.getState", on="q", id="1") == "completed"
    assert (await peer.call("queue.getJobLogs", on="q", jobId="1")) == {"logs": ["row"], "count": 1}
    shown = await peer.call("queue.getJob", on="q", jobId="1")
    assert (shown["data"], shown["returnvalue"], shown["attemptsMade"]) == (5, None, 1)
    assert [a["worker"] for a in peer.attempts] == ["w", "w"]  # the attempt and its gate
    await peer.call("worker.close", on="w")


async def test_refusals_have_symbols(peer: Peer) -> None:
    await peer.call("queue.open", **{"as": "q", "name": "mail"})
    assert await peer.symbol("job.promote", on="q", id="nobody") == "JobNotExist"
    assert await peer.symbol("queue.add", on="q", name="n", opts={"jobId": "7"}) == "JobIdInteger"
    assert await peer.symbol("queue.open", **{"as": "r", "name": "a:b"}) == "QueueNameColon"
    await peer.call("queue.add", on="q", name="n")
    assert await peer.symbol("job.retry", on="q", id="1") == "JobNotInState"
    assert (await peer.ask("queue.nothing", on="q"))["error"]["code"] == -32601
    assert (await peer.ask("queue.add", on="z", name="n"))["error"]["code"] == -32602


@pytest.mark.parametrize(
    ("thrown", "reason", "attempts"),
    [("boom", "boom", "2"), ({"type": "unrecoverable", "message": "no"}, "no", "1")],
)
async def test_attempts_end_as_told(peer: Peer, thrown: Any, reason: str, attempts: str) -> None:
    peer.play = {"end": {"throw": thrown}}
    await peer.call("queue.open", **{"as": "q", "name": "mail"})
    await peer.call("worker.open", **{"as": "w", "name": "mail"})
    await peer.call("queue.add", on="q", name="n", opts={"attempts": 2})
    await peer.until("failed", int(attempts))
    assert await peer.call("job.isFailed", on="q", id="1")
    job = await peer.call("queue.getJob", on="q", jobId="1")
    assert job["failedReason"] == reason
    assert str(job["attemptsMade"]) == attempts


async def test_the_clock_moves_and_is_put_right(peer: Peer) -> None:
    await peer.call("queue.open", **{"as": "q", "name": "mail"})
    first = await peer.call("queue.add", on="q", name="n")
    await peer.call("clock.set", offsetMs=3_600_000)
    second = await peer.call("queue.add", on="q", name="n")
    assert 3_600_000 <= second["timestamp"] - first["timestamp"] < 3_700_000


async def test_the_end_of_a_scenario_closes_what_is_open_and_busy(peer: Peer) -> None:
    never: dict[str, Any] = {"do": [{"spin": 1}], "end": {"return": 1}}
    peer.play = never
    await peer.call("worker.open", **{"as": "w", "name": "mail"})
    await peer.call("worker.open", **{"as": "v", "name": "mail", "processor": False})
    await peer.call("scenario.end")
    assert (await peer.ask("worker.isRunning", on="w"))["error"]["code"] == -32602


async def test_a_death_is_sudden(peer: Peer) -> None:
    peer.play = {"end": {"die": True}}
    await peer.call("queue.open", **{"as": "q", "name": "mail"})
    await peer.call("queue.add", on="q", name="n")
    with contextlib.suppress(TimeoutError):
        await asyncio.gather(
            peer.process.wait(), asyncio.wait_for(peer.ask("worker.open", **{"as": "w", "name": "mail"}), 3)
        )
    assert await asyncio.wait_for(peer.process.wait(), DEADLINE) == -9
