"""The oracle's driver under test: launched as the harness launches it, with a harness that the test plays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from compat.drivers import CallRaised, Driver, command_for
from compat.servers import Server

BULLMQ = "5.62.0"


@dataclass
class Attempt:
    """A `processor.call` or `processor.gate`, waiting for the test's answer."""

    params: dict[str, Any]
    _answer: asyncio.Future[Any]

    @property
    def job(self) -> dict[str, Any]:
        job: dict[str, Any] = self.params["job"]
        return job

    def end(self, *do: dict[str, Any], **end: Any) -> None:
        """Answer a call: `attempt.end({"log": "a"}, throw="boom")`; `returns` stands for `return`."""
        if "returns" in end:
            end["return"] = end.pop("returns")
        self._answer.set_result({"do": list(do), "end": end})

    def release(self) -> None:
        """Open a gate."""
        self._answer.set_result(None)


@dataclass
class Oracle:
    """A driver with one scenario under way, and what it asked and told."""

    driver: Driver
    server: Server
    prefix: str
    attempts: asyncio.Queue[Attempt] = field(default_factory=asyncio.Queue)
    gates: asyncio.Queue[Attempt] = field(default_factory=asyncio.Queue)
    notices: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.driver.serve(self._asked, lambda method, params: self.notices.append(msgspec.json.decode(params)))

    async def _asked(self, method: str, params: msgspec.Raw) -> Any:
        attempt = Attempt(msgspec.json.decode(params), asyncio.get_running_loop().create_future())
        await (self.attempts if method == "processor.call" else self.gates).put(attempt)
        return await attempt._answer

    async def call(self, method: str, on: str | None = None, **params: Any) -> Any:
        if on is not None:
            params["on"] = on
        return await self.driver.call(method, params)

    async def refused(self, method: str, on: str | None = None, **params: Any) -> str:
        """The symbol of the error that a call ends with."""
        with pytest.raises(CallRaised) as raised:
            await self.call(method, on, **params)
        return raised.value.problem.symbol

    async def begin(self) -> None:
        redis = self.server.address(None, None, self.server.nodes[-1])
        params = {"id": "test", "prefix": self.prefix, "redis": msgspec.to_builtins(redis)}
        await self.driver.call("scenario.begin", params)

    async def open(self, kind: str, name: str = "q", queue: str = "mail", **opts: Any) -> None:
        """Open `name`, a queue, events or a worker (`processor=False` for one driven by hand)."""
        params: dict[str, Any] = {"as": name, "name": queue, "opts": opts}
        if "processor" in opts:
            params["processor"] = opts.pop("processor")
        await self.driver.call(f"{kind}.open", params)

    async def attempt(self) -> Attempt:
        return await asyncio.wait_for(self.attempts.get(), 10)

    async def gate(self) -> Attempt:
        return await asyncio.wait_for(self.gates.get(), 10)

    async def state(self, job: str, state: str) -> None:
        """Wait until a job is in `state`."""
        await until(lambda: self.call("queue.getJobState", "q", jobId=job), state)

    async def told(self, event: str, job: str = "", on: str = "w") -> dict[str, Any]:
        """Wait for a notification about the object `on` and return its parameters."""

        async def look() -> dict[str, Any] | None:
            found = (n for n in self.notices if (n["on"], n["event"], n["job"]) == (on, event, job))
            return next(found, None)

        found: dict[str, Any] = await until(look, f"{event} {job}", bool)
        return found

    async def stored(self, key: str) -> dict[str, str]:
        """A hash under the queue `mail`, as text."""
        full = f"{self.prefix}:mail:{key}"
        fields = await self.server.client(self.server.owner(full)).hgetall(full)
        return {name.decode(): value.decode("utf-8", "surrogateescape") for name, value in fields.items()}


async def until(look: Callable[[], Any], wanted: Any, matches: Callable[[Any], bool] | None = None) -> Any:
    """Ask again and again, 10 s at most, until `look()` gives what is wanted."""
    deadline = time.monotonic() + 10
    while True:
        seen = await look()
        if matches(seen) if matches else seen == wanted:
            return seen
        assert time.monotonic() < deadline, f"wanted {wanted}, last seen {seen}"
        await asyncio.sleep(0.005)


@pytest.fixture
async def driver() -> AsyncIterator[Driver]:
    """A driver after its handshake."""
    driver = await Driver.launch(command_for(f"node@{BULLMQ}"), bullmq=BULLMQ)
    yield driver
    await driver.close()


@pytest.fixture
async def oracle(driver: Driver, server: Server, prefix: str) -> AsyncIterator[Oracle]:
    """A driver in a scenario, on each topology."""
    oracle = Oracle(driver, server, prefix)
    await oracle.begin()
    yield oracle
    if driver.broken is None:
        await oracle.call("scenario.end")
    await server.delete_prefix(prefix)


@pytest.fixture
async def on_single(driver: Driver, single_server: Server, prefix: str) -> AsyncIterator[Oracle]:
    """A driver in a scenario, on one Redis: for what the topology cannot change."""
    oracle = Oracle(driver, single_server, prefix)
    await oracle.begin()
    yield oracle
    if driver.broken is None:
        await oracle.call("scenario.end")
    await single_server.delete_prefix(prefix)
