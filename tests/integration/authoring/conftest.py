import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from compat.cli.app import cli

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def call() -> Callable[..., tuple[int, str]]:
    """`bullmq-compat ARGUMENTS…`: its exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, list(arguments), standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.return_value, result.output

    return run


@pytest.fixture
def python() -> str:
    return sys.executable


@pytest.fixture
def root() -> Path:
    return ROOT
