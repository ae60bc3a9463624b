"""A node: one Redis process that serves a share of the slots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from redis.crc import key_slot

SLOTS = 16384

Slots = tuple[tuple[int, int], ...]  # ranges, both ends included


@dataclass(frozen=True)
class Node:
    """Where a master listens, and which slots it owns. A single server is one node with all of them."""

    host: str
    port: int
    slots: Slots = ((0, SLOTS - 1),)

    def owns(self, slot: int) -> bool:
        return any(first <= slot <= last for first, last in self.slots)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def slot_of(key: str) -> int:
    """The Cluster slot of a key: CRC16 of its hash tag (first `{` to the next `}`, if not empty), else of all of it."""
    return key_slot(key.encode("utf-8", "surrogateescape"))


def masters(ranges: Iterable[Any], asked: str) -> tuple[Node, ...]:
    """The masters in a reply of CLUSTER SLOTS, by their slots; one without a host is the node that was `asked`."""
    slots: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for start, end, master, *_ in ranges:
        host = (master[0] or b"").decode() or asked
        slots.setdefault((host, int(master[1])), []).append((int(start), int(end)))
    nodes = (Node(host, port, tuple(sorted(owned))) for (host, port), owned in slots.items())
    return tuple(sorted(nodes, key=lambda node: node.slots))


def shares(nodes: int) -> tuple[Slots, ...]:
    """All slots, divided evenly among so many nodes, in order."""
    bounds = [round(SLOTS * i / nodes) for i in range(nodes + 1)]
    return tuple(((first, after - 1),) for first, after in pairwise(bounds))
