"""Faults of a node that runs on: it drops its clients, forgets scripts, evicts, is full, or may not write."""

from __future__ import annotations

from typing import ClassVar

from compat.faults import catalogue
from compat.faults.fault import NodeFault, come_true
from compat.servers import CLIENT_NAME, Node, Server


class ConnectionsKilled(NodeFault):
    """CLIENT KILL of every connection but the harness's own; with `user`, of that user's only; with `blocked`, of those
    that wait in a blocking command (true), or do not (false). `killed`: how many."""

    about = catalogue.CONNECTIONS_KILLED

    def __init__(
        self, server: Server, node: Node | None = None, *, user: str | None = None, blocked: bool | None = None
    ) -> None:
        super().__init__(server, node)
        self.user, self.blocked = user, blocked
        self.killed = 0

    async def _strike(self) -> None:
        for client in await self.server.client(self.node).client_list():
            ours = client["name"] == CLIENT_NAME or client["flags"] in ("S", "M")
            meant = self.user in (None, client["user"]) and self.blocked in (None, "b" in client["flags"])
            if meant and not ours:
                self.killed += int(await self.call("CLIENT", "KILL", "ID", client["id"]))


class ScriptsFlushed(NodeFault):
    """SCRIPT FLUSH."""

    about = catalogue.SCRIPTS_FLUSHED

    async def _strike(self) -> None:
        await self.call("SCRIPT", "FLUSH")


class _Configured(NodeFault):
    """Settings that are changed, and set back to what they were."""

    changes: ClassVar[dict[str, str]]

    def __init__(self, server: Server, node: Node | None = None) -> None:
        super().__init__(server, node)
        self._before: dict[str, str] = {}

    async def _strike(self) -> None:
        client = self.server.client(self.node)
        for name, value in self.changes.items():
            self._before.setdefault(name, str((await client.config_get(name))[name]))
            await self.call("CONFIG", "SET", name, value)

    async def _mend(self) -> None:
        for name in reversed(tuple(self._before)):
            await self.call("CONFIG", "SET", name, self._before.pop(name))


class MemoryFull(_Configured):
    """`maxmemory` below what is used, with `noeviction`: commands that need memory fail with OOM."""

    about = catalogue.MEMORY_FULL
    changes: ClassVar = {"maxmemory-policy": "noeviction", "maxmemory": "1"}


class LocksEvicted(_Configured):
    """Under `volatile-lru` the node runs out of memory until nothing with a time to live is left; then it has memory
    again. The policy stays until the mending."""

    about = catalogue.LOCKS_EVICTED
    changes: ClassVar = {"maxmemory-policy": "volatile-lru", "maxmemory": "1"}

    async def _strike(self) -> None:
        await super()._strike()
        await come_true(self._nothing_volatile, "that nothing has a time to live any more")
        await self.call("CONFIG", "SET", "maxmemory", self._before.pop("maxmemory"))

    async def _nothing_volatile(self) -> bool:
        spaces = await self.server.client(self.node).info("keyspace")
        return not any(space["expires"] for space in spaces.values())


class ReadOnly(NodeFault):
    """The node follows a master that does not exist: reads are served, writes fail with READONLY. Single servers."""

    about = catalogue.READ_ONLY

    async def _strike(self) -> None:
        await self.call("REPLICAOF", self.node.host, "1")

    async def _mend(self) -> None:
        await self.call("REPLICAOF", "NO", "ONE")
