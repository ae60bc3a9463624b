"""The stability check: which scenarios a change touches, and which runs follow."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ci import stability
from ci.house import House


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "scenarios" / "retry").mkdir(parents=True)
    for name in ("kept", "changed", "removed"):
        (tmp_path / "scenarios" / "retry" / f"{name}.yaml").write_text("id: x\n")
    identity = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True)
    return tmp_path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    asked: list[list[str]] = []

    def note(argv: list[str], **_: object) -> int:
        asked.append([str(word) for word in argv[3:]])
        return len(asked) - 1  # the second run finds a difference

    monkeypatch.setattr(stability.subprocess, "call", note)
    return asked


def test_the_whole_suite_runs_three_times_and_what_was_touched_twenty(repository: Path, runs: list[list[str]]) -> None:
    folder = repository / "scenarios" / "retry"
    (folder / "changed.yaml").write_text("id: y\n")
    (folder / "new.yaml").write_text("id: z\n")
    (folder / "removed.yaml").unlink()
    (repository / "README.md").write_text("no scenario\n")
    assert stability.run(House(repository), "HEAD") == 1
    whole, often = runs
    assert whole == ["stability", "--repeats", "3", "--quiet"]
    assert often == ["stability", "retry/changed", "retry/new", "--repeats", "20", "--quiet"]


def test_a_change_without_scenarios_runs_the_whole_suite_only(
    repository: Path, runs: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert stability.run(House(repository), "HEAD") == 0
    assert len(runs) == 1 and "no scenario was touched" in capsys.readouterr().err


def test_a_commit_that_is_not_there_is_said_and_nothing_runs(
    repository: Path, runs: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert stability.run(House(repository), "nowhere") == 3
    assert not runs and "no commit 'nowhere'" in capsys.readouterr().err


def test_only_scenarios_count() -> None:
    assert stability.touched(["scenarios/a/b.yaml", "scenarios/a/README.md", "docs/a.yaml"]) == ("a/b",)
