"""A server: one Redis or one Cluster, open, as the harness uses it beside the drivers."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from compat.model.scenario import TopologyName
from compat.protocol import messages
from compat.servers.errors import ServerError
from compat.servers.node import Node, masters, slot_of

#: What a driver's user may do: all that a BullMQ client needs, nothing that reaches beyond keys and connections. (Redis
#: 6.2 counts all of CLUSTER and of CLIENT among @admin, so what is needed of them is named.)
RULES = (
    *("&*", "+@all", "-@admin", "-flushall", "-flushdb", "-swapdb", "-migrate", "+client"),
    *(f"+cluster|{name}" for name in ("slots", "nodes", "shards", "info", "keyslot", "myid")),
)
SCAN_COUNT = 1000
CONNECT_SECONDS = 5.0
LOOK_SECONDS = 2.0
CLIENT_NAME = "bullmq-compat"  # of the harness's own connections


@dataclass(frozen=True)
class Access:
    """How one gets in, beyond host and port."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    db: int = 0


class Power(Protocol):
    """Switches nodes off and on, by port (see `compat.servers.process.Processes`)."""

    def kill(self, port: int) -> None: ...
    def restart(self, port: int, *options: str) -> None: ...
    def is_up(self, port: int) -> bool: ...
    def freeze(self, port: int) -> None: ...
    def thaw(self, port: int) -> None: ...


