"""Environments of their own for ports from PyPI."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compat.drivers import ImplementationError
from compat.ports import environments
from compat.ports.environments import command

NAME = "pypi-bullmq@2.17.0"


def version(python: str) -> str:
    program = "import importlib.metadata as m; print(m.version('bullmq'))"
    return subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_an_environment_is_made_once_even_when_two_ask_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: command(NAME, tmp_path), range(2))
    assert first == second
    assert version(first[0]) == "2.17.0"
    assert Path(first[-1]).name == "pypi_bullmq.py"
    made = Path(first[0]).lstat().st_ino
    assert command(NAME, tmp_path) == first
    assert Path(first[0]).lstat().st_ino == made


def test_an_environment_that_was_not_finished_is_made_anew(tmp_path: Path) -> None:
    python, *_ = command(NAME, tmp_path)
    (tmp_path / "bullmq-2.17.0" / "ready").unlink()
    left = tmp_path / "bullmq-2.17.0" / "left-over"
    left.touch()
    command(NAME, tmp_path)
    assert version(python) == "2.17.0"
    assert not left.exists()


@pytest.mark.parametrize("name", ["pypi-bullmq@", "pypi-bullmq@2.17.0;x", "pypi-bullmq@../..", "pypi-other@1.0"])
def test_what_names_no_port_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImplementationError, match="there is pypi-bullmq@VERSION, with a version like"):
        command(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_version_that_is_not_on_pypi_is_told_of_with_what_was_tried(tmp_path: Path) -> None:
    with pytest.raises(ImplementationError, match=r"no environment could be made for bullmq==0\.0\.0\.1") as raised:
        command("pypi-bullmq@0.0.0.1", tmp_path)
    assert "is that version on PyPI" in str(raised.value)
    assert "ended with exit code" in str(raised.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImplementationError, match="file, which cannot be written: "):
        command(NAME, tmp_path / "file")


def test_without_uv_an_environment_is_made_by_venv_and_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is asked for is looked at: pip takes its time."""
    asked: list[list[str]] = []

    def note(words: list[str]) -> subprocess.CompletedProcess[str]:
        asked.append(words)
        if "venv" in words:
            Path(words[-1]).mkdir()
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(environments, "_uv", lambda: None)
    monkeypatch.setattr(environments, "attempt", note)
    python, *_ = command(NAME, tmp_path)
    home = str(tmp_path / "bullmq-2.17.0")
    assert asked == [
        [sys.executable, "-m", "venv", home],
        [python, "-m", "pip", "install", "--no-input", "bullmq==2.17.0"],
    ]
