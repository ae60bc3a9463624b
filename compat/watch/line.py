"""A line to the node that serves a queue: one connection, which follows the queue when its slot moves."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    MovedError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeout

from compat.servers.server import Access
from compat.servers.url import Location, parse

T = TypeVar("T")

ANSWER_SECONDS: Final = 10.0
_JUMPS = 5  # MOVED in a row


class CannotLook(Exception):
    """The queue cannot be read. The text says why, and what to do. Holds no password."""


class Away(Exception):
    """The server cannot be asked just now."""


class Line:
    """Asks about one queue; `commands` counts what was sent."""

    def __init__(self, url: str, prefix: str, queue: str) -> None:
        location: Location = parse(url)
        self._access = location.access
        self._host, self._port = location.host, location.port
        self.prefix, self.queue = prefix, queue
        self._redis = _connect(self._host, self._port, self._access)
        self.commands = 0

    async def close(self) -> None:
        await self._redis.aclose()

    def key(self, part: str) -> bytes:
        return f"{self.prefix}:{self.queue}:{part}".encode("utf-8", "surrogateescape")

    async def together(self, commands: Sequence[tuple[Any, ...]], *, atomic: bool = False) -> list[Any]:
        """The answers, in which an error of one command (a wrong type, no such key) stands in its place."""

        async def ask(redis: Redis) -> list[Any]:
            pipe: Pipeline = redis.pipeline(transaction=atomic)
            for words in commands:
                pipe.execute_command(*words)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
            for answer in answers:
                if isinstance(answer, RedisError) and not _about_the_key(answer):
                    raise answer
            return answers

        self.commands += len(commands) + 2 * atomic
        return await self.ask(ask)

    async def ask(self, ask: Callable[[Redis], Awaitable[T]]) -> T:
        """Ask the node that serves the queue. Raises `Away` if it cannot be asked now, `CannotLook` if never."""
        for _ in range(_JUMPS):
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await ask(self._redis)
            except MovedError as error:
                await self._redis.aclose()
                self._host, self._port = error.host or self._host, error.port
                self._redis = _connect(self._host, self._port, self._access)
                self.moved()
            except (NoPermissionError, AuthenticationError) as error:
                raise CannotLook(f"{self.where} refuses: {self._said(error)}") from None
            except ssl.SSLError as error:
                raise CannotLook(f"{self.where}: {self._said(error)}; is it redis:// or rediss://?") from None
            except (BusyLoadingError, ConnectionError, RedisTimeout, OSError) as error:
                raise Away(f"{self.where}: {self._said(error)}") from None
            except ResponseError as error:
                raise CannotLook(f"{self.where} says: {self._said(error)}") from None
        raise Away(f"{self.where}: the queue's slot is on its way between nodes")

    def moved(self) -> None:
        """Called when another node is asked from now on."""

    @property
    def where(self) -> str:
        return f"{self._host}:{self._port}"

    def _said(self, error: Exception) -> str:
        said = str(error) or f"no answer in {ANSWER_SECONDS:g} s"
        return said.replace(self._access.password, "***") if self._access.password else said


def _connect(host: str, port: int, access: Access) -> Redis:
    """Without a name: CLIENT SETNAME would be one more permission."""
    return Redis(
        host=host,
        port=port,
        username=access.username,
        password=access.password,
        ssl=access.tls,
        db=access.db,
        protocol=2,
        single_connection_client=True,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=ANSWER_SECONDS,
        driver_info=None,
    )


def _about_the_key(error: Exception) -> bool:
    said = str(error)
    return said.startswith("WRONGTYPE") or "no such key" in said
