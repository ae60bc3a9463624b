"""Routes: the channels to the nodes of one Redis, and which of them leads to the owner of a slot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from redis import exceptions as redis_errors

from bullmq_ref.connection import Channel, Turn
from bullmq_ref.errors import ConnectionLost, from_reply
from bullmq_ref.log import Log
from bullmq_ref.reach import Address, RedisOptions, Server

_CLUSTER_PAUSE = 0.1  # s before a command is sent again after CLUSTERDOWN or TRYAGAIN, which have done nothing
_ASK_MS = 2_000  # ms that a node has to tell who owns a slot: another one may know as well

REDIRECTIONS = (
    redis_errors.MovedError,
    redis_errors.AskError,
    redis_errors.ClusterDownError,
    redis_errors.TryAgainError,
)


def is_ask(error: redis_errors.RedisError) -> bool:
    """Whether it is ASK and not MOVED, which is a kind of it for redis-py."""
    return isinstance(error, redis_errors.AskError) and not isinstance(error, redis_errors.MovedError)


class Routes:
    """`home` leads to the owner of `slot`. It looks for the owner anew whenever it connects, among all nodes of the
    Cluster that were ever seen: any of them may be gone by then.

    With `blocking` no reply is due at any time.
    """

    def __init__(
        self,
        options: RedisOptions,
        slot: int,
        client_name: str | None = None,
        *,
        blocking: bool = False,
        log: Log | None = None,
        turned: Callable[[int, Turn], None] | None = None,
    ) -> None:
        self._options = options
        self._slot = slot
        self._client_name = client_name
        self._blocking = blocking
        self._log, self._turned = log or Log(None), turned
        self._cluster = options.cluster  # or what turns out to be one
        self._nodes = dict.fromkeys(options.nodes)  # those that did not answer come last
        self._left: dict[Address | None, Channel] = {}  # to former owners; replies may be under way
        self._asides: dict[Address, Channel] = {}  # to nodes that ASK named
        self.owner: Address | None = None  # once known
        self.server: Server | None = None  # what was found at the other end
        self.home = self._open()

    async def way(self, error: redis_errors.RedisError) -> Channel:
        """Where to go after `error`, which says that nothing was done: after ASK to a node beside, else home, at once
        or in a while. Raises what the error means if it is no redirection."""
        if isinstance(error, redis_errors.MovedError):
            return self._move(self._address(error))
        if is_ask(error):
            return self._aside(self._address(error))
        if not isinstance(error, REDIRECTIONS):
            raise from_reply(error) from None
        await asyncio.sleep(_CLUSTER_PAUSE)
        return self.home

    async def close(self, *, now: bool = False) -> None:
        channels = (self.home, *self._left.values(), *self._asides.values())
        await asyncio.gather(*(channel.close(now=now) for channel in channels))

    def _address(self, error: Any) -> Address:
        """A node that does not know its own name leaves it out: it is the one that was asked."""
        return (error.host or (self.owner or self._options.nodes[0])[0], error.port)

    def _move(self, address: Address) -> Channel:
        """The slot has another owner now. The channel to the old one stays open until `close`."""
        self._cluster = True
        if address != self.owner:
            self._nodes.setdefault(address)
            self._left[self.owner] = self.home
            self.owner = address
            self.home = self._left.pop(address) if address in self._left else self._open()
        return self.home

    def _aside(self, address: Address) -> Channel:
        if address not in self._asides:
            self._asides[address] = self._open(address)
        return self._asides[address]

    def _open(self, aside: Address | None = None) -> Channel:
        async def connect() -> Any:
            reached = await self._options.connect(aside or await self._find_owner(), self._client_name)
            if self.server is None and not self._blocking and not self._options.skip_version_check:
                for warning in reached.server.warnings():
                    self._log.warning("%s", warning)
            self.server = reached.server
            return reached.connection

        first = self._options.path or "{}:{}".format(*self._options.nodes[0])
        timeout = None if self._blocking else self._options.reply_timeout
        return Channel(
            connect,
            name="{}:{}".format(*aside) if aside else first,
            max_attempts=1 if aside else self._options.max_reconnect_attempts,
            patience=None if timeout is None else timeout / 1000,
            log=self._log,
            turned=self._turned,
        )

    async def _find_owner(self) -> Address:
        """Where the slot lives now: the one address given, or what any node of the Cluster says."""
        if not self._cluster:
            return self._options.nodes[0]
        first = () if self.owner is None else (self.owner,)
        failures: list[str] = []
        for address in dict.fromkeys((*first, *self._nodes)):
            try:
                ranges = await self._slots(address)
            except (redis_errors.AuthenticationError, redis_errors.ResponseError):
                raise  # the others will not let us in either
            except (redis_errors.RedisError, OSError) as error:
                failures.append(f"{address[0]}:{address[1]}: {error}")
                self._nodes.pop(address, None)
                self._nodes[address] = None
                self.owner = None if address == self.owner else self.owner
                continue
            for start, end, *members in ranges:
                found = [(member[0] or address[0], int(member[1])) for member in members]
                self._nodes |= dict.fromkeys(found)
                if start <= self._slot <= end:
                    self.owner = found[0]
                    return self.owner
            failures.append(f"{address[0]}:{address[1]}: nobody owns slot {self._slot}")
        raise ConnectionLost(f"No node of the Cluster told who owns slot {self._slot}: {'; '.join(failures)}")

    async def _slots(self, address: Address) -> Any:
        """CLUSTER SLOTS of one node."""
        patience = min(self._options.connect_timeout, _ASK_MS)
        options = replace(self._options, db=0, connect_timeout=patience, skip_version_check=True)
        connection = (await options.connect(address, None)).connection
        try:
            async with asyncio.timeout(patience / 1000):
                await connection.send_command("CLUSTER", "SLOTS")
                return await connection.read_response()
        finally:
            await connection.disconnect(nowait=True)
