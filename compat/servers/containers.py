"""Servers in containers, for whoever wants an image's Redis instead of a binary's."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import docker  # type: ignore[import-untyped]
import redis
from docker.errors import APIError, DockerException  # type: ignore[import-untyped]
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from compat.model.scenario import TopologyName
from compat.servers.aside import aside
from compat.servers.errors import ServerError
from compat.servers.forming import MEMBER, follow, meet
from compat.servers.image import find_image
from compat.servers.node import Node, shares
from compat.servers.process import BUS, DURABLE, HOST, USERS, connection, free_ports
from compat.servers.server import Server

LABEL: Final = "bullmq-compat.owner"  # on every container: `<pid>@<host>` of the harness that started it
MASTERS = 3
ATTEMPTS = 5
READY_SECONDS = 30.0
DATA: Final = "/data"  # where a durable server keeps its files: the folder of Redis's images, and of ours
POLL_SECONDS = 0.01

#: No container that watches over ours: it would have to be pulled, and `sweep` does its work.
testcontainers_config.ryuk_disabled = True


def docker_answers() -> str | None:
    """None if a Docker engine answers, on this machine; else the reason why containers cannot be had."""
    url = urlsplit(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    if url.hostname and url.hostname not in ("localhost", HOST):
        return f"the Docker engine is on {url.hostname}, but containers are reached through {HOST}"
    if url.scheme == "unix":
        with socket.socket(socket.AF_UNIX) as probe:  # its client would leave a socket open where nobody listens
            try:
                probe.connect(url.path)
            except OSError as error:
                return f"no Docker engine answers at {url.path}: {error.strerror}"
    try:
        client = docker.from_env(timeout=5)
    except DockerException as error:
        return f"no Docker engine answers: {error}"
    try:
        client.ping()
    except (DockerException, OSError) as error:
        return f"no Docker engine answers: {error}"
    finally:
        client.close()
    return None


@asynccontextmanager
async def container(
    topology: TopologyName, image: str | None = None, *, durable: bool = False, replicas: bool = False
) -> AsyncIterator[Server]:
    """A single server, or a Cluster of three masters, in containers of `image` (or of `find_image()`), gone at the end.

    `durable` and `replicas` are as of `compat.servers.embedded`; nodes are killed, paused and started again as
    containers. Raises `ServerError` if no Docker engine answers or the containers do not start.
    """
    containers = await aside(lambda: _start(topology, image, durable=durable, replicas=replicas))
    try:
        async with containers.server() as server:
            yield server
    finally:
        await asyncio.to_thread(containers.stop)


def sweep() -> int:
    """Remove the containers of harnesses of this machine that were killed, and return how many there were."""
    client = docker.from_env()
    removed = 0
    try:
        for left in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
            pid, _, host = left.labels[LABEL].partition("@")
            if host == socket.gethostname() and not _alive(int(pid)):
                with suppress(APIError):  # another harness sweeps it at the same time
                    left.remove(force=True, v=True)
                    removed += 1
    finally:
        client.close()
    return removed


class Containers:
    """Containers that serve together and end together.

    A Cluster is one network namespace, held by an anchor that publishes the ports, the same inside and outside. So
    every node announces 127.0.0.1, no client has to translate addresses, and it works on macOS as on Linux.
    """

    def __init__(self, topology: TopologyName, image: str, *, durable: bool = False, replicas: bool = False) -> None:
        self.topology, self.image, self.durable = topology, image, durable
        masters = MASTERS if topology == "cluster" else 1
        self._stack = ExitStack()
        ports = free_ports(masters * (1 + replicas), offsets=(0, BUS), held=self._stack)
        self.nodes = tuple(Node(HOST, port, slots) for port, slots in zip(ports, shares(masters), strict=False))
        self.replicas = tuple(Node(HOST, port, ()) for port in ports[masters:])
        self._members: dict[int, DockerContainer] = {}
        self._down: set[int] = set()
        self._frozen: set[int] = set()
        self.name = self.version = ""

    def start(self) -> None:
        """Start and wait until every command is served. Raises DockerException or `ServerError`; `stop` even then."""
        everybody = (*self.nodes, *self.replicas)
        if self.topology == "single":
            (node,) = everybody
            self._members[node.port] = self._run("--port", str(node.port), publish=True)
        else:
            anchor = self._run("--port", "0", "--unixsocket", "/tmp/anchor.sock", publish=True)
            inside = f"container:{anchor.get_container_id()}"
            for node in everybody:
                options = ("--port", str(node.port), "--cluster-announce-ip", HOST, *MEMBER)
                self._members[node.port] = self._run(*options, network_mode=inside)
        with ExitStack() as stack:
            clients = [stack.enter_context(closing(self._ready(node))) for node in everybody]
            masters, replicas = clients[: len(self.nodes)], clients[len(self.nodes) :]
            if self.topology == "cluster":
                meet(self.nodes, masters)
            if replicas:
                follow(self.nodes, masters, replicas)
            info = clients[0].info("server")
            self.name = str(info.get("server_name", "redis"))
            self.version = str(info.get(f"{self.name}_version") or info["redis_version"])

    def server(self) -> Server:
        where = f"in containers, {MASTERS} masters" if self.topology == "cluster" else "in a container"
        followed = f", {len(self.replicas)} replicas" * bool(self.replicas)
        return Server(
            self.topology,
            self.nodes,
            f"{self.name} {self.version}, {where}{followed}",
            self.version,
            own=True,
            replicas=self.replicas,
            power=self,
            durable=self.durable,
        )

    def stop(self) -> None:
        """Remove all containers. May be called again."""
        self._stack.close()

    # --- the switches of `compat.servers.server.Power` ---------------------------------------------------------------

    def kill(self, port: int) -> None:
        """SIGKILL to a node; its container and what it had written to its files stay. Returns when it has ended."""
        with _told(f"the node on {port} could not be killed"):
            container = self._members[port].get_wrapped_container()
            container.kill()
            container.wait()
        self._down.add(port)

    def restart(self, port: int, *options: str) -> None:
        """Start a node again in its container, as it was made. Raises `ServerError` for any `options`."""
        if options:
            raise ServerError(
                f"a server in a container starts as it was made, not with {' '.join(options)}",
                expected="no options",
                remedy="run with --server embedded",
            )
        with _told(f"the node on {port} could not be started again"):
            self._members[port].get_wrapped_container().start()
        self._down.discard(port)

    def is_up(self, port: int) -> bool:
        return port not in self._down

    def freeze(self, port: int) -> None:
        """Pause a node: it keeps its connections and answers nothing, until `thaw`."""
        with _told(f"the node on {port} could not be paused"):
            self._members[port].get_wrapped_container().pause()
        self._frozen.add(port)

    def thaw(self, port: int) -> None:
        """May be called again."""
        if port in self._frozen:
            with _told(f"the node on {port} could not be let go on"):
                self._members[port].get_wrapped_container().unpause()
            self._frozen.discard(port)

    # --- starting ----------------------------------------------------------------------------------------------------

    def _run(self, *options: str, publish: bool = False, network_mode: str | None = None) -> DockerContainer:
        kept = ("--dir", DATA, *DURABLE) if self.durable else ("--appendonly", "no")
        command = ["redis-server", "--save", "", *kept, "--protected-mode", "no", *options]
        new = DockerContainer(self.image).with_command(command)
        if self.durable:
            new.with_copy_into_container(b"", f"{DATA}/{USERS}", 0o666)
        new.with_kwargs(labels=_labels(), **({"network_mode": network_mode} if network_mode else {}))
        if publish:
            everybody = (*self.nodes, *self.replicas)
            published: dict[str, Any] = {f"{node.port}/tcp": (HOST, node.port) for node in everybody}
            new.ports = published  # `with_bind_ports` takes no address
        self._stack.callback(new.stop)
        return new.start()

    def _ready(self, node: Node) -> redis.Redis:
        """Wait for PONG: Docker's proxy accepts connections before the server does."""
        client, member = connection(node.port), self._members[node.port]
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                if client.ping():
                    return client
            except redis.RedisError as error:
                member.reload()
                if member.status == "exited" or time.monotonic() > deadline:
                    client.close()
                    logs = b"".join(member.get_logs()).decode(errors="replace").splitlines()
                    raise ServerError(
                        f"a container of {self.image} is {member.status}, but at {node}: {error}; its log ends with\n"
                        + "\n".join(logs[-5:]),
                        expected=f"a server that answers within {READY_SECONDS:g} s",
                        remedy="see whether the image holds redis-server",
                    ) from error
            time.sleep(POLL_SECONDS)


