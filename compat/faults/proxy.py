"""A proxy: stands between a client and one Redis node, and loses what it is told to lose."""

from __future__ import annotations

import asyncio
import socket
import struct
from types import TracebackType
from typing import Any, Self

import hiredis

from compat.faults import catalogue
from compat.faults.fault import Fault
from compat.servers import Node

_BLOCK = 65536
_BLOCKING = frozenset({b"BZPOPMIN", b"XREAD", b"BLPOP", b"BRPOP"})
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Proxy:
    """Listens on a free port of 127.0.0.1 and passes on to `node`, in both directions, until a fault is struck.

    `passed` counts the commands that went to Redis. Use it as a context manager; it closes what is open.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self.host = "127.0.0.1"
        self.port = 0
        self.passed = 0
        self.links: set[Link] = set()
        self.frozen = False
        self.armed: ReplyLost | None = None
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        tasks = [link.task for link in self.links]
        for link in tuple(self.links):
            link.task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        link = Link(self, task, reader, writer)
        self.links.add(link)
        try:
            await link.run()
        except (OSError, asyncio.CancelledError):
            pass  # one end is gone, or the proxy closes; asyncio would report a handler's cancellation as an error
        finally:
            self.links.discard(link)


class Link:
    """One client's connection and the one to Redis that belongs to it."""

    def __init__(
        self, proxy: Proxy, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.task = task
        self._proxy = proxy
        self._reader, self._writer = reader, writer
        self._commands = self._replies = 0
        self._last = b""  # command
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._happened = asyncio.Event()
        self._doomed_at = 0  # the number of the reply that the client shall not get; 0: none
        if proxy.frozen:
            self.freeze()

    @property
    def blocked(self) -> bool:
        """Whether the client waits for the reply to a command that blocks."""
        return self._replies < self._commands and self._last.upper() in _BLOCKING

    def freeze(self) -> None:
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def reset(self) -> None:
        """RST to the client; Redis sees an end."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()

    async def run(self) -> None:
        """Pass on until either end is gone."""
        up: asyncio.StreamWriter | None = None
        try:
            await self._thawed.wait()
            from_redis, up = await asyncio.open_connection(self._proxy.node.host, self._proxy.node.port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._upwards(up))
                both.create_task(self._downwards(from_redis))
        except* (ConnectionError, EOFError):
            pass
        finally:
            for writer in (self._writer, up):
                if writer is not None:
                    writer.transport.abort()

    async def _upwards(self, up: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        while chunk := await self._read():
            await self._thawed.wait()
            commands.feed(chunk)
            while (command := commands.gets()) is not False:
                if not self._pass(command):
                    raise EOFError
            up.write(chunk)
            await up.drain()
        await self._thawed.wait()  # nor does the end of a client come through
        raise EOFError

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(_BLOCK)
        except ConnectionError:
            return b""

    def _pass(self, command: Any) -> bool:
        """Count one command; False when it must not reach Redis."""
        self._commands += 1
        self._last = command[0]
        armed = self._proxy.armed
        if armed is not None and any(armed.word in word.lower() for word in command):
            self._proxy.armed = None
            if not armed.carried_out:
                self.reset()
                armed.happened.set()
                return False
            self._doomed_at, self._happened = self._commands, armed.happened
        self._proxy.passed += 1
        return True

    async def _downwards(self, from_redis: asyncio.StreamReader) -> None:
        replies = hiredis.Reader()
        while chunk := await from_redis.read(_BLOCK):
            await self._thawed.wait()
            replies.feed(chunk)
            while replies.gets() is not False:
                self._replies += 1
            if not self._doomed_at:
                self._writer.write(chunk)
                await self._writer.drain()
            elif self._replies >= self._doomed_at:
                self.reset()
                self._happened.set()
                raise EOFError
        raise EOFError


class ProxyFault(Fault):
    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self.proxy = proxy


class ReplyLost(ProxyFault):
    """The next command with `word` in one of its words, whatever the case, is carried out; instead of its reply, and of
    any that would have come with it, the client gets a reset. `happened` tells when. `carried_out=False`: Redis does
    not get it either."""

    about = catalogue.REPLY_LOST

    def __init__(self, proxy: Proxy, word: bytes, *, carried_out: bool = True) -> None:
        super().__init__(proxy)
        self.word, self.carried_out = word.lower(), carried_out
        self.happened = asyncio.Event()

    async def _strike(self) -> None:
        self.proxy.armed = self

    async def _mend(self) -> None:
        self.proxy.armed = None


class ConnectionReset(ProxyFault):
    """Every connection is reset, whatever is under way."""

    about = catalogue.CONNECTION_RESET

    async def _strike(self) -> None:
        for link in tuple(self.proxy.links):
            link.reset()


class HalfOpen(ProxyFault):
    """Nothing goes through any more, either way, not even an end, and nobody is told; new connections are accepted and
    carry nothing, unless `anew`. With `blocked`, only where a client waits in a blocking command (true), or does not
    (false). The mending lets all through that has been held back."""

    about = catalogue.HALF_OPEN

    def __init__(self, proxy: Proxy, *, blocked: bool | None = None, anew: bool = False) -> None:
        super().__init__(proxy)
        self.blocked, self.anew = blocked, anew

    async def _strike(self) -> None:
        self.proxy.frozen = not self.anew
        for link in self.proxy.links:
            if self.blocked in (None, link.blocked):
                link.freeze()

    async def _mend(self) -> None:
        self.proxy.frozen = False
        for link in self.proxy.links:
            link.thaw()
