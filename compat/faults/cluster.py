"""Faults of a Cluster: a slot without an owner, a slot on its way, a master that changes."""

from __future__ import annotations

import math
import time

from redis.exceptions import ResponseError

from compat.faults import catalogue
from compat.faults.fault import NodeFault, come_true
from compat.faults.nodes import Killed
from compat.servers import Node, Server, ServerError, slot_of
from compat.servers.forming import agree, epochs

_AT_ONCE = 100  # keys
_ASK_AGAIN = 6.0  # s after which a failover that was asked for has been given up: masters may not have voted in time


class SlotFault(NodeFault):
    """A fault of the slot that holds `key`; `node` is the slot's owner, `other` another master."""

    def __init__(self, server: Server, key: str) -> None:
        super().__init__(server, server.owner(key))
        if server.topology != "cluster":
            raise ServerError(f"{server.title} has no slots", expected="a Cluster", remedy="run on a Cluster")
        self.slot = slot_of(key)
        self.other = next(node for node in server.nodes if node != self.node)

    async def id_of(self, node: Node) -> str:
        answer: bytes = await self.call("CLUSTER", "MYID", node=node)
        return answer.decode()

    async def owned_by(self, owner: Node) -> None:
        """Wait until every node says so, and look again at who owns what."""
        await agreed(self, self.slot, owner)


class SlotUnserved(SlotFault):
    """The owner gives the slot up; clients get CLUSTERDOWN from it. The keys stay where they are."""

    about = catalogue.SLOT_UNSERVED

    async def _strike(self) -> None:
        await self.call("CLUSTER", "DELSLOTS", self.slot)

    async def _mend(self) -> None:
        try:
            await self.call("CLUSTER", "ADDSLOTS", self.slot)
        except ResponseError as error:
            if "already busy" not in str(error):
                raise


class SlotTorn(SlotFault):
    """A migration key by key that stands still after the striking, with `move` for each step.

    Commands for keys that have moved get ASK, those for keys on both sides TRYAGAIN, and scripts that touch a key
    which is not there fail. The mending moves the rest and gives the slot to `other`.
    """

    about = catalogue.SLOT_TORN

    async def _strike(self) -> None:
        await self.call("CLUSTER", "SETSLOT", self.slot, "IMPORTING", await self.id_of(self.node), node=self.other)
        await self.call("CLUSTER", "SETSLOT", self.slot, "MIGRATING", await self.id_of(self.other))

    async def keys(self) -> list[str]:
        """What is still on the old side."""
        names: list[bytes] = await self.call("CLUSTER", "GETKEYSINSLOT", self.slot, _AT_ONCE)
        return [name.decode("utf-8", "surrogateescape") for name in names]

    async def move(self, *keys: str) -> None:
        """Move these keys to the new side."""
        await self.call("MIGRATE", self.other.host, self.other.port, "", 0, 5000, "KEYS", *keys)

    async def _mend(self) -> None:
        while keys := await self.keys():
            await self.move(*keys)
        owner = await self.id_of(self.other)
        # The new owner first: a slot without any must not be. Then who may claim it still.
        everybody = list(dict.fromkeys((self.other, self.node, *self.server.nodes)))

        async def given() -> bool:
            """Nobody claims the slot back either: news of a higher epoch of the old owner may be on its way."""
            astray = [node for node in everybody if not await says(self, node, self.slot, self.other)]
            for node in astray:
                await self.call("CLUSTER", "SETSLOT", self.slot, "NODE", owner, node=node)
            return not astray and agree([epochs(await self.call("CLUSTER", "NODES", node=n)) for n in everybody])

        await come_true(given, f"that slot {self.slot} is {self.other}'s for good")
        await self.server.look_again(self.other)


