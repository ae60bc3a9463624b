"""No build without BullMQ's scripts."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from bullmq_ref import lua
from ci import hatch_build

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(not lua.INSTALLED.exists(), reason="BullMQ's scripts are not installed")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An unpacked sdist, as far as the scripts go."""
    (tmp_path / "bullmq_ref").mkdir()
    for name in ("lua.py", "lua.sha256"):
        shutil.copy(ROOT / "bullmq_ref" / name, tmp_path / "bullmq_ref")
    shutil.copytree(lua.INSTALLED, tmp_path / "bullmq_ref" / "_lua")
    return tmp_path


def test_scripts_that_are_there_are_built_in(source: Path) -> None:
    hatch_build.scripts(source)


@pytest.mark.parametrize("change", ["missing", "changed"])
def test_a_build_is_refused_when_a_script_is_missing_or_differs(source: Path, change: str) -> None:
    """A wheel without them would fail at a user's first job."""
    script = source / "bullmq_ref" / "_lua" / "addLog-2.lua"
    if change == "missing":
        script.unlink()
    else:
        script.write_text(script.read_text() + "\n")
    with pytest.raises(hatch_build.ScriptsMissing, match=r"addLog-2(.|\n)*python3 ci setup"):
        hatch_build.scripts(source)


def test_what_the_harness_needs_beside_its_python_is_there_to_be_built_in() -> None:
    assert [name for name in hatch_build.HARNESS if not (ROOT / name).exists()] == []


def test_every_program_of_node_comes_along() -> None:
    """A harness from a wheel finds the driver, and the programs of `chaos` and `bench`."""
    programs = {f"node/{file.name}" for file in (ROOT / "node").glob("*.mjs")}
    assert programs - set(hatch_build.HARNESS) == set()


def test_a_source_distribution_holds_all_that_a_wheel_is_built_of() -> None:
    sdist = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert set(hatch_build.HARNESS) - set(sdist["only-include"]) == set()
