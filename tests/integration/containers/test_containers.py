"""Servers in containers: run wherever a Docker engine answers."""

from __future__ import annotations

import asyncio
import json
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
from compat.faults import FailedOver, Frozen, Killed, Loading, MasterLost
from compat.model.run import CellEntry
from compat.scenarios import pick
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


async def test_servers_start_and_end_side_by_side(engine: docker.DockerClient) -> None:
    """What one start sweeps may be what another end removes."""

    async def started() -> bool:
        async with container("single") as server:
            return bool(await server.client(server.nodes[0]).ping())

    assert await asyncio.gather(*(started() for _ in range(4))) == [True] * 4
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


async def test_a_node_in_a_container_is_killed_and_comes_back_with_what_it_had(engine: docker.DockerClient) -> None:
    """(T123)"""
    async with container("single", durable=True) as server:
        await server.add_user("lasting", "its password")
        await server.client(server.nodes[0]).set("k", "v")
        async with Killed(server):
            with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
                await server.client(server.nodes[0]).get("k")
        assert await server.client(server.nodes[0]).get("k") == b"v"
        async with redis.Redis(port=server.nodes[0].port, username="lasting", password="its password") as user:
            assert await user.ping()
        async with Frozen(server):
            asked = asyncio.create_task(server.client(server.nodes[0]).ping())
            assert await asyncio.wait({asked}, timeout=0.2) == (set(), {asked})
        assert await asked
        with pytest.raises(ServerError, match="starts as it was made, not with --key-load-delay"):
            await Loading(server).strike()
    assert ours(engine) == []


async def test_a_replica_in_a_container_takes_over_by_request_and_by_election(engine: docker.DockerClient) -> None:
    """Both failovers, on a Cluster of six containers (T018)."""
    async with container("cluster", durable=True, replicas=True) as server:
        assert server.title.endswith(", in containers, 3 masters, 3 replicas")
        master, other = server.nodes[:2]
        async with FailedOver(server):
            assert server.nodes[0].port != master.port
        assert server.nodes[0] == master
        async with MasterLost(server, other):
            assert server.owner_of(other.slots[0][0]).port != other.port
        assert server.owner_of(other.slots[0][0]) == other
        assert len(ours(engine)) == 7
    assert ours(engine) == []


async def test_faults_are_played_in_containers_and_the_others_are_told_of(engine: docker.DockerClient) -> None:
    """(T123)"""
    names = ["fault/restart-with-job", "fault/failed-over-with-job", "fault/loading"]
    scenarios = pick(ROOT / "scenarios", names)
    options = Options(scenarios=scenarios, implementation="node@5.62.0", server="container", arms=("self",))
    found = {
        (entry.verdict.cell.scenario, entry.verdict.cell.topology): entry.verdict
        async for entry in run(options)
        if isinstance(entry, CellEntry)
    }
    refused = found.pop(("fault/loading", "single"))
    assert refused.word == "not-applicable" and "a container starts again as it was made" in refused.reason
    assert [verdict.word for verdict in found.values()] == ["pass"] * 2, found
    assert ours(engine) == []


@pytest.mark.parametrize(("topology", "fault"), [("single", "node-killed"), ("cluster", "failed-over")])
def test_shadow_shares_a_queue_in_containers_and_breaks_what_it_stands_on(
    engine: docker.DockerClient, topology: str, fault: str, tmp_path: Path
) -> None:
    """(T154)"""
    words = ("--server", "container", "--topology", topology, "--jobs", "120", "--seed", "5", "--faults", fault)
    done = subprocess.run(
        [sys.executable, "-m", "compat", "shadow", *words, "--json", tmp_path / "shadow.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((tmp_path / "shadow.json").read_text("utf-8"))
    assert "in a container" in record["server"] or "in containers" in record["server"]
    assert {strike["fault"] for strike in record["strikes"]} == {fault}
    assert ours(engine) == []


async def test_scenarios_run_on_servers_in_containers(engine: docker.DockerClient) -> None:
    """`--server container`: both topologies, and nothing is left of them."""
    scenarios = pick(ROOT / "scenarios", ["job/add", "worker/complete"])
    options = Options(scenarios=scenarios, implementation="node@5.62.0", server="container", arms=("self",))
    verdicts = [entry.verdict async for entry in run(options) if isinstance(entry, CellEntry)]
    assert [verdict.word for verdict in verdicts] == ["pass"] * 4, verdicts
    assert ours(engine) == []
