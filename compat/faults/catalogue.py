"""What can go wrong, described: each fault's name, what it does, what it needs, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

#: own: a server of the harness's own; processes: one whose nodes it can kill; durable: what was answered, and users,
#: outlive a node's process; cluster, replicas: such a server; proxy: the client goes through a `Proxy`; driver: the
#: driver's process.
Need = Literal["own", "processes", "durable", "cluster", "replicas", "proxy", "driver"]


@dataclass(frozen=True)
class About:
    """`cost` is what even a faultless client cannot prevent; empty if every job is finished once.

    `at_once`: it is over as soon as it is struck, and leaves nothing to wait with.
    """

    name: str
    does: str
    needs: tuple[Need, ...]
    cost: str = ""
    at_once: bool = False

    @property
    def befalls(self) -> Literal["players", "nodes"]:
        """Whom it is struck at: those whose connections, replies, drivers or clocks it is about; or nodes and slots."""
        return "players" if {"proxy", "driver"} & set(self.needs) or self is CONNECTIONS_KILLED else "nodes"


_TWICE = "a job in hand may run again: its worker could not finish it while it held the lock"
_UNKNOWN = "a caller whose reply was lost cannot know whether the command was carried out"

KILLED: Final = About(
    "node-killed", "a node is killed, and started again by the mending", ("processes", "durable"), _UNKNOWN
)
FROZEN: Final = About("node-frozen", "a node keeps its connections and answers nothing", ("processes",), _TWICE)
LOADING: Final = About(
    "loading", "a node restarts and answers LOADING until it is mended", ("processes", "durable"), _UNKNOWN
)
CONNECTIONS_KILLED: Final = About(
    "connections-killed", "a node closes its clients' connections", ("own",), _UNKNOWN, at_once=True
)
SCRIPTS_FLUSHED: Final = About("scripts-flushed", "a node forgets its scripts", ("own",), at_once=True)
LOCKS_EVICTED: Final = About(
    "locks-evicted", "a node evicts all that has a time to live: locks", ("own",), _TWICE, at_once=True
)
MEMORY_FULL: Final = About("memory-full", "a node refuses what needs memory (OOM)", ("own",), _TWICE)
READ_ONLY: Final = About("read-only", "a node becomes a replica and refuses writes (READONLY)", ("own",), _TWICE)
SLOT_UNSERVED: Final = About("slot-unserved", "a slot has no owner (CLUSTERDOWN)", ("own", "cluster"), _TWICE)
FAILED_OVER: Final = About(
    "failed-over", "a replica takes over from its master by request", ("own", "replicas"), _UNKNOWN
)
MASTER_LOST: Final = About(
    "master-lost",
    "a master is killed and its replica elected",
    ("processes", "durable", "replicas"),
    f"{_UNKNOWN}; replication is asynchronous: what was acknowledged a moment before is lost",
)
SLOT_TORN: Final = About(
    "slot-torn",
    "a slot is halfway to another node, key by key (ASK, TRYAGAIN)",
    ("own", "cluster"),
    "what names keys of both sides, or keys that do not exist, is refused until the rest has moved",
)
SLOT_MOVED: Final = About("slot-moved", "a slot goes to another node, all at once (MOVED)", ("own", "cluster"))
REPLY_LOST: Final = About("reply-lost", "a command is carried out and its reply lost", ("proxy",), _UNKNOWN)
SCRIPTS_FLUSHED_WITHIN: Final = About(
    "scripts-flushed-within", "a node forgets its scripts between two commands of one pipeline", ("own", "proxy")
)
CONNECTION_RESET: Final = About("connection-reset", "connections are reset", ("proxy",), _UNKNOWN, at_once=True)
HALF_OPEN: Final = About("half-open", "connections stay open and carry nothing any more", ("proxy",), _TWICE)
DRIVER_KILLED: Final = About("driver-killed", "a driver's process is killed", ("driver",), _TWICE)
DRIVER_FROZEN: Final = About("driver-frozen", "a driver's process stands still", ("driver",), _TWICE)
CLOCK_STEPPED: Final = About("clock-stepped", "a driver's clock jumps", ("driver",))

CATALOGUE: Final = {
    about.name: about
    for about in (
        *(KILLED, FROZEN, LOADING, CONNECTIONS_KILLED, SCRIPTS_FLUSHED, LOCKS_EVICTED, MEMORY_FULL, READ_ONLY),
        *(SLOT_UNSERVED, FAILED_OVER, MASTER_LOST, SLOT_TORN, SLOT_MOVED),
        *(REPLY_LOST, SCRIPTS_FLUSHED_WITHIN, CONNECTION_RESET, HALF_OPEN),
        *(DRIVER_KILLED, DRIVER_FROZEN, CLOCK_STEPPED),
    )
}

#: From which Valkey on a slot moves at once (`slot-moved`).
ATOMIC: Final = (9,)
#: From which Redis on a node answers LOADING however little it loads (`loading`).
SLOW: Final = (7,)
#: What no server in a container suffers, and why.
NOT_IN_CONTAINERS: Final[Mapping[str, str]] = {
    LOADING.name: "a container starts again as it was made, without the options that make Redis load slowly",
}
