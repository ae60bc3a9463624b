"""Forming: separate masters become one Cluster."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis

from compat.servers.errors import ServerError
from compat.servers.node import SLOTS, Node

TAKEOVER_SECONDS = 1.5  # less than NODE_TIMEOUT_MS: the phantoms must be forgotten before they are missed
MEETING_SECONDS = 20.0
NODE_TIMEOUT_MS = 2000
#: How a node of a Cluster is started.
MEMBER = (
    *("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"),
    *("--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--cluster-require-full-coverage", "no"),
    *("--repl-diskless-sync-delay", "0"),
)
POLL_SECONDS = 0.002


class Unformed(ServerError):
    """The nodes did not become one Cluster in time; another way may succeed."""


@dataclass(frozen=True)
class Takeover:
    """Forming in 0.2 s: each node starts as the replica of a phantom master that holds its slots, and takes over.

    A master that starts without a quorum stays down for 2 s (`CLUSTER_WRITABLE_DELAY`, compiled in); replicas do not.
    The phantoms live on port 1, where nothing listens.
    """

    nodes: tuple[Node, ...]
    phantoms: tuple[str, ...]  # node ids, in the order of `nodes`
    ids: tuple[str, ...]

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> Takeover:
        def ids() -> tuple[str, ...]:
            return tuple(secrets.token_hex(20) for _ in nodes)

        return cls(tuple(nodes), ids(), ids())

    def configuration(self, me: int, bus: int) -> str:
        """The `nodes.conf` that node number `me` starts with; the bus of a node listens at its port + `bus`."""
        lines: list[str] = []
        for i, (node, phantom, id_) in enumerate(zip(self.nodes, self.phantoms, self.ids, strict=True)):
            myself = "myself," if i == me else ""
            slots = " ".join(f"{first}-{last}" for first, last in node.slots)
            lines.append(f"{phantom} {node.host}:1@1 master - 0 0 {i + 1} connected {slots}")
            lines.append(
                f"{id_} {node.host}:{node.port}@{node.port + bus} {myself}slave {phantom} 0 0 {i + 1} connected"
            )
        lines.append(f"vars currentEpoch {len(self.nodes)} lastVoteEpoch 0")
        return "\n".join(lines) + "\n"

    def form(self, clients: Sequence[redis.Redis]) -> None:
        """Raises `Unformed` after `TAKEOVER_SECONDS`."""
        deadline = time.monotonic() + TAKEOVER_SECONDS
        try:
            for client, id_ in zip(clients, self.ids, strict=True):
                _call(client, "CLUSTER", "FAILOVER", "TAKEOVER")
                # All have to hear of it before the next one takes over: else both take the same epoch.
                _wait(partial(_heard, clients, id_), clients, deadline)
            for client in clients:
                for phantom in self.phantoms:
                    _call(client, "CLUSTER", "FORGET", phantom)
        except redis.ResponseError as error:
            raise _unformed(str(error)) from error
        _wait(lambda: are_formed(clients), clients, deadline)


def meet(nodes: Sequence[Node], clients: Sequence[redis.Redis]) -> None:
    """Forming as Redis documents it, in 2 s: slots are added, then every node meets every other.

    Raises `Unformed` after `MEETING_SECONDS`.
    """
    for epoch, (node, client) in enumerate(zip(nodes, clients, strict=True), start=1):
        _call(client, "CLUSTER", "ADDSLOTS", *(s for first, last in node.slots for s in range(first, last + 1)))
        _call(client, "CLUSTER", "SET-CONFIG-EPOCH", epoch)
    for client in clients:
        for node in nodes:
            _call(client, "CLUSTER", "MEET", node.host, node.port)
    deadline = time.monotonic() + MEETING_SECONDS
    _wait(lambda: are_formed(clients), clients, deadline)


def follow(nodes: Sequence[Node], masters: Sequence[redis.Redis], replicas: Sequence[redis.Redis]) -> None:
    """Each replica joins the Cluster of `nodes` and follows the master of its place; in step with it on return.

    Raises `Unformed` after `MEETING_SECONDS`.
    """
    everybody, deadline = (*masters, *replicas), time.monotonic() + MEETING_SECONDS
    for replica in replicas:
        for node in nodes:
            _call(replica, "CLUSTER", "MEET", node.host, node.port)
    _wait(lambda: all(_known(client) == len(everybody) for client in everybody), everybody, deadline)
    for master, replica in zip(masters, replicas, strict=True):
        _call(replica, "CLUSTER", "REPLICATE", _call(master, "CLUSTER", "MYID"))
    _wait(lambda: all(map(_in_step, replicas)), everybody, deadline)
    _wait(lambda: all(_followed(client) == len(replicas) for client in everybody), everybody, deadline)


def are_formed(masters: Sequence[redis.Redis]) -> bool:
    """Whether these are one Cluster, and at rest."""
    return all(is_formed(client, len(masters)) for client in masters) and agree([_epochs(each) for each in masters])


def is_formed(client: redis.Redis, masters: int) -> bool:
    """Whether a node sees all slots served by exactly so many masters, and nothing else."""
    info = cluster_info(_call(client, "CLUSTER", "INFO"))
    return (
        info.get("cluster_state") == "ok"
        and info.get("cluster_slots_ok") == str(SLOTS)
        and info.get("cluster_known_nodes") == info.get("cluster_size") == str(masters)
    )


def cluster_info(answer: bytes | str | dict[str, str]) -> dict[str, str]:
    """CLUSTER INFO's `name:value` lines; redis-py may have parsed them already."""
    if isinstance(answer, dict):
        return answer
    text = answer.decode() if isinstance(answer, bytes) else answer
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def epochs(nodes: bytes) -> dict[str, int]:
    """Of each master, by its id, the configuration epoch as a node sees it that has answered CLUSTER NODES."""
    rows = [line.split() for line in nodes.decode().splitlines()]
    return {row[0]: int(row[6]) for row in rows if "master" in row[2].split(",")}