class Server:
    """An open server: `nodes` are its masters, one with all slots if it is single.

    `nodes` are as they were when it opened, or at the last `look_again`: a failover or a migration changes them.

    `own`: this harness started it, so users may be made, faults injected and stray keys looked for. A server that was
    given by URL belongs to others: only keys under the harness's own prefixes are touched. Nothing is ever flushed.
    """

    def __init__(
        self,
        topology: TopologyName,
        nodes: tuple[Node, ...],
        title: str,
        version: str,
        *,
        own: bool,
        access: Access | None = None,
        warnings: tuple[str, ...] = (),
        replicas: tuple[Node, ...] = (),
        power: Power | None = None,
        durable: bool = False,
    ) -> None:
        self.topology = topology
        self.nodes = nodes
        self.title = title  # "valkey 9.1.2, embedded, 3 masters"
        self.version = version
        self.own = own
        self.warnings = warnings  # what a given server does not have as it should
        self.replicas = replicas
        self._power = power
        self._durable = durable  # nodes that are started again know their users
        self._access = access or Access()
        self._clients: dict[tuple[str, int], Redis] = {}

    def __repr__(self) -> str:
        return f"<Server {self.title} at {', '.join(map(str, self.nodes))}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the harness's connections."""
        while self._clients:
            _, client = self._clients.popitem()
            await client.aclose()

    @property
    def power(self) -> Power:
        """The switches of its nodes. Raises `ServerError` if they are not processes of this harness's own."""
        if self._power is None:
            raise ServerError(
                f"{self.title} was given by URL: the harness cannot kill or freeze its nodes",
                expected="a server of the harness's own: only there nodes are killed and frozen",
                remedy="run with --server embedded or container",
            )
        return self._power

    def runs(self, node: Node) -> bool:
        """Whether its process is there, as far as the harness knows."""
        return self._power is None or self._power.is_up(node.port)

    async def look_again(self, *first: Node) -> None:
        """See which masters there are now and what they own, in a Cluster; `first` are asked before the others. Raises
        `ServerError` if no node tells."""
        if self.topology == "single":
            return
        for node in dict.fromkeys((*first, *self.nodes, *self.replicas)):
            if not self.runs(node):
                continue
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    ranges = await self.client(node).execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
            except TimeoutError:
                continue  # frozen
            everybody = {(n.host, n.port) for n in (*self.nodes, *self.replicas)}
            self.nodes = masters(ranges, node.host)
            rest = everybody - {(n.host, n.port) for n in self.nodes}
            self.replicas = tuple(Node(host, port, ()) for host, port in sorted(rest))
            return
        raise ServerError(f"no node of {self.title} runs", expected="one at least", remedy="start one again")

    def owner(self, key: str) -> Node:
        """The master that serves `key`."""
        return self.owner_of(slot_of(key))

    def owner_of(self, slot: int) -> Node:
        """The master that serves `slot`."""
        return next(node for node in self.nodes if node.owns(slot))

    def client(self, node: Node) -> Redis:
        """The harness's connections to one node: answers in bytes, no time limit, no command sent twice."""
        address = (node.host, node.port)
        if address not in self._clients:
            self._clients[address] = connect(node, self._access)
        return self._clients[address]

    def address(self, user: str | None, password: str | None, first: Node | None = None) -> messages.Redis:
        """What a driver is told. Without a `user` it is the one the server was given with. `first` leads the nodes."""
        access = self._access if user is None else Access(user, password, self._access.tls, self._access.db)
        nodes = sorted(self.nodes, key=lambda node: node != first)
        return messages.Redis(
            topology=self.topology,
            nodes=tuple((node.host, node.port) for node in nodes),
            username=access.username,
            password=access.password,
            tls=access.tls,
            db=access.db,
        )

    async def add_user(self, name: str, password: str, prefix: str | None = None) -> None:
        """Make a user for a driver on every node (see `RULES`), so that its connections can be told apart.

        With a `prefix` it may touch keys under `<prefix>:` only: what it tries beside that is refused and noted.
        """
        self.must_be_own("users are made")
        digest = hashlib.sha256(password.encode()).hexdigest()
        keys = "~*" if prefix is None else f"~{_glob(prefix)}:*"
        for node in (*self.nodes, *self.replicas):
            await self._call(node, "ACL", "SETUSER", name, "reset", "on", f"#{digest}", keys, *RULES)
            if self._durable:
                await self._call(node, "ACL", "SAVE")

    async def remove_user(self, name: str) -> tuple[str, ...]:
        """Remove a driver's user from every node; Redis closes its connections. The keys it was refused, sorted."""
        self.must_be_own("users are removed")
        refused: set[str] = set()
        for node in (*self.nodes, *self.replicas):
            for entry in await self.client(node).acl_log():
                if entry["username"] == name and entry["reason"] == "key":
                    refused.add(str(entry["object"]))
            await self._call(node, "ACL", "DELUSER", name)
        return tuple(sorted(refused))

    async def stray_keys(self, known_prefixes: Collection[str]) -> list[str]:
        """All keys, sorted, that lie under none of the prefixes (`<prefix>:…`): somebody wrote where it must not."""
        self.must_be_own("stray keys are looked for")
        known = tuple(f"{prefix}:".encode("utf-8", "surrogateescape") for prefix in known_prefixes)
        strays = {
            key.decode("utf-8", "surrogateescape")
            for node in self.nodes
            async for keys in self._scan(node, "*")
            for key in keys
            if not key.startswith(known)
        }
        return sorted(strays)

    async def delete_prefix(self, prefix: str) -> int:
        """Delete every key under `<prefix>:` on every node, and return how many there were."""
        if not prefix:
            raise ValueError("an empty prefix would delete keys of others")
        pattern = _glob(prefix) + ":*"
        deleted = 0
        for node in self.nodes:
            async for keys in self._scan(node, pattern):
                async with self.client(node).pipeline(transaction=False) as pipeline:
                    for key in keys:  # one by one: in Cluster they may lie in different slots
                        pipeline.unlink(key)
                    deleted += sum(await pipeline.execute())
        return deleted

    async def _call(self, node: Node, *words: str) -> None:
        await self.client(node).execute_command(*words)  # type: ignore[no-untyped-call]

    async def _scan(self, node: Node, pattern: str) -> AsyncIterator[list[bytes]]:
        cursor = 0
        while True:
            cursor, keys = await self.client(node).scan(
                cursor, match=pattern.encode("utf-8", "surrogateescape"), count=SCAN_COUNT
            )
            if keys:
                yield [key for key in keys if isinstance(key, bytes)]
            if cursor == 0:
                return

    def must_be_own(self, what: str) -> None:
        """Raise `ServerError`, saying that only on the harness's own servers `what`, if others own it."""
        if not self.own:
            raise ServerError(
                f"{self.title} was given by URL",
                expected=f"a server of the harness's own: only there {what}",
                remedy="run without a URL",
            )


def _glob(prefix: str) -> str:
    """`prefix` as a pattern that matches nothing but itself."""
    return re.sub(r"([\\*?\[\]])", r"\\\1", prefix)


def connect(node: Node, access: Access) -> Redis:
    """A client with the rules of `Server.client`."""
    return Redis(
        host=node.host,
        port=node.port,
        username=access.username,
        password=access.password,
        ssl=access.tls,
        db=access.db,
        client_name=CLIENT_NAME,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,
        socket_connect_timeout=CONNECT_SECONDS,
    )
