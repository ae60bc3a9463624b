"""Servers in containers, for whoever wants an image's Redis instead of a binary's."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
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
from compat.servers.forming import NODE_TIMEOUT_MS, meet
from compat.servers.image import find_image
from compat.servers.node import Node, shares
from compat.servers.process import BUS, HOST, connection, free_ports
from compat.servers.server import Server

LABEL: Final = "bullmq-compat.owner"  # on every container: `<pid>@<host>` of the harness that started it
MASTERS = 3
ATTEMPTS = 5
READY_SECONDS = 30.0
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
async def container(topology: TopologyName, image: str | None = None) -> AsyncIterator[Server]:
    """A single server, or a Cluster of three masters, in containers of `image` (or of `find_image()`), gone at the end.

    Raises `ServerError` if no Docker engine answers or the containers do not start.
    """
    containers = await aside(lambda: _start(topology, image))
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
        for left in client.containers.list(all=True, filters={"label": LABEL}):
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

    def __init__(self, topology: TopologyName, image: str) -> None:
        self.topology, self.image = topology, image
        masters = MASTERS if topology == "cluster" else 1
        ports = free_ports(masters, offsets=(0, BUS))
        self.nodes = tuple(Node(HOST, port, slots) for port, slots in zip(ports, shares(masters), strict=True))
        self._stack = ExitStack()
        self.name = self.version = ""

    def start(self) -> None:
        """Start and wait until every command is served. Raises DockerException or `ServerError`; `stop` even then."""
        if self.topology == "single":
            members = [self._run("--port", str(self.nodes[0].port), publish=True)]
        else:
            anchor = self._run("--port", "0", "--unixsocket", "/tmp/anchor.sock", publish=True)
            inside = f"container:{anchor.get_container_id()}"
            members = [self._run(*_cluster_options(node.port), network_mode=inside) for node in self.nodes]
        with ExitStack() as stack:
            clients = [self._ready(node, member) for node, member in zip(self.nodes, members, strict=True)]
            for client in clients:
                stack.callback(client.close)
            if self.topology == "cluster":
                meet(self.nodes, clients)
            info = clients[0].info("server")
            self.name = str(info.get("server_name", "redis"))
            self.version = str(info.get(f"{self.name}_version") or info["redis_version"])

    def server(self) -> Server:
        where = f"in containers, {MASTERS} masters" if self.topology == "cluster" else "in a container"
        return Server(self.topology, self.nodes, f"{self.name} {self.version}, {where}", self.version, own=True)

    def stop(self) -> None:
        """Remove all containers. May be called again."""
        self._stack.close()

    def _run(self, *options: str, publish: bool = False, network_mode: str | None = None) -> DockerContainer:
        command = ["redis-server", "--save", "", "--appendonly", "no", "--protected-mode", "no", *options]
        new = DockerContainer(self.image).with_command(command)
        new.with_kwargs(labels=_labels(), **({"network_mode": network_mode} if network_mode else {}))
        if publish:
            published: dict[str, Any] = {f"{node.port}/tcp": (HOST, node.port) for node in self.nodes}
            new.ports = published  # `with_bind_ports` takes no address
        self._stack.callback(new.stop)
        return new.start()

    def _ready(self, node: Node, member: DockerContainer) -> redis.Redis:
        """Wait for PONG: Docker's proxy accepts connections before the server does."""
        client = connection(node.port)
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
                        f"a container of {self.image} is {member.status}: {error}; its log ends with\n"
                        + "\n".join(logs[-5:]),
                        expected=f"a server that answers within {READY_SECONDS:g} s",
                        remedy="see whether the image holds redis-server",
                    ) from error
            time.sleep(POLL_SECONDS)


def _start(topology: TopologyName, named: str | None) -> Containers:
    reason = docker_answers()
    if reason:
        raise ServerError(
            reason, expected="a Docker engine on this machine", remedy="start it, or use the embedded server"
        )
    sweep()
    image = named or find_image()
    problem: Exception | None = None
    for _ in range(ATTEMPTS):
        containers = Containers(topology, image)
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


def _cluster_options(port: int) -> tuple[str, ...]:
    return (
        *("--port", str(port), "--cluster-enabled", "yes", "--cluster-announce-ip", HOST),
        *("--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--cluster-require-full-coverage", "no"),
    )


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
