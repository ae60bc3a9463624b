"""Faults of a node's process: killed, frozen, slow to load."""

from __future__ import annotations

import asyncio

from compat.faults import catalogue
from compat.faults.fault import NodeFault, come_true
from compat.servers import Node, Server

_FILLERS = 20_000  # keys that a node takes its time to load
_LOAD_DELAY = 1_000  # µs a key: 20 s, if nobody mends it
_FILLER = "bullmq-compat:filler:"


class Killed(NodeFault):
    """SIGKILL; the mending starts it again at the same port, with what it had appended to its file, and waits until it
    serves."""

    about = catalogue.KILLED

    def __init__(self, server: Server, node: Node | None = None) -> None:
        super().__init__(server, node)
        self.power = server.power

    async def _strike(self) -> None:
        await asyncio.to_thread(self.power.kill, self.node.port)

    async def _mend(self) -> None:
        if not self.power.is_up(self.node.port):
            await asyncio.to_thread(self.power.restart, self.node.port)
        await come_true(self._serves, f"that {self.node} serves again")

    async def _serves(self) -> bool:
        if (await self.server.client(self.node).info("persistence"))["loading"]:
            return False
        if self.server.topology == "single":
            return True
        state: bytes = await self.call("CLUSTER", "INFO")
        return b"cluster_state:ok" in state


class Frozen(NodeFault):
    """SIGSTOP: its system still accepts connections and takes bytes, and nothing answers. SIGCONT mends it."""

    about = catalogue.FROZEN

    def __init__(self, server: Server, node: Node | None = None) -> None:
        super().__init__(server, node)
        self.power = server.power

    async def _strike(self) -> None:
        await asyncio.to_thread(self.power.freeze, self.node.port)

    async def _mend(self) -> None:
        await asyncio.to_thread(self.power.thaw, self.node.port)


class Loading(Killed):
    """A restart that takes long: the node answers LOADING until it is mended. It needs a durable server."""

    about = catalogue.LOADING

    async def _strike(self) -> None:
        client = self.server.client(self.node)
        async with client.pipeline(transaction=False) as pipeline:
            for number in range(_FILLERS):
                pipeline.set(f"{_FILLER}{number}", "")
            await pipeline.execute()
        await self.call("BGREWRITEAOF")
        await come_true(self._rewritten, f"that {self.node} has rewritten its file")
        await asyncio.to_thread(self.power.kill, self.node.port)
        slowly = ("--key-load-delay", str(_LOAD_DELAY), "--loading-process-events-interval-bytes", "1024")
        await asyncio.to_thread(self.power.restart, self.node.port, *slowly)
        await come_true(self._loads, f"that {self.node} loads")

    async def _rewritten(self) -> bool:
        info = await self.server.client(self.node).info("persistence")
        return not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]

    async def _loads(self) -> bool:
        return bool((await self.server.client(self.node).info("persistence"))["loading"])

    async def _mend(self) -> None:
        if self.power.is_up(self.node.port):
            await self.call("CONFIG", "SET", "key-load-delay", 0)
        await super()._mend()
        async with self.server.client(self.node).pipeline(transaction=False) as pipeline:
            for number in range(_FILLERS):
                pipeline.unlink(f"{_FILLER}{number}")
            await pipeline.execute()