def agree(views: Sequence[dict[str, int]]) -> bool:
    """Whether all nodes see the same epochs, each of one master. Who has the higher one is believed when two claim a
    slot: with equal ones, or while news of a higher one is on its way, a slot that is given away can be claimed back.
    """
    first = views[0]
    return all(view == first for view in views) and len(set(first.values())) == len(first)


def _epochs(client: redis.Redis) -> dict[str, int]:
    return epochs(_call(client, "CLUSTER", "NODES"))


def _call(client: redis.Redis, *words: str | int) -> Any:
    return client.execute_command(*words)  # type: ignore[no-untyped-call]


def _heard(clients: Sequence[redis.Redis], id_: str) -> bool:
    """Whether all see that node as a master, and with the same epoch."""
    seen = {_epochs(client).get(id_) for client in clients}
    return len(seen) == 1 and None not in seen


def _known(client: redis.Redis) -> int:
    """How many nodes a node knows and has shaken hands with."""
    lines = _call(client, "CLUSTER", "NODES").decode().splitlines()
    return sum("handshake" not in line.split()[2] for line in lines)


def _in_step(client: redis.Redis) -> bool:
    return bool(client.info("replication").get("master_link_status") == "up")


def _followed(client: redis.Redis) -> int:
    """How many of the masters have a replica, as a node sees it: a row is first slot, last slot, master, replicas…"""
    return sum(len(row) > 3 for row in _call(client, "CLUSTER", "SLOTS"))


def _wait(fact: Callable[[], bool], clients: Sequence[redis.Redis], deadline: float) -> None:
    while not fact():
        if time.monotonic() > deadline:
            states = [cluster_info(_call(client, "CLUSTER", "INFO")) for client in clients]
            raise _unformed(
                "; ".join(f"{s.get('cluster_state')}, {s.get('cluster_known_nodes')} nodes" for s in states)
            )
        time.sleep(POLL_SECONDS)


def _unformed(seen: str) -> Unformed:
    return Unformed(
        f"the nodes did not become one Cluster: {seen}",
        expected=f"state ok and {SLOTS} slots on every node",
        remedy="see whether the machine is overloaded or a firewall guards 127.0.0.1",
    )