def _start(topology: TopologyName, named: str | None, *, durable: bool, replicas: bool) -> Containers:
    reason = docker_answers()
    if reason:
        raise ServerError(
            reason, expected="a Docker engine on this machine", remedy="start it, or use the embedded server"
        )
    with _told("containers that a killed harness left could not be removed"):
        sweep()
    image = named or find_image()
    problem: Exception | None = None
    for _ in range(ATTEMPTS):
        containers = Containers(topology, image, durable=durable, replicas=replicas and topology == "cluster")
        try:
            containers.start()
        except DockerException as error:
            containers.stop()
            problem = error
            if not any(sign in str(error) for sign in ("already allocated", "already in use")):
                break
        except BaseException:
            containers.stop()
            raise
        else:
            return containers
    raise ServerError(
        f"{image} did not start: {problem}",
        expected="an image that is here or can be pulled",
        remedy="see `docker info`, or name another image in $REDIS_IMAGE",
    ) from problem


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Docker's refusal as `ServerError`."""
    try:
        yield
    except (DockerException, OSError) as error:
        raise ServerError(
            f"{what}: {error}",
            expected="a Docker engine that kills, starts and pauses containers",
            remedy="see `docker info`, or run with --server embedded",
        ) from error


def _labels() -> dict[str, str]:
    return {LABEL: f"{os.getpid()}@{socket.gethostname()}"}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
