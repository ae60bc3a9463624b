"""What is checked, with which tools and arguments."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ci.house import House

COVERAGE_FLOOR = 80  # per cent of bullmq_ref and compat, branches included


@dataclass(frozen=True)
class Tool:
    """A tool of the project's environment: the name to show, and its words."""

    name: str
    words: tuple[str, ...]


LINTERS = (
    Tool("ruff check", ("ruff", "check")),
    Tool("ruff format", ("ruff", "format", "--check")),
    Tool("mypy", ("mypy",)),
    Tool("import contracts", ("lint-imports", "--no-cache")),
)

_SELECTING = (
    "-k",
    "-m",
    "--lf",
    "--last-failed",
    "--sw",
    "--stepwise",
    "--deselect",
    "--ignore",
    "--co",
    "--collect-only",
)
_INFORMING = ("-h", "--help", "--version", "-V", "--markers", "--fixtures")


def covers_everything(arguments: Sequence[str]) -> bool:
    """Whether pytest runs the whole suite with these arguments: nothing but options, and none that selects tests."""
    return not any(
        not argument.startswith("-") or argument.startswith(_SELECTING) or argument in _INFORMING
        for argument in arguments
    )


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pytest_arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """The caller's arguments with the house's before them: workers, and coverage where all tests run."""
    workers = ("-n", str(cores() + 1), "--dist", "loadgroup")  # one more: tests wait for servers and deadlines, too
    coverage = ("--cov", "--cov-report=term:skip-covered", f"--cov-fail-under={COVERAGE_FLOOR}")
    return (*workers, *(coverage if covers_everything(arguments) else ()), *arguments)


def failures(house: House, tools: Sequence[Tool]) -> list[str]:
    """Runs the tools one after the other, each in view; the names of those that failed."""
    failed: list[str] = []
    for tool in tools:
        sys.stderr.write(f"── {tool.name}\n")
        sys.stderr.flush()
        started = time.monotonic()
        code = subprocess.call(
            [house.venv / "bin" / tool.words[0], *tool.words[1:]], cwd=house.root, env=house.activated()
        )
        sys.stderr.write(
            f"  {time.monotonic() - started:5.1f} s  {tool.name}{'' if code == 0 else f': exit code {code}'}\n"
        )
        if code != 0:
            failed.append(tool.name)
    return failed
