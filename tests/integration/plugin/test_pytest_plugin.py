"""`pytest --bullmq-impl …` has a test for each cell, alone and under xdist, and nothing without the option."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NULL = f"cmd:{shlex.join([sys.executable, str(ROOT / 'tests' / 'drivers' / 'null.py')])}"
SELECT = ("--bullmq-select", "job/add", "--bullmq-arm", "self")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project beside an installed harness: only its entry point makes the plugin known."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["pytest11"]
    info = tmp_path / "site" / "harness_for_tests-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: harness-for-tests\nVersion: 1.0\n")
    lines = "".join(f"{name} = {module}\n" for name, module in points.items())
    (info / "entry_points.txt").write_text(f"[pytest11]\n{lines}")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"
    )
    return tmp_path


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(project / "site"), str(ROOT)))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:valkey", "-p", "no:cacheprovider", *words],
        cwd=project,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_each_cell_is_a_test_that_passes_where_node_stands_for_the_port(project: Path) -> None:
    """(T163)"""
    done = run(project, "--bullmq-impl", "node@5.62.0", *SELECT, "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bullmq-compat::job/add[self,single] PASSED" in done.stdout
    assert "bullmq-compat::job/add[self,cluster] PASSED" in done.stdout


def test_a_port_that_does_nothing_fails_in_words_and_without_a_traceback(project: Path) -> None:
    done = run(project, "--bullmq-impl", NULL, *SELECT, "--bullmq-topology", "single")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "breaks-peer  job/add#" in done.stdout and "  oracle  " in done.stdout
    assert "Traceback" not in done.stdout and "plugin.py" not in done.stdout


def test_cells_are_spread_over_the_workers_of_xdist(project: Path) -> None:
    words = (
        "--bullmq-select",
        "job/add",
        "--bullmq-select",
        "job/lifo",
        "--bullmq-topology",
        "single",
        "-n",
        "2",
        "-v",
    )
    done = run(project, "--bullmq-impl", "node@5.62.0", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[gw0]" in done.stdout and "[gw1]" in done.stdout and done.stdout.count(" PASSED ") >= 4


def test_cells_are_chosen_by_k(project: Path) -> None:
    done = run(project, "--bullmq-impl", "node@5.62.0", "--bullmq-select", "job/*", "-k", "lifo and self", "--co", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[:2] == [
        "bullmq-compat::job/lifo[self,single]",
        "bullmq-compat::job/lifo[self,cluster]",
    ]


def test_without_the_option_there_are_no_cells_and_the_harness_is_not_loaded(project: Path) -> None:
    (project / "test_own.py").write_text(
        "import sys\n\ndef test_own():\n    assert 'compat.pytest_plugin' in sys.modules\n"
        "    assert not {'compat.cli', 'compat.execute', 'redis', 'msgspec'} & set(sys.modules)\n"
    )
    done = run(project, "-q")
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_driver_that_cannot_be_started_is_told_in_words(project: Path) -> None:
    done = run(project, "--bullmq-impl", "cmd:/no/such/driver", *SELECT)
    assert done.returncode == 1
    assert "/no/such/driver" in done.stdout and "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--bullmq-arm", "sefl"), "there are self, produce"),
        (("--bullmq-gate", "loose"), "there are breaks-peer"),
        (("--bullmq-select", "retry/fixde"), "did you mean"),
        (("--bullmq-known", "/no/known.yaml"), "/no/known.yaml"),
    ],
)
def test_wrong_usage_is_told_in_words(project: Path, words: tuple[str, ...], told: str) -> None:
    done = run(project, "--bullmq-impl", "ref", *words)
    assert done.returncode == 4 and told in done.stderr and "Traceback" not in done.stderr, done.stderr
