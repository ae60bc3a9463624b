"""Programs written for PyPI's `bullmq` do the same when only their import is changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compat.drivers import ImplementationError
from compat.ports import environments
from compat.servers import start

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data"
DEADLINE = 60  # s
VERSIONS = ("2.17.0", "3.4.0")
PROGRAMS = [
    *((version, program) for version in VERSIONS for program in ("working", "managing", "flowing")),
    ("3.4.0", "newer"),
]


def package(version: str) -> str:
    """The Python that has PyPI's `bullmq` in this version."""
    try:
        return environments.command(f"pypi-bullmq@{version}")[0]
    except ImplementationError as error:
        pytest.skip(str(error))


def outcome(python: str, program: str, module: str) -> object:
    """What the program prints, on an empty server."""
    running = start("single")
    try:
        done = subprocess.run(
            [python, HERE / "programs" / f"{program}.py", module],
            env={**os.environ, "REDIS_URL": f"redis://{running.nodes[0].host}:{running.nodes[0].port}"},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
    except subprocess.TimeoutExpired:
        if module == "bullmq":  # PyPI's own package: nothing of ours to judge
            pytest.skip(f"the package itself did not end {program} within {DEADLINE} s")
        raise
    finally:
        running.stop()
    assert done.returncode == 0, f"{module}: {done.stderr}"
    return json.loads(done.stdout)


@pytest.mark.parametrize(("version", "program"), PROGRAMS)
def test_a_program_has_the_same_outcome_with_either(version: str, program: str) -> None:
    theirs = outcome(package(version), program, "bullmq")
    assert outcome(sys.executable, program, "bullmq_ref.dropin") == theirs


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_of_the_packages_api_is_what_the_package_says(version: str) -> None:
    done = subprocess.run(
        [package(version), "-I", DATA / "pypi_bullmq_api.py"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((DATA / f"pypi_bullmq_api-{version}.json").read_text("utf-8"))
