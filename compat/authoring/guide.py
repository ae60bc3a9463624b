"""The guide of a walk: it holds the driver, answers what it asks, and looks into Redis."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec

from compat.drivers import Driver
from compat.model.program import End
from compat.model.scenario import TopologyName
from compat.protocol.messages import Begin, GateCall, ObjectEvent, ProcessorAnswer, ProcessorCall
from compat.servers import CLIENT_NAME, Server

T = TypeVar("T")

PATIENCE = 5.0  # s for what the driver does of its own accord
_POLL = 0.01


class Wrong(Exception):
    """A step went wrong. `final`: there is nothing to go on with."""

    def __init__(
        self, seen: str, expected: str, remedy: str, *, final: bool = False, stderr: tuple[str, ...] = ()
    ) -> None:
        super().__init__(seen)
        self.seen, self.expected, self.remedy, self.final, self.stderr = seen, expected, remedy, final, stderr


class Unreached(Exception):
    """A step has nothing to stand on, since an earlier one went wrong."""


class Guide:
    """One driver on its way through the protocol."""

    def __init__(self, launch: Callable[[], Awaitable[Driver]], servers: Mapping[TopologyName, Server]) -> None:
        self._launch, self._servers = launch, servers
        self._driver: Driver | None = None
        self._scenarios = 0
        self._user = ""
        self.works = False  # a worker has been seen at work
        self.server = servers["single"]
        self.prefix = ""
        self.answers: list[ProcessorAnswer] = []  # what the next attempts shall do
        self.calls: list[ProcessorCall] = []
        self.gates: list[GateCall] = []
        self.open_gate = asyncio.Event()
        self.events: list[ObjectEvent] = []

    @property
    def driver(self) -> Driver:
        assert self._driver is not None, "the first step launches it"
        return self._driver

    @property
    def stderr(self) -> tuple[str, ...]:
        return self._driver.process.stderr[-10:] if self._driver is not None else ()

    async def launch(self) -> Driver:
        """Start the driver and shake hands."""
        self._driver = await self._launch()
        return self._driver

    async def call(self, method: str, **params: Any) -> Any:
        return await self.driver.call(method, params)

    def lacks(self, *methods: str) -> str | None:
        """What of these methods (`queue.add`) the driver does not offer, in words; None when it has them all."""
        offered = msgspec.to_builtins(self.driver.welcome.capabilities)
        missing = [name for name in methods if name.partition(".")[2] not in offered.get(name.partition(".")[0], ())]
        return f"not in `capabilities`: {', '.join(missing)}" if missing else None

    # --- scenarios ---------------------------------------------------------------------------------------------------

    async def begin(self, topology: TopologyName = "single") -> None:
        """A new scenario with a prefix and a Redis user of its own."""
        self._scenarios += 1
        self.server = self._servers[topology]
        stem = f"check-{self._scenarios}"
        self.prefix = f"{{{stem}}}" if topology == "cluster" else stem
        self._user, password = f"check{self._scenarios}", secrets.token_hex(16)
        await self.server.add_user(self._user, password, self.prefix)
        self.answers, self.calls, self.gates, self.events = [], [], [], []
        self.open_gate = asyncio.Event()
        self.driver.serve(self._serve, self._listen)
        owner = self.server.owner(f"{self.prefix}:mail:meta")
        other = next((node for node in self.server.nodes if node != owner), owner)  # so that no slot is met by luck
        redis = self.server.address(self._user, password, other)
        await self.driver.call("scenario.begin", Begin(f"check/{self._scenarios}", self.prefix, redis))

    async def logged_in(self) -> None:
        """The driver is connected as the user of its scenario. Raises `Wrong` when only others are."""
        users = [user for user, name in await self._connections() if name != CLIENT_NAME]
        if users and self._user not in users:
            raise Wrong(
                f"a connection of the user {shown(users[0])}", f"connections of the user {shown(self._user)}",
                "log in with the `username` and `password` of `scenario.begin`: they show what is beside the prefix",
            )  # fmt: skip

    async def _connections(self) -> list[tuple[str, str]]:
        """User and name of each connection to the node that owns the queue."""
        node = self.server.owner(f"{self.prefix}:mail:meta")
        rows = await self.server.client(node).client_list()
        return [(str(row.get("user", "")), str(row.get("name", ""))) for row in rows]

    async def end(self) -> tuple[str, ...]:
        """End the scenario; the keys beside its prefix that the driver tried to touch."""
        await self.call("scenario.end")
        try:
            await self.soon(
                self._hung_up, "no connection of the scenario any more",
                "close every connection before `scenario.end` is answered",
            )  # fmt: skip
        finally:
            refused = await self._forget_user()
        return refused

    async def _hung_up(self) -> bool | None:
        return True if self._user not in [user for user, _ in await self._connections()] else None

    async def close(self) -> None:
        """End the driver."""
        if self._driver is not None:
            await self._driver.close()

    async def _forget_user(self) -> tuple[str, ...]:
        user, self._user = self._user, ""
        return await self.server.remove_user(user) if user else ()

    # --- what the driver asks and tells ------------------------------------------------------------------------------

    async def _serve(self, method: str, params: msgspec.Raw) -> Any:
        if method == "processor.call":
            self.calls.append(msgspec.json.decode(params, type=ProcessorCall))
            return self.answers.pop(0) if self.answers else ProcessorAnswer(End(returned=None))
        if method == "processor.gate":
            self.gates.append(msgspec.json.decode(params, type=GateCall))
            await self.open_gate.wait()
            return None
        raise msgspec.ValidationError(f"the harness has no method `{method}`")

    def _listen(self, method: str, params: msgspec.Raw) -> None:
        if method in ("worker.event", "queue.event"):
            self.events.append(msgspec.json.decode(params, type=ObjectEvent))

    # --- looking -----------------------------------------------------------------------------------------------------

    async def redis(self, *words: str) -> Any:
        """One command on the node that owns the queue `mail`, as the harness itself."""
        node = self.server.owner(f"{self.prefix}:mail:meta")
        return await self.server.client(node).execute_command(*words)  # type: ignore[no-untyped-call]

    def key(self, name: str) -> str:
        return f"{self.prefix}:mail:{name}"

    async def field(self, job: str, name: str) -> str | None:
        """A field of a job's hash."""
        value = await self.redis("HGET", self.key(job), name)
        return None if value is None else value.decode("utf-8", "replace")

    async def soon(self, look: Callable[[], Awaitable[T | None]], expected: str, remedy: str) -> T:
        """Look until something is there. Raises `Wrong`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while loop.time() < end:
            if (found := await look()) is not None:
                return found
            if self.driver.broken is not None:
                raise self.driver.broken
            await asyncio.sleep(_POLL)
        raise Wrong(f"nothing of the kind in {PATIENCE:g} s", expected, remedy)


async def open_queue(guide: Guide) -> None:
    """The queue `mail`, as `q`."""
    await guide.call("queue.open", **{"as": "q", "name": "mail", "opts": {}})


def shown(value: object) -> str:
    """A value in a message, cut where it grows too long."""
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}…"
