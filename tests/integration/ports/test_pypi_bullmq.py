"""The official Python port's driver: it speaks the protocol and shows the port as it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from compat.drivers import CallRaised, Driver, command_for
from compat.protocol.methods import METHODS
from compat.servers import Running, Server


class Port:
    """A driver in a scenario of its own login; `program` decides how attempts end, in their order."""

    def __init__(self, driver: Driver, server: Server, prefix: str, user: str) -> None:
        self.driver, self.server, self.prefix, self.user = driver, server, prefix, user
        self.program: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.notices: list[dict[str, Any]] = []
        driver.serve(self._asked, lambda method, params: self.notices.append(msgspec.json.decode(params)))

    async def _asked(self, method: str, params: msgspec.Raw) -> Any:
        self.asked.append(msgspec.json.decode(params))
        return self.program.pop(0) if method == "processor.call" else None

    async def call(self, method: str, on: str | None = None, **params: Any) -> Any:
        return await self.driver.call(method, {**params, **({"on": on} if on is not None else {})})

    async def begin(self) -> None:
        await self.server.add_user(self.user, "s3cret", self.prefix)
        redis = msgspec.to_builtins(self.server.address(self.user, "s3cret"))
        await self.call("scenario.begin", id="test", prefix=self.prefix, redis=redis)

    async def open(self, kind: str, name: str, **params: Any) -> None:
        await self.driver.call(f"{kind}.open", {"as": name, "name": "mail", **params})

    async def state(self, job: str, state: str) -> None:
        await until(lambda: self.call("queue.getJobState", "q", jobId=job), state)

    async def stored(self, key: str) -> dict[str, str]:
        full = f"{self.prefix}:mail:{key}"
        fields = await self.server.client(self.server.owner(full)).hgetall(full)
        return {name.decode(): value.decode() for name, value in fields.items()}

    async def connections(self) -> int:
        clients = [row for node in self.server.nodes for row in await self.server.client(node).client_list()]
        return sum(row["user"] == self.user for row in clients)


async def until(look: Any, wanted: Any) -> None:
    deadline = time.monotonic() + 10
    while (seen := await look()) != wanted:
        assert time.monotonic() < deadline, f"wanted {wanted}, last seen {seen}"
        await asyncio.sleep(0.005)


@pytest.fixture(params=["2.17.0 single", "3.4.4 single", "3.4.4 cluster"])
def case(request: pytest.FixtureRequest) -> tuple[str, Running]:
    """A version of the port, and a server that it can work with."""
    version, topology = request.param.split()
    return version, request.getfixturevalue(f"_{topology}")


@pytest.fixture
async def driver(case: tuple[str, Running]) -> AsyncIterator[Driver]:
    command = await asyncio.to_thread(command_for, f"pypi-bullmq@{case[0]}")
    driver = await Driver.launch(command, bullmq="5.62.0")
    yield driver
    await driver.close()


@pytest.fixture
async def port(case: tuple[str, Running], driver: Driver, prefix: str) -> AsyncIterator[Port]:
    async with case[1].server() as server:
        port = Port(driver, server, prefix, f"port-{prefix.strip('{}')}")
        await port.begin()
        yield port
        if driver.broken is None:
            await port.call("scenario.end")
        await server.remove_user(port.user)
        await server.delete_prefix(prefix)


def test_it_declares_what_the_port_has_and_no_more(driver: Driver) -> None:
    """(T160)"""
    welcome, offers = driver.welcome, driver.welcome.capabilities
    assert (welcome.name, welcome.language, welcome.serial) == ("bullmq", "python", False)
    assert welcome.meta_version == f"bullmq:{welcome.version}"
    for group in ("queue", "job", "worker", "events"):
        told = {f"{group}.event"}  # what it passes on to listeners
        assert {f"{group}.{name}" for name in getattr(offers, group)} <= told | set(METHODS)
    newer = welcome.version == "3.4.4"
    for name in ("getJob", "drain", "rateLimit", "getWorkersCount", "getDeduplicationJobId"):
        assert (name in offers.queue) == newer
    assert ("moveToDelayed" in offers.job) == ("delayed" in offers.processor) == newer
    assert (set(offers.events) - {"event"}, offers.cluster) == (({"open", "close"}, True) if newer else (set(), False))
    assert {"add", "addBulk", "pause", "getJobCounts"} <= set(offers.queue)
    assert not {"extendLock", "changeDelay", "moveToWait"} & set(offers.job)
    assert offers.clock


async def test_it_adds_and_processes(port: Port) -> None:
    """(T152, T153)"""
    await port.open("queue", "q")
    job = await port.call("queue.add", "q", name="email", data={"to": "a@b"}, opts={"attempts": 2})
    assert (job["id"], job["name"], job["data"], job["opts"]["attempts"]) == ("1", "email", {"to": "a@b"}, 2)
    port.program += [
        {"do": [{"progress": 5}, {"log": "on it"}, {"gate": "g"}, {"updateData": [1]}], "end": {"throw": "boom"}},
        {"end": {"return": {"ok": True}}},
    ]
    await port.open("worker", "w")
    await port.state("1", "completed")
    stored = await port.stored("1")
    assert (stored["progress"], stored["data"], stored["returnvalue"]) == ("5", "[1]", '{"ok":true}')
    assert "boom" in stored["failedReason"]
    calls = [asked for asked in port.asked if "gate" not in asked]
    assert [call["job"]["id"] for call in calls] == ["1", "1"]
    assert [call["token"].rpartition(":")[2].isdigit() for call in calls] == [True, True]
    assert {"worker": "w", "job": "1", "gate": "g"} in port.asked

    async def completed() -> list[Any]:
        return [(n["on"], n["job"], n["args"]) for n in port.notices if n["event"] == "completed"]

    await until(completed, [("w", "1", {"returnvalue": {"ok": True}})])


async def test_it_works_by_hand_and_its_errors_have_symbols(port: Port) -> None:
    await port.open("queue", "q")
    await port.open("worker", "w", processor=False)
    await port.call("queue.add", "q", name="a", data=1)
    await port.call("queue.add", "q", name="b", data=2)
    assert (await port.call("worker.getNextJob", "w", token="t"))["name"] == "a"
    with pytest.raises(CallRaised) as raised:
        await port.call("job.moveToCompleted", "w", id="1", returnValue=1, token="other")
    assert raised.value.problem.symbol == "JobLockMismatch"
    following = await port.call("job.moveToCompleted", "w", id="1", returnValue=1, token="t", fetchNext=True)
    assert (following["id"], following["name"]) == ("2", "b")
    assert await port.call("job.moveToFailed", "w", id="2", message="no", token="t") is None
    assert await port.call("job.isFailed", "q", id="2") is True
    with pytest.raises(CallRaised) as raised:
        await port.call("job.getState", "q", id="nobody")
    assert raised.value.problem.symbol == "JobNotExist"


async def test_a_death_takes_the_process(port: Port) -> None:
    await port.open("queue", "q")
    port.program += [{"end": {"die": True}}]
    await port.open("worker", "w")
    await port.call("queue.add", "q", name="n", data=None)
    await asyncio.wait_for(port.driver.process.wait(), 10)


async def test_the_clock_moves(port: Port) -> None:
    await port.call("clock.set", offsetMs=3_600_000)
    await port.open("queue", "q")
    job = await port.call("queue.add", "q", name="n", data=1)
    assert job["timestamp"] > time.time() * 1000 + 3_000_000


async def test_the_end_of_a_scenario_leaves_no_connection(port: Port) -> None:
    """Idle workers, held attempts and workers that were closed by force, whose timers the port leaves running."""
    await port.open("queue", "q")
    await port.open("worker", "idle")
    await port.open("worker", "gone")
    await port.call("worker.close", "gone", force=True)
    if port.driver.welcome.capabilities.events:
        await port.open("events", "e")
    await port.call("scenario.end", deadline=5_000)
    await until(port.connections, 0)
    await port.begin()
    await port.open("queue", "q")
    assert await port.call("queue.getJobCounts", "q", types=["waiting"]) is not None


async def test_queue_events_are_told_once_each(port: Port) -> None:
    """(T116)"""
    if not port.driver.welcome.capabilities.events:
        assert port.driver.welcome.version == "2.17.0"  # it reads none
        return
    await port.open("queue", "q")
    await port.call("queue.add", "q", name="n", data=1)
    await port.open("events", "e")

    async def events() -> list[Any]:
        return [(n["event"], n["args"]) for n in port.notices]

    await until(events, [("added", {"jobId": "1", "name": "n"}), ("waiting", {"jobId": "1"})])
