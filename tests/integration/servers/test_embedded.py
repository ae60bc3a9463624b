"""Servers that the harness starts itself, and that are gone when it is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from compat.model.scenario import TopologyName
from compat.servers import Server, ServerError, embedded, find_binary, start
from compat.servers.binary import Binary
from compat.servers.forming import agree, epochs, is_formed
from compat.servers.own import _by_meeting
from compat.servers.process import Processes, free_ports

TOPOLOGIES: tuple[TopologyName, ...] = ("single", "cluster")


def until(fact: Callable[[], bool], what: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def pid_at(port: int) -> int:
    with redis.Redis(port=port) as client:
        return int(client.info("server")["process_id"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made in this test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("topology", TOPOLOGIES)
async def test_a_server_lives_as_long_as_its_context(topology: TopologyName, folder: Path) -> None:
    async with embedded(topology) as server:
        assert server.own
        assert server.topology == topology
        assert all([await server.client(node).ping() for node in server.nodes])
        pids = [pid_at(node.port) for node in server.nodes]
        assert len(left(folder)) == 1
    assert not any(map(alive, pids))
    assert left(folder) == []


async def test_the_title_names_what_serves() -> None:
    binary = find_binary()
    async with embedded("single", binary=binary) as server:
        assert server.title == f"{binary.flavour} {binary.version}, embedded"
        assert server.version == binary.version
    async with embedded("cluster", binary=binary.path) as server:
        assert server.title == f"{binary.flavour} {binary.version}, embedded, 3 masters"


async def test_nothing_of_a_server_survives_an_exception(folder: Path) -> None:
    pids: list[int] = []
    with pytest.raises(ZeroDivisionError):
        async with embedded("cluster") as server:
            pids += [pid_at(node.port) for node in server.nodes]
            raise ZeroDivisionError
    assert not any(map(alive, pids))
    assert left(folder) == []


async def test_nothing_of_a_server_survives_a_start_that_nobody_waits_for(folder: Path) -> None:
    entered = False

    async def use() -> None:
        nonlocal entered
        async with embedded("cluster"):
            entered = True

    task = asyncio.create_task(use())
    await asyncio.to_thread(until, lambda: bool(left(folder)), "a folder is made")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not entered
    await asyncio.to_thread(until, lambda: not left(folder), "the folder is removed")


async def test_many_servers_start_at_once() -> None:
    async def ask(topology: TopologyName) -> int:
        async with embedded(topology) as server:
            return sum([await server.client(node).ping() for node in server.nodes])

    assert await asyncio.gather(*map(ask, TOPOLOGIES * 3)) == [1, 3] * 3


@pytest.mark.parametrize("replicas", [False, True])
async def test_the_masters_of_a_new_cluster_agree_on_their_epochs(replicas: bool) -> None:
    """Else a slot that one gives to another just then may be claimed back, and stay without an owner for good."""
    async with embedded("cluster", replicas=replicas) as server:
        clients = [server.client(node) for node in server.nodes]
        views = await asyncio.gather(*(client.execute_command("CLUSTER", "NODES") for client in clients))
    assert agree([epochs(view) for view in views]), views


def test_nodes_that_meet_become_a_cluster() -> None:
    """The way around, for binaries with which the quick one fails (T109)."""
    processes = Processes(find_binary())
    try:
        nodes = _by_meeting(processes)
        for node in nodes:
            with redis.Redis(node.host, node.port) as client:
                assert is_formed(client, 3)
    finally:
        processes.stop()


def test_a_taken_port_is_not_mistaken_for_the_server_that_was_started(monkeypatch: pytest.MonkeyPatch) -> None:
    first = start("single")
    taken = first.nodes[0].port
    try:
        ports = iter([(taken,), (taken,)])
        monkeypatch.setattr("compat.servers.own.free_ports", lambda count, **_: next(ports, None) or free_ports(count))
        second = start("single")
        try:
            assert second.nodes[0].port != taken
            assert pid_at(second.nodes[0].port) != pid_at(taken)
        finally:
            second.stop()
    finally:
        first.stop()


def test_the_port_of_a_server_that_was_killed_is_kept_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is started again there, and another server of any harness might have come meanwhile."""
    first = start("single")
    port = first.nodes[0].port
    try:
        first.processes.kill(port)
        monkeypatch.setattr("compat.servers.process.PORTS", range(port, port + 1))
        with pytest.raises(ServerError, match="0 free ports"):
            free_ports(1)
        first.processes.restart(port)
        first.processes.ready(port).close()
    finally:
        first.stop()
    assert free_ports(1) == (port,)


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    fake = tmp_path / "server"
    fake.write_text("#!/bin/sh\necho no such luck\nexit 3\n")
    fake.chmod(0o755)
    with pytest.raises(ServerError, match="ended with 3; its log ends with\nno such luck"):
        start("single", Binary(fake, "redis", "7.0.0"))


HARNESS = """
import asyncio, json, sys
from compat.servers import embedded

async def main(topology):
    async with embedded(topology) as server:
        pids = [(await server.client(node).info("server"))["process_id"] for node in server.nodes]
        print(json.dumps(pids), flush=True)
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_a_server_survives_its_harness(topology: TopologyName, sent: signal.Signals, folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, topology], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as harness:
        assert harness.stdout
        pids = json.loads(harness.stdout.readline())
        assert all(map(alive, pids))
        harness.send_signal(sent)
        harness.wait(10)
    until(lambda: not any(map(alive, pids)), "the servers end")
    until(lambda: not left(folder), "the folder is removed")


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_ctrl_c_leaves_the_servers_to_the_harness(topology: TopologyName) -> None:
    """The terminal sends SIGINT to the whole foreground group; cells are closed before their server ends."""
    running = start(topology)
    try:
        groups = {os.getpgid(pid_at(node.port)) for node in running.nodes}
        assert len(groups) == 1
        assert os.getpgrp() not in groups
    finally:
        running.stop()
    running.stop()  # again: nothing to do


async def test_a_server_of_the_session_serves_every_event_loop() -> None:
    running = start("single")
    try:

        async def ask() -> bool:
            async with running.server() as server:
                return bool(await server.client(server.nodes[0]).ping())

        assert await ask()
        assert await asyncio.to_thread(lambda: asyncio.run(ask()))
    finally:
        running.stop()


async def test_debug_is_allowed_on_an_own_server(single_server: Server) -> None:
    assert await single_server.client(single_server.nodes[0]).execute_command("DEBUG", "SLEEP", "0")
