"""A driver with somebody between: what it hears, says and sends to Redis is changed on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
from faults import Talk, Wire

DRIVER = (sys.executable, "-m", "compat.ports.reference")
LIMIT = 2**24

#: What is changed of the messages, and of the commands.
Seed = tuple[Talk, Wire | None]


class Between:
    """Sits between the harness and the driver, and with a `Wire` between the driver and a single Redis. `seed` is
    asked whenever a scenario begins."""

    def __init__(self, seed: Callable[[], Seed], driver: Sequence[str] = DRIVER) -> None:
        self._seed, self._driver = seed, driver
        self._talk, self._wire = seed()
        self._methods: dict[Any, str] = {}
        self._proxies: list[asyncio.Server] = []

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        driver = await asyncio.create_subprocess_exec(
            *self._driver, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LIMIT
        )
        assert driver.stdin is not None and driver.stdout is not None
        harness = asyncio.StreamReader(limit=LIMIT)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(harness), sys.stdin)
        down = asyncio.create_task(self._pass(harness, driver.stdin.write, self._heard))
        up = asyncio.create_task(self._pass(driver.stdout, self._say, self._said))
        await asyncio.wait({down, up}, return_when=asyncio.FIRST_COMPLETED)
        driver.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await driver.wait()
        down.cancel()
        self._close_proxies()
        if driver.returncode:
            sys.exit(driver.returncode if driver.returncode > 0 else 1)

    @staticmethod
    def _say(line: bytes) -> None:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, write: Callable[[bytes], None], change: Any) -> None:
        while line := await reader.readline():
            message = await change(json.loads(line))
            if message is not None:
                write(json.dumps(message).encode() + b"\n")

    async def _heard(self, message: dict[str, Any]) -> dict[str, Any]:
        method = message.get("method")
        if method is not None:
            self._methods[message["id"]] = method
        redis = None
        if method == "scenario.begin":
            redis = message["params"]["redis"]
            self._talk, self._wire = self._seed()
            self._close_proxies()
        struck = redis is not None and message["params"]["id"].startswith("fault/")  # two proxies are one too many
        if redis is not None and redis["topology"] == "single" and self._wire is not None and not struck:
            redis["nodes"] = [await self._proxied(*node) for node in redis["nodes"]]
        return self._talk.ask(message) if method is not None else message

    async def _said(self, message: dict[str, Any]) -> dict[str, Any] | None:
        if "result" in message and (method := self._methods.pop(message["id"], None)) is not None:
            return {**message, "result": self._talk.answer(method, message["result"])}
        if "method" in message and "id" not in message:
            return self._talk.tell(message)
        return message

    # --- Redis -------------------------------------------------------------------------------------------------------

    def _close_proxies(self) -> None:
        for proxy in self._proxies:
            proxy.close()
        self._proxies.clear()

    async def _proxied(self, host: str, port: int) -> list[Any]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            from_redis, to_redis = await asyncio.open_connection(host, port)
            both = [
                asyncio.create_task(self._commands(reader, to_redis)),
                asyncio.create_task(self._replies(from_redis, writer)),
            ]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in both:
                task.cancel()
            writer.close()
            to_redis.close()

        proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._proxies.append(proxy)
        return ["127.0.0.1", proxy.sockets[0].getsockname()[1]]

    async def _commands(self, reader: asyncio.StreamReader, to_redis: asyncio.StreamWriter) -> None:
        assert self._wire is not None
        commands = hiredis.Reader()
        while chunk := await reader.read(65536):
            commands.feed(chunk)
            while (command := commands.gets()) is not False:
                words = self._wire.change(list(command))
                head = [b"*%d\r\n" % len(words)]
                to_redis.write(b"".join([*head, *(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)]))

    @staticmethod
    async def _replies(from_redis: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await from_redis.read(65536):
            writer.write(chunk)
