"""`bullmq-compat shadow`: real workers of Node and of a port on one queue; what is wrong with a port is told."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from compat.servers import Server

DRIVERS = Path(__file__).resolve().parents[2] / "drivers"
DEADLINE = 120  # s; processes that are started take their time on a busy machine
QUICK = ("--jobs", "60", "--rate", "200", "--seed", "5")


def shadow(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "compat", "shadow", *map(str, arguments)]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(shadow(*arguments), capture_output=True, text=True, check=False)


def spoiled(how: str) -> str:
    return f"cmd:{sys.executable} {DRIVERS / 'spoiled.py'} {how}"


def url(server: Server) -> str:
    return f"redis://{server.nodes[0]}"


@pytest.mark.parametrize("topology", ["single", "cluster"])
def test_the_reference_and_node_share_a_queue_and_leave_the_same(topology: str, tmp_path: Path) -> None:
    """T154: every job is ended once, by either side, and its twin by the other one."""
    files = {name: tmp_path / f"shadow.{name}" for name in ("json", "html", "chart")}
    done = run(*QUICK, "--topology", topology, *(word for name, path in files.items() for word in (f"--{name}", path)))
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads(files["json"].read_text())
    assert record["good"]
    assert record["jobs"]["completed"] + record["jobs"]["failed"] == record["jobs"]["added"] == 60
    assert record["ended"] == {"oracle": 30, "port": 30}
    assert (record["pairs"], record["divergences"], record["lost"], record["laws"]) == (30, [], [], [])
    assert {(row["what"], row["side"]) for row in record["latencies_ms"]} == {
        (what, side) for what in ("added → active", "active → ended") for side in ("oracle", "port")
    }
    assert "nothing found" in files["html"].read_text()
    assert files["chart"].read_text().startswith("<svg")


def test_what_a_port_leaves_otherwise_is_told_by_its_twins() -> None:
    done = run(*QUICK, "--impl", spoiled("quotes"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "breaks-peer: job.failedReason of " in done.stdout
    assert "law " not in done.stdout


def test_work_that_a_port_does_twice_is_told() -> None:
    done = run(*QUICK, "--impl", spoiled("twice"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "law worked-once: " in done.stdout
    assert "UNEXPLAINED" in done.stdout


def test_a_port_that_does_not_work_is_stuck_when_it_is_alone() -> None:
    done = run(*QUICK, "--impl", spoiled("idle"), "--patience", "2s")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "are left and nobody has worked on one for 2 s" in done.stdout
    assert "is still in wait" in done.stdout


def test_a_driver_that_only_says_yes_loses_jobs() -> None:
    done = run(*QUICK, "--impl", f"cmd:{sys.executable} {DRIVERS / 'null.py'}", "--patience", "2s")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "was added and is not there" in done.stdout


async def test_a_driver_that_dies_ends_the_run_and_what_there_was_is_reported(
    single_server: Server, prefix: str, tmp_path: Path
) -> None:
    stem, file = prefix.strip("{}"), tmp_path / "shadow.json"
    done = run(*QUICK, "--impl", spoiled("dies"), "--server", url(single_server), "--prefix", stem, "--json", file)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr.replace("stderr: Traceback", "")
    record = json.loads(file.read_text())
    assert "the driver's process ended" in record["stopped"]
    assert record["jobs"]["completed"] > 0
    assert await single_server.client(single_server.nodes[0]).keys(f"{stem}*") == []


async def test_on_a_server_of_others_nothing_is_touched_and_nothing_left(single_server: Server, prefix: str) -> None:
    client = single_server.client(single_server.nodes[0])
    await client.set(f"{prefix}:neighbour", "mine")
    words = (*QUICK, "--server", url(single_server), "--prefix", prefix.strip("{}"), "--queue", "mail")
    done = run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert await client.keys(f"*{prefix.strip('{}')}*") == [f"{prefix}:neighbour".encode()]
    await client.delete(f"{prefix}:neighbour")


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
async def test_a_run_that_is_ended_still_reports_and_leaves_no_key(
    single_server: Server, prefix: str, number: signal.Signals, code: int, word: str
) -> None:
    stem = prefix.strip("{}")
    client = single_server.client(single_server.nodes[0])
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "shadow.json"
        words = ("--duration", "1h", "--seed", "5", "--server", url(single_server), "--prefix", stem, "--json", record)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*shadow(*words), stdout=pipe, stderr=pipe)
        async with asyncio.timeout(DEADLINE):
            while sum([await client.zcard(key) for key in await client.keys(f"{stem}*:completed")]) < 20:
                assert process.returncode is None
                await asyncio.sleep(0.02)
            process.send_signal(number)
            out, err = await process.communicate()
        assert process.returncode == code, out + err
        found: dict[str, Any] = json.loads(record.read_text())
    assert found["stopped"] == word
    assert found["jobs"]["completed"] > 0
    assert (found["laws"], found["lost"]) == ([], [])
    assert await client.keys(f"{stem}*") == []


def test_through_faults_nothing_is_lost_and_twins_are_alike(tmp_path: Path) -> None:
    """Every fault of a single server once; what was run twice has its reason."""
    file = tmp_path / "shadow.json"
    done = run("--jobs", "200", "--seed", "5", "--faults", "all", "--json", file)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads(file.read_text())
    assert {strike["fault"] for strike in record["strikes"]} == set(record["plan"]["faults"])
    assert (record["lost"], record["divergences"], record["ended_twice"]) == ([], [], [])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--faults", "earthquake"), "there are worker-killed"),
        (("--faults", "worker-killed", "--server", "redis://127.0.0.1:1"), "that this command starts itself"),
        (("--queue", "a:b"), "nor with a colon"),
        (("--jobs", "1"), "1 is not in the range"),
        (("--duration", "soon"), "'soon' is no duration"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(words: tuple[str, ...], told: str) -> None:
    done = run(*words)
    assert (done.returncode, told in done.stderr) == (64, True), done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--impl", "cmd:/no/such/driver"), "could not be started"),
        (("--impl", "cobol"), "there is no implementation"),
        (("--server", "redis://127.0.0.1:1"), "cannot be reached"),
    ],
)
def test_what_cannot_be_run_is_told_without_a_traceback(words: tuple[str, ...], told: str) -> None:
    done = run("--jobs", "10", *words)
    assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (3, True, False), done.stderr
