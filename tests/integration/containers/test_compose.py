"""The compose file: a Cluster for people, brought up for real wherever compose, an engine and an image are."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis

from compat.execute import Options, run
from compat.model.run import CellEntry
from compat.scenarios import pick
from compat.servers import ServerError
from compat.servers.binary import find_binary
from compat.servers.containers import docker_answers
from compat.servers.image import VARIABLE, make_image
from compat.servers.process import BUS, HOST, free_ports

ROOT = Path(__file__).resolve().parents[3]
READY_S = 60


def compose() -> list[str]:
    """The command that this machine has for it; empty without one."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else []


def missing() -> str | None:
    if not compose():
        return "neither `docker compose` nor `docker-compose` is here"
    try:
        installed = find_binary("redis-server")
    except ServerError as error:
        return f"no image can be made: {error.seen}"
    if not installed.path.with_name("redis-cli").exists():
        return "no redis-cli beside the installed redis-server: the image would lack it"
    return docker_answers()


REASON = missing()
pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
    pytest.mark.xdist_group("docker"),
]


def do(environ: Mapping[str, str], *words: str) -> str:
    argv = [*compose(), "-f", str(ROOT / "docker-compose.cluster.yml"), "-p", f"bullmq-compat-{os.getpid()}", *words]
    done = subprocess.run(argv, env={**os.environ, **environ}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    ports = free_ports(6, offsets=(0, BUS))
    chosen = {f"P{number}": str(port) for number, port in enumerate(ports, 1)}
    chosen[VARIABLE] = make_image(find_binary("redis-server"))
    try:
        yield chosen
    finally:
        do(chosen, "--profile", "replicas", "down", "--volumes")


def nodes(port: str, masters: int, replicas: int) -> None:
    """Wait until the node at `port` knows so many of each, all in working order."""
    deadline = time.monotonic() + READY_S
    while True:
        seen: object = None
        try:
            with redis.Redis(host=HOST, port=int(port), decode_responses=True) as client:
                seen = state, table = client.cluster("INFO"), client.cluster("NODES")
                roles = [entry["flags"].replace("myself,", "") for entry in table.values()]
                linked = all(entry["connected"] for entry in table.values())
                counts = (roles.count("master"), roles.count("slave"))
                if state["cluster_state"] == "ok" and linked and counts == (masters, replicas):
                    return
        except redis.RedisError as error:
            seen = error
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)


async def test_three_masters_come_up_and_scenarios_run_on_them(environ: dict[str, str]) -> None:
    do(environ, "up", "-d")
    for number in range(1, 4):
        nodes(environ[f"P{number}"], masters=3, replicas=0)
    scenarios = pick(ROOT / "scenarios", ["job/add", "worker/complete"])
    url = f"redis+cluster://{HOST}:{environ['P1']}"
    options = Options(scenarios=scenarios, implementation="ref", server=url, arms=("self",))
    verdicts = [entry.verdict async for entry in run(options) if isinstance(entry, CellEntry)]
    assert [verdict.word for verdict in verdicts] == ["pass"] * 2, verdicts


def test_the_profile_gives_each_master_a_replica(environ: dict[str, str]) -> None:
    do(environ, "--profile", "replicas", "up", "-d")
    for number in range(1, 7):
        nodes(environ[f"P{number}"], masters=3, replicas=3)


def test_each_node_is_seen_to_be_healthy(environ: dict[str, str]) -> None:
    do(environ, "up", "-d")
    deadline = time.monotonic() + READY_S
    while (shown := do(environ, "ps")).count("healthy") < 3:
        assert time.monotonic() < deadline, shown
        time.sleep(0.1)
