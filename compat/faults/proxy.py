"""A proxy: stands between a client and its Redis, and lets those faults happen that lie in wait on the way."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections import deque
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

import hiredis

from compat.faults.replies import Replies
from compat.servers import Node

_BLOCK = 65536
_BLOCKING = frozenset({b"BZPOPMIN", b"XREAD", b"BLPOP", b"BRPOP"})
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST
_LOWEST = 10_000  # port: as many digits as a node's, so that texts which hold one stay as long as they say

#: Where a Cluster names a node's port: CLUSTER SLOTS, NODES and redirections after its host, CLUSTER SHARDS by name.
_PORT = re.compile(rb"(127\.0\.0\.1(?:\r\n)?:|\$4\r\nport\r\n:)(\d+)")
_REDIRECTIONS = (b"-MOVED ", b"-ASK ")


class Lurking(Protocol):
    """What lies in wait for a command."""

    def meets(self, command: list[bytes]) -> bool:
        """Whether it is this one, which is about to be passed on. If so, it waits for no other."""
        ...

    async def befall(self, link: Link) -> None:
        """Let it happen. Raises EOFError when the command must not be passed on."""
        ...

    def spares(self, reply: bytes) -> bool:
        """Whether the client may have the reply that it asked the link to look out for (see `Link.watch`)."""
        ...


class Proxy:
    """Listens on free ports of 127.0.0.1, one for each of `nodes`, and passes on in both directions, until a fault is
    struck. Where a Cluster tells its nodes' ports, clients are told the proxy's: none finds a way round it.

    `port` leads to the first node, `doors[port]` to the node with that port. `passed` counts the commands that went to
    Redis. Use it as a context manager; it closes what is open.
    """

    def __init__(self, *nodes: Node) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.doors: dict[int, int] = {}
        self.passed = 0
        self.links: set[Link] = set()
        self.frozen = False
        self.armed: list[Lurking] = []
        self._nodes = nodes
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        try:
            for node in self._nodes:
                self.doors[node.port] = await self._listen(node)
        except BaseException:
            await self._close()
            raise
        self.port = self.doors[self._nodes[0].port]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _listen(self, node: Node) -> int:
        while True:
            server = await asyncio.start_server(partial(self._accept, node), self.host, 0)
            self._servers.append(server)
            port: int = server.sockets[0].getsockname()[1]
            if port >= _LOWEST:
                return port

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [link.task for link in self.links]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    async def _accept(self, node: Node, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        link = Link(self, node, task, reader, writer)
        self.links.add(link)
        try:
            await link.run()
        except (OSError, asyncio.CancelledError):
            pass  # one end is gone, or the proxy closes; asyncio would report a handler's cancellation as an error
        finally:
            self.links.discard(link)


class Link:
    """One client's connection and the one to `node` that belongs to it."""

    def __init__(
        self,
        proxy: Proxy,
        node: Node,
        task: asyncio.Task[None],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.task, self.node = task, node
        self._proxy = proxy
        self._reader, self._writer = reader, writer
        self._asked: deque[bytes] = deque()  # names of the commands that are not answered yet
        self._even = asyncio.Event()  # every command is answered
        self._even.set()
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._watched: tuple[int, Lurking] | None = None  # how many replies come before it
        if proxy.frozen:
            self.freeze()

    @property
    def blocked(self) -> bool:
        """Whether the client waits for the reply to a command that blocks."""
        return bool(self._asked) and self._asked[-1] in _BLOCKING

    def freeze(self) -> None:
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def reset(self) -> None:
        """RST to the client; Redis sees an end."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()

    def watch(self, fault: Lurking) -> None:
        """Ask `fault` about the reply to the next command; until then the client gets none."""
        self._watched = len(self._asked), fault

    async def answered(self) -> None:
        """Wait until every command that was passed on is answered."""
        await self._even.wait()

    async def run(self) -> None:
        """Pass on until either end is gone."""
        up: asyncio.StreamWriter | None = None
        try:
            await self._thawed.wait()
            from_redis, up = await asyncio.open_connection(self.node.host, self.node.port)
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
            passing: list[bytes] = []
            while (command := commands.gets()) is not False:
                if met := [fault for fault in tuple(self._proxy.armed) if fault.meets(command)]:
                    up.write(b"".join(passing))
                    passing.clear()
                    for fault in met:
                        await fault.befall(self)
                self._proxy.passed += 1
                self._asked.append(command[0].upper())
                self._even.clear()
                passing.append(_packed(command))
            up.write(b"".join(passing))
            await up.drain()
        await self._thawed.wait()  # nor does the end of a client come through
        raise EOFError

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(_BLOCK)
        except ConnectionError:
            return b""

    async def _downwards(self, from_redis: asyncio.StreamReader) -> None:
        replies = Replies()
        passing: list[bytes] = []
        while chunk := await from_redis.read(_BLOCK):
            await self._thawed.wait()
            for reply in replies.cut(chunk):
                asked = self._asked.popleft() if self._asked else b""
                addresses = asked == b"CLUSTER" or reply.startswith(_REDIRECTIONS)
                passing.append(_PORT.sub(self._door, reply) if addresses else reply)
                self._look_out(reply)
            if self._watched is None:
                self._writer.write(b"".join(passing))
                passing.clear()
                await self._writer.drain()
            if not self._asked:
                self._even.set()
        raise EOFError

    def _look_out(self, reply: bytes) -> None:
        """Raises EOFError when this is the reply that the client must not get."""
        if self._watched is None:
            return
        before, fault = self._watched
        if before > 0:
            self._watched = before - 1, fault
        elif fault.spares(reply):
            self._watched = None
        else:
            self.reset()
            raise EOFError

    def _door(self, named: re.Match[bytes]) -> bytes:
        port = int(named[2])
        return named[1] + str(self._proxy.doors.get(port, port)).encode()


def is_redirection(reply: bytes) -> bool:
    """Whether a reply sends its client to another node."""
    return reply.startswith(_REDIRECTIONS)


def _packed(command: list[Any]) -> bytes:
    """A command as its client wrote it."""
    packed: bytes = hiredis.pack_command(tuple(command))
    return packed
