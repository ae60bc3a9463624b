"""Chaos in short: Node and the reference share a queue while things break, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


def chaos(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "compat", "chaos", *arguments]


def test_nothing_is_lost_and_what_is_doubled_is_explained(tmp_path: Path) -> None:
    written, page = tmp_path / "chaos.json", tmp_path / "chaos.md"
    page.write_text("before\n<!-- figures: begin --><!-- figures: end -->\nafter\n")
    words = chaos("--jobs", "5000", "--seed", "1", "--json", str(written), "--docs", str(page))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    account = json.loads(written.read_text())
    assert (account["lost"], account["ended_twice"], account["good"]) == ([], [], True)
    assert account["answered"] + account["unknown"] == 5_000
    assert account["completed"] + account["failed"] == account["added"] >= account["answered"]
    assert account["failed"] >= 50  # as planned
    assert set(account["runs"]) == {"node", "ref"}
    struck = {strike["fault"] for strike in account["strikes"]}
    assert struck >= {"worker-killed", "node-killed", "scripts-flushed", "connection-reset", "reply-lost"}
    assert "| lost | 0 |" in page.read_text()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(number: signal.Signals, code: int) -> None:
    """No folder, and so no server (its guard removes the folder when it ends the servers) and no journal."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            chaos("--jobs", "5000", "--seed", "1", "--faults", "scripts-flushed"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": folder},
        )
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                if "fault 1" in line:  # everything is at work
                    break
            process.send_signal(number)
            process.stdout.read()
        assert process.returncode == code
        assert list(Path(folder).iterdir()) == []


def test_an_unknown_fault_is_a_usage_error() -> None:
    done = subprocess.run(chaos("--faults", "earthquake"), capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "there are worker-killed" in done.stderr
