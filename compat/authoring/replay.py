"""A replay: a driver is told again what the harness told it once, and answers beside what was answered then."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal, cast

from msgspec import Struct, to_builtins

from compat.drivers.attached import Attached, is_attached
from compat.drivers.errors import Died
from compat.drivers.process import Process
from compat.drivers.transcript import Line
from compat.model.scenario import TopologyName
from compat.servers import Server, embedded

_PATIENCE = 10.0  # s for what came from the driver then, to come again


class Replayed(Struct, frozen=True):
    """One line, then and now. `missing`: it came then and does not now (or nobody is there to be told); `other`: it
    ends otherwise."""

    direction: Literal[">", "<"]
    word: Literal["sent", "same", "other", "missing"]
    text: str
    now: str = ""


async def replay(lines: Sequence[Line], command: tuple[str, ...]) -> AsyncGenerator[Replayed, None]:
    """Say the harness's lines to a fresh driver, each when what came before it then has come again.

    Scenarios get servers of ours. What the harness did itself (expired a key, moved a marker) is not in a transcript.
    Raises `DriverError` when the driver does not start, `ServerError` when there is no server.
    """
    process = await (Attached.connect(command) if is_attached(command) else Process.spawn(command))
    talk = _Talk(process)
    try:
        async with embedded("single") as single, embedded("cluster") as cluster:
            servers: dict[TopologyName, Server] = {"single": single, "cluster": cluster}
            for line in lines:
                if not isinstance(line.line, dict):
                    yield Replayed(line.direction, "other", f"no JSON: {line.line}")
                elif line.direction == ">":
                    if (said := await talk.say(await _placed(line.line, servers))) is None:
                        continue
                    yield said
                    if said.word == "missing":
                        return
                elif (found := await talk.hear(line.line)) is not None:
                    yield found
    finally:
        await talk.end()


class _Talk:
    """The conversation now. Requests of the driver's have other ids than then."""

    def __init__(self, process: Process | Attached) -> None:
        self._process = process
        self._inbox: list[dict[str, Any]] = []
        self._arrived = asyncio.Event()
        self._ids: dict[Any, Any] = {}  # the driver's request then → now
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for raw in self._process.lines():
            if raw.strip():
                self._inbox.append(json.loads(raw))
                self._arrived.set()

    async def say(self, message: dict[str, Any]) -> Replayed | None:
        """Tell the driver, unless it is the answer to what it asked then and has not asked now."""
        if "method" not in message:
            if (asked := self._ids.get(message.get("id"))) is None:
                return None
            message = {**message, "id": asked}
        try:
            self._process.write(json.dumps(message).encode())
        except Died as death:
            return Replayed(">", "missing", _words(message), death.text)
        return Replayed(">", "sent", _words(message))

    async def hear(self, then: dict[str, Any]) -> Replayed | None:
        """Wait for what came then. Notifications are not waited for: their order is the port's own."""
        if "method" in then and "id" not in then:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                while (now := self._take(then)) is None:
                    self._arrived.clear()
                    arrival = asyncio.create_task(self._arrived.wait())
                    await asyncio.wait({arrival, self._reader}, return_when=asyncio.FIRST_COMPLETED)
                    arrival.cancel()
                    if self._reader.done() and self._take(then, keep=True) is None:
                        return Replayed("<", "missing", _words(then), "the driver ended")
        except TimeoutError:
            return Replayed("<", "missing", _words(then), f"nothing of the kind in {_PATIENCE:g} s")
        if "method" in then:
            self._ids[then["id"]] = now["id"]
        return Replayed("<", "same" if _end(then) == _end(now) else "other", _words(then), _words(now))

    def _take(self, then: dict[str, Any], *, keep: bool = False) -> dict[str, Any] | None:
        for index, message in enumerate(self._inbox):
            asked = "method" in then and message.get("method") == then["method"]
            answered = "method" not in then and "method" not in message and message.get("id") == then.get("id")
            if asked or answered:
                return message if keep else self._inbox.pop(index)
        return None

    async def end(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._process.terminate()


async def _placed(message: dict[str, Any], servers: dict[TopologyName, Server]) -> dict[str, Any]:
    """A scenario begins on a server of ours, with a user of its own."""
    if message.get("method") != "scenario.begin":
        return message
    topology = cast("TopologyName", message["params"]["redis"]["topology"])
    server = servers[topology]
    user, password = f"replay{secrets.token_hex(3)}", secrets.token_hex(16)
    await server.add_user(user, password, message["params"]["prefix"])
    return {**message, "params": {**message["params"], "redis": to_builtins(server.address(user, password))}}


def _end(message: dict[str, Any]) -> object:
    """What two answers have in common when they mean the same: results differ in ids and times."""
    error = message.get("error")
    return (error.get("code"), (error.get("data") or {}).get("bullmq")) if error else "result"


def _words(message: dict[str, Any]) -> str:
    shown = {key: value for key, value in message.items() if key != "jsonrpc"}
    params = shown.get("params")
    if isinstance(params, dict) and "redis" in params:
        shown["params"] = {**params, "redis": "…"}
    return json.dumps(shown, ensure_ascii=False)
