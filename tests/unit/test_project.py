"""The project's own set-up: what is installed, declared, checked, and where things lie (T001–T006)."""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_package_is_installed_under_its_name_with_types() -> None:
    """(T001)"""
    installed = importlib.metadata.distribution("bullmq-compat")
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", installed.version)
    assert (ROOT / "bullmq_ref" / "py.typed").is_file()


def test_whatever_the_library_imports_is_declared(project: Any) -> None:
    """(T002)"""
    declared = {
        re.split(r"[\[<>=; ]", requirement)[0].replace("-", "_")
        for requirement in (
            *project["project"]["dependencies"],
            *project["project"]["optional-dependencies"]["prometheus"],
            *project["project"]["optional-dependencies"]["opentelemetry"],
        )
    }
    known = {"opentelemetry": "opentelemetry_api", "hiredis": "redis"}
    imported = set()
    for file in (ROOT / "bullmq_ref").rglob("*.py"):
        imported |= set(re.findall(r"^\s*(?:from|import) (\w+)", file.read_text("utf-8"), re.MULTILINE))
    typing_only = {"typing_extensions"}
    own = {"bullmq_ref"}
    foreign = {known.get(name, name) for name in imported - sys.stdlib_module_names - own - typing_only}
    assert foreign <= declared
    assert "redis" in foreign


def test_linter_and_type_checker_are_configured_strictly(project: Any) -> None:
    """(T003, T004)"""
    assert project["tool"]["mypy"]["strict"] is True
    assert {"E", "F", "I", "B", "ASYNC"} <= set(project["tool"]["ruff"]["lint"]["select"])
    assert "error" in project["tool"]["pytest"]["ini_options"]["filterwarnings"]


@pytest.mark.parametrize(
    "folder",
    [
        *("bullmq_ref", "compat", "node", "scenarios"),
        *("tests/unit", "tests/integration", "tests/load", "docs/examples"),
    ],
)
def test_everything_has_its_folder(folder: str) -> None:
    """(T005)"""
    assert any((ROOT / folder).iterdir())


@pytest.mark.parametrize("example", ["worker", "producer", "queue_management"])
def test_there_is_an_example_for_each_part(example: str) -> None:
    """(T006)"""
    assert (ROOT / "docs" / "examples" / f"{example}.py").is_file()


def test_node_bullmq_is_pinned_to_the_version_whose_scripts_are_checked() -> None:
    """(T157) The same in package.json and in its lock."""
    wanted = json.loads((ROOT / "node" / "package.json").read_text("utf-8"))["dependencies"]["bullmq"]
    locked = json.loads((ROOT / "node" / "package-lock.json").read_text("utf-8"))["packages"]["node_modules/bullmq"]
    assert wanted == locked["version"] == "5.62.0"
    assert locked["integrity"].startswith("sha512-")


def test_ci_runs_the_suite_against_node_on_every_push() -> None:
    """(T159)"""
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    assert "\n  push:" in workflow and "\n  pull_request:" in workflow
    assert re.search(r"run: python3 ci run\b", workflow)
    assert re.search(r"run: bash \.ci/run\b", workflow)
