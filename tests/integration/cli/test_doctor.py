"""The doctor starts real servers and real drivers, and tells what is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REQUIRED = [
    "python", "packages", "node", "bullmq", "ioredis", "Lua scripts", "server binary", "one Redis", "Cluster",
    "oracle driver", "reference driver",
]  # fmt: skip


def doctor(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "compat", "doctor", *words],
        capture_output=True, text=True, timeout=120, env=os.environ | environment,
    )  # fmt: skip


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def test_a_machine_that_is_set_up_has_all_that_is_required() -> None:
    done = doctor("--json")
    found = checks(done)
    assert [name for name in REQUIRED if not found[name]["ok"]] == []
    assert (done.returncode, json.loads(done.stdout)["ok"], done.stderr) == (0, True, "")
    assert found["bullmq"]["seen"] == "5.62.0" and "49 scripts" in found["Lua scripts"]["seen"]
    assert "3 masters: up in" in found["Cluster"]["seen"]
    assert found["oracle driver"]["seen"].startswith("bullmq 5.62.0")


def test_what_is_missing_is_told_with_how_to_get_it_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    done = doctor("--json", BULLMQ_REF_REDIS_SERVER=str(tmp_path / "no-such-server"))
    found = checks(done)
    assert (done.returncode, done.stderr) == (3, "")
    assert not found["server binary"]["ok"] and "no-such-server" in found["server binary"]["seen"]
    assert found["server binary"]["remedy"]
    assert not found["one Redis"]["ok"] and not found["Cluster"]["ok"]
    assert found["oracle driver"]["ok"]


def test_words_name_what_is_missing_last(tmp_path: Path) -> None:
    done = doctor(BULLMQ_REF_REDIS_SERVER=str(tmp_path / "no-such-server"))
    assert done.returncode == 3
    assert done.stdout.rstrip().splitlines()[-1] == "missing: server binary, one Redis, Cluster"
    assert "to do: " in done.stdout and "\x1b" not in done.stdout