class SlotMoved(SlotFault):
    """The slot goes to `other` all at once (CLUSTER MIGRATESLOTS, Valkey 9), and back by the mending."""

    about = catalogue.SLOT_MOVED

    async def _strike(self) -> None:
        await self._move(self.node, self.other)

    async def _mend(self) -> None:
        if self.server.owner_of(self.slot).port != self.node.port:
            await self._move(self.other, self.node)

    async def _move(self, source: Node, target: Node) -> None:
        words = ("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", self.slot, self.slot, "NODE", await self.id_of(target))
        try:
            await self.call(*words, node=source)
        except ResponseError as error:
            raise ServerError(
                f"{self.server.title} cannot move a slot at once: {error}",
                expected="Valkey 9 or later",
                remedy="name such a binary, or tear the slot key by key",
            ) from None
        await self.owned_by(target)


class FailedOver(NodeFault):
    """The replica of `node` takes over, in step with it (CLUSTER FAILOVER); the mending hands the slots back."""

    about = catalogue.FAILED_OVER

    def __init__(self, server: Server, node: Node | None = None) -> None:
        super().__init__(server, node)
        self.replica: Node | None = None

    async def _strike(self) -> None:
        self.replica = await replica_of(self, self.node)
        await promote(self, self.replica, self.node)

    async def _mend(self) -> None:
        if self.replica is not None and await role(self, self.node) != "master":
            await promote(self, self.node, self.replica)


class MasterLost(Killed):
    """A master is killed and its replica elected; the mending starts it again, as a replica, and hands it its slots."""

    about = catalogue.MASTER_LOST

    async def _strike(self) -> None:
        replica = await replica_of(self, self.node)
        await super()._strike()

        await agreed(self, self.node.slots[0][0], replica)

    async def _mend(self) -> None:
        await super()._mend()
        heir = self.server.owner_of(self.node.slots[0][0])
        if heir.port != self.node.port:
            await promote(self, self.node, heir)


async def role(fault: NodeFault, node: Node) -> str:
    answer = await fault.call("ROLE", node=node)
    return str(answer[0].decode())


async def replica_of(fault: NodeFault, master: Node) -> Node:
    """Raises `ServerError` if it has none."""
    for replica in fault.server.replicas:
        answer = await fault.call("ROLE", node=replica)
        if answer[0] == b"slave" and int(answer[2]) == master.port:
            return replica
    raise ServerError(f"{master} has no replica", expected="one", remedy="start the Cluster with replicas")


async def promote(fault: NodeFault, replica: Node, master: Node) -> None:
    """`replica` becomes master in step with `master`, which follows it then; every node knows on return."""

    async def in_step() -> bool:
        link = await fault.server.client(replica).info("replication")
        return link.get("master_port") == master.port and link.get("master_link_status") == "up"

    await come_true(in_step, f"that {replica} is in step with {master}")
    asked = -math.inf

    async def changed() -> bool:
        nonlocal asked
        if await role(fault, replica) == "master":
            return await role(fault, master) == "slave"
        if time.monotonic() - asked > _ASK_AGAIN:
            asked = time.monotonic()
            await fault.call("CLUSTER", "FAILOVER", node=replica)
        return False

    await come_true(changed, f"that {replica} has taken over from {master}")
    await agreed(fault, (master.slots or replica.slots)[0][0], replica)


async def agreed(fault: NodeFault, slot: int, owner: Node) -> None:
    """Wait until every node that runs says that `slot` is `owner`'s, and look again at who owns what."""
    server = fault.server

    async def said_by_all() -> bool:
        for node in (*server.nodes, *server.replicas):
            if not server.runs(node):
                continue
            if not await says(fault, node, slot, owner):
                return False
        return True

    await come_true(said_by_all, f"that slot {slot} is {owner}'s")
    await server.look_again(owner)


async def says(fault: NodeFault, node: Node, slot: int, owner: Node) -> bool:
    """Whether `node` holds `slot` to be `owner`'s."""
    ranges = await fault.call("CLUSTER", "SLOTS", node=node)
    return any(first <= slot <= last and int(master[1]) == owner.port for first, last, master, *_ in ranges)
