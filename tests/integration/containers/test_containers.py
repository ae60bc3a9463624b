"""Servers in containers: run wherever a Docker engine answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import redis.asyncio as redis

from compat.execute import Options, run
from compat.model.run import CellEntry
from compat.scenarios import load, select
from compat.servers import ServerError, given
from compat.servers.containers import LABEL, container, docker_answers, sweep
from compat.servers.image import find_image

ROOT = Path(__file__).resolve().parents[3]
REASON = docker_answers()
pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
    pytest.mark.xdist_group("docker"),
]


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


def ours(engine: docker.DockerClient) -> list[str]:
    owner = f"{LABEL}={os.getpid()}@{socket.gethostname()}"
    return [found.id for found in engine.containers.list(all=True, filters={"label": owner})]


async def test_a_single_server_runs_in_a_container(engine: docker.DockerClient, prefix: str) -> None:
    async with container("single") as server:
        assert server.own
        assert server.title.endswith(", in a container")
        (node,) = server.nodes
        await server.client(node).set(f"{prefix}:a", "1")
        assert await server.stray_keys([]) == [f"{prefix}:a"]
        assert await server.delete_prefix(prefix) == 1
        assert len(ours(engine)) == 1
    assert ours(engine) == []


async def test_three_masters_run_in_containers_and_need_no_translated_address(
    engine: docker.DockerClient, prefix: str
) -> None:
    """A real Cluster of three masters (T109)."""
    async with container("cluster") as server:
        assert server.title.endswith(", in containers, 3 masters")
        assert len(server.nodes) == 3
        for node in server.nodes:
            async with redis.RedisCluster(host=node.host, port=node.port) as client:
                for i in range(10):
                    assert await client.set(f"{prefix}:{{{i}}}", "1")
            async with given(f"redis+cluster://{node}") as guest:
                assert guest.nodes == server.nodes
        assert await server.delete_prefix(prefix) == 10
        assert len(ours(engine)) == 4
    assert ours(engine) == []


async def test_an_image_that_does_not_exist_is_refused(engine: docker.DockerClient) -> None:
    with pytest.raises(ServerError, match=r"no\.registry\.invalid/redis:0 did not start"):
        async with container("single", "no.registry.invalid/redis:0"):
            pass
    assert ours(engine) == []


HARNESS = """
import asyncio, os, signal, sys
from compat.servers.containers import container

async def main():
    async with container("single"):
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_the_containers_of_a_killed_harness_are_swept(engine: docker.DockerClient) -> None:
    find_image()
    with subprocess.Popen([sys.executable, "-c", HARNESS]) as harness:
        assert harness.wait(60) == -signal.SIGKILL
    owner = {"label": f"{LABEL}={harness.pid}@{socket.gethostname()}"}
    sweep()
    deadline = time.monotonic() + 10  # another harness may be sweeping it
    while engine.containers.list(all=True, filters=owner):
        assert time.monotonic() < deadline, "the container is still there"
        time.sleep(0.05)


async def test_scenarios_run_on_servers_in_containers(engine: docker.DockerClient) -> None:
    """`--server container`: both topologies, and nothing is left of them."""
    scenarios = select(load([ROOT / "scenarios"]), ["job/add", "worker/complete"], ())
    options = Options(scenarios=scenarios, implementation="node@5.62.0", server="container", arms=("self",))
    verdicts = [entry.verdict async for entry in run(options) if isinstance(entry, CellEntry)]
    assert [verdict.word for verdict in verdicts] == ["pass"] * 4, verdicts
    assert ours(engine) == []
