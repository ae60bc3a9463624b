"""Embedded servers: started by this harness from a binary, on free ports of 127.0.0.1, gone when it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import redis

from compat.model.scenario import TopologyName
from compat.servers.aside import aside
from compat.servers.binary import Binary, find_binary, identify
from compat.servers.errors import ServerError
from compat.servers.forming import MEMBER, Takeover, Unformed, follow, meet
from compat.servers.node import Node, shares
from compat.servers.process import BUS, HOST, PortTaken, Processes, connection, free_ports
from compat.servers.server import Server

MASTERS = 3
ATTEMPTS = 10  # a port that was free a moment ago may be taken


@dataclass(frozen=True)
class Running:
    """Embedded servers without connections: what a test session shares, whatever event loops it has."""

    topology: TopologyName
    nodes: tuple[Node, ...]
    processes: Processes
    replicas: tuple[Node, ...] = ()

    @property
    def title(self) -> str:
        binary = self.processes.binary
        masters = f", {MASTERS} masters" * (self.topology == "cluster")
        replicas = f", {len(self.replicas)} replicas" * bool(self.replicas)
        return f"{binary.flavour} {binary.version}, embedded{masters}{replicas}"

    def server(self) -> Server:
        """A `Server` for the running event loop; closing it leaves the processes running."""
        version, processes = self.processes.binary.version, self.processes
        return Server(
            self.topology,
            self.nodes,
            self.title,
            version,
            own=True,
            replicas=self.replicas,
            power=processes,
            durable=processes.durable,
        )

    def stop(self) -> None:
        self.processes.stop()


@asynccontextmanager
async def embedded(
    topology: TopologyName, *, binary: Binary | Path | None = None, durable: bool = False, replicas: bool = False
) -> AsyncIterator[Server]:
    """A single server, or a Cluster of three masters, from `binary` or else from the one that `find_binary` finds.

    `durable`: what was answered survives a restart (`appendonly yes`, `appendfsync always`), and so do its users.
    `replicas`: each master of a Cluster has one.

    Raises `ServerError` if there is no binary or it does not start.
    """
    running = await aside(lambda: start(topology, binary, durable=durable, replicas=replicas))
    try:
        async with running.server() as server:
            yield server
    finally:
        running.stop()


def start(
    topology: TopologyName, binary: Binary | Path | None = None, *, durable: bool = False, replicas: bool = False
) -> Running:
    """Start and wait until every command is served. The caller stops what it gets; see `embedded` for the errors."""
    chosen = binary if isinstance(binary, Binary) else identify(binary) if binary else find_binary()
    starts: tuple[Callable[[Processes], tuple[Node, ...]], ...] = (
        (_single,) if topology == "single" else (_by_takeover, _by_meeting)
    )
    problem: Exception | None = None
    for start_nodes in starts:
        for _ in range(ATTEMPTS):
            processes = Processes(chosen, durable=durable)
            try:
                nodes = start_nodes(processes)
                return Running(topology, nodes, processes, _replicas(processes, nodes) if replicas else ())
            except (PortTaken, redis.TimeoutError) as error:  # a machine that is busy may have time in a moment
                problem = error
                processes.stop()
            except (Unformed, redis.RedisError) as error:
                problem = error
                processes.stop()
                break
            except BaseException:
                processes.stop()
                raise
    if isinstance(problem, ServerError):
        raise problem
    raise ServerError(
        f"{chosen.path} did not start: {problem!r}",
        expected=f"a free port of {HOST} within {ATTEMPTS} attempts, and a server that answers",
        remedy="see what listens there, or give the URL of a running Redis",
    ) from problem


def _single(processes: Processes) -> tuple[Node, ...]:
    (port,) = free_ports(1, held=processes.held)
    processes.launch(port)
    processes.ready(port).close()
    return (Node(HOST, port),)


def _by_takeover(processes: Processes) -> tuple[Node, ...]:
    nodes = _masters(processes)
    takeover = Takeover.of(nodes)
    for i, node in enumerate(nodes):
        processes.home(node.port).mkdir()
        (processes.home(node.port) / "nodes.conf").write_text(takeover.configuration(i, BUS))
    _formed(processes, nodes, takeover.form)
    return nodes


def _by_meeting(processes: Processes) -> tuple[Node, ...]:
    nodes = _masters(processes)
    _formed(processes, nodes, lambda clients: meet(nodes, clients))
    return nodes


def _masters(processes: Processes) -> tuple[Node, ...]:
    ports = free_ports(MASTERS, offsets=(0, BUS), held=processes.held)
    return tuple(Node(HOST, port, slots) for port, slots in zip(ports, shares(MASTERS), strict=True))


def _formed(processes: Processes, nodes: tuple[Node, ...], form: Callable[[list[redis.Redis]], None]) -> None:
    for node in nodes:
        processes.launch(node.port, *MEMBER)
    with ExitStack() as stack:
        clients = [processes.ready(node.port) for node in nodes]
        for client in clients:
            stack.callback(client.close)
        form(clients)


def _replicas(processes: Processes, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """One replica for each master of a Cluster, in step with it."""
    ports = free_ports(len(nodes), offsets=(0, BUS), held=processes.held)
    replicas = tuple(Node(HOST, port, ()) for port in ports)
    for replica in replicas:
        processes.launch(replica.port, *MEMBER)
    with ExitStack() as stack:
        masters = [stack.enter_context(closing(connection(node.port))) for node in nodes]
        clients = [stack.enter_context(closing(processes.ready(replica.port))) for replica in replicas]
        follow(nodes, masters, clients)
    return replicas
