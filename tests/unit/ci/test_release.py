"""A release is made only of what is complete, and says what is missing (T181–T188)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci import release
from ci.house import House
from ci.release import Check, Repository

LOG = """\
# Changelog

## [Unreleased]

To be 0.2.0, the second release.

### Added
- A library.

## [0.1.0] - 2026-01-01

### Added
- A beginning.
"""
STABLE = """\
# Stability

```
2026-11-24T12:00:00+00:00: bullmq 5.62.0 against bullmq 5.62.0
  0 differences; 0 of 173,000 runs not as the oracle
```
"""
FILES = {
    "pyproject.toml": '[project]\nname = "bullmq-compat"\nversion = "0.1.0"\n',
    "CHANGELOG.md": LOG,
    "LIMITS.md": "# Limits\n\n## Not yet\n\nNone.\n",
    "docs/stability.md": STABLE,
    ".gitignore": ".state/\n",
}


@pytest.fixture(autouse=True)
def git_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests has settings and hooks of their own."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A checkout that is ready to be released."""
    root = tmp_path / "checkout"
    (root / "docs").mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch", "main")
    for name, text in FILES.items():
        (root / name).write_text(text)
    yield committed(House(root))


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def committed(house: House) -> House:
    """With all that it holds committed, and checked."""
    git(house.root, "add", "--all")
    git(house.root, "commit", "--quiet", "--allow-empty", "-m", "work")
    release.stamp(house)
    return house


def changed(house: House, name: str, text: str) -> House:
    (house.root / name).write_text(text)
    return committed(house)


def missing(house: House, version: str = "1.0.0") -> dict[str, str]:
    return {check.name: wrong for check in release.stated(house, version) if (wrong := check.look())}


def nothing(house: House) -> tuple[Check, ...]:
    return ()


def test_a_checkout_that_is_ready_misses_nothing(house: House) -> None:
    assert missing(house) == {}


def test_a_dry_run_changes_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    before = git(house.root, "rev-parse", "HEAD")
    assert release.run(house, ["1.0.0"], nothing) == 0
    assert "1.0.0 is ready" in capsys.readouterr().err
    assert git(house.root, "status", "--porcelain") == "" and git(house.root, "tag") == ""
    assert git(house.root, "rev-parse", "HEAD") == before


def test_tag_makes_version_changelog_commit_and_tag(house: House) -> None:
    assert release.run(house, ["1.0.0", "--tag"], nothing) == 0
    assert 'version = "1.0.0"' in (house.root / "pyproject.toml").read_text()
    log = (house.root / "CHANGELOG.md").read_text()
    assert release.entries(log, "## [1.0.0]") == "### Added\n- A library."
    assert release.entries(log, "## [Unreleased]") == "" and "## [0.1.0] - 2026-01-01" in log
    assert git(house.root, "status", "--porcelain") == ""
    assert git(house.root, "log", "-1", "--format=%s") == "Release 1.0.0"
    assert git(house.root, "tag", "--points-at", "HEAD") == "v1.0.0"
    notes = git(house.root, "tag", "--list", "--format=%(contents)", "v1.0.0")
    assert notes == "bullmq-compat 1.0.0\n\n### Added\n- A library."


def test_a_second_release_of_a_version_is_refused(house: House) -> None:
    assert release.run(house, ["1.0.0", "--tag"], nothing) == 0
    release.stamp(house)
    found = missing(house)
    assert "v1.0.0 is there already" in found["version"] and "a section for 1.0.0 already" in found["CHANGELOG.md"]


@pytest.mark.parametrize(
    ("name", "text", "check", "words"),
    [
        ("pyproject.toml", 'version = "2.0.0"\n', "version", "1.0.0 comes before 2.0.0"),
        ("pyproject.toml", "[project]\n", "version", "pyproject.toml has version none"),
        ("CHANGELOG.md", LOG.replace("- A library.\n", ""), "CHANGELOG.md", "no entry under `## [Unreleased]`"),
        ("CHANGELOG.md", "# Changelog\n", "CHANGELOG.md", "no entry under `## [Unreleased]`"),
        ("LIMITS.md", "\n## Not yet\n\n- Docs: T181–T188\n", "LIMITS.md", "`Not yet` names T181–T188"),
        ("LIMITS.md", "# Limits\n", "LIMITS.md", "no section `## Not yet`"),
        ("docs/stability.md", "# Stability\n", "stability", "no dated result"),
        ("docs/stability.md", STABLE.replace("0 of", "3 of"), "stability", "2026-11-24 in docs/stability.md shows"),
        ("docs/stability.md", STABLE.replace("0 diff", "10 diff"), "stability", "shows differences"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(house: House, name: str, text: str, check: str, words: str) -> None:
    found = missing(changed(house, name, text))
    assert set(found) == {check}
    assert words in found[check]


def test_a_missing_result_of_stability_says_how_to_get_one(house: House) -> None:
    (house.root / "docs" / "stability.md").unlink()
    assert "bullmq-compat stability --repeats 100 --page docs/stability.md" in missing(committed(house))["stability"]


def test_what_is_not_committed_is_named(house: House) -> None:
    (house.root / "new.py").write_text("")
    assert missing(house)["tree"].startswith("new.py not committed")


def test_tests_must_have_passed_on_what_is_committed(house: House) -> None:
    git(house.root, "commit", "--quiet", "--allow-empty", "-m", "other words, same content")
    assert missing(house) == {}
    (house.root / "new.py").write_text("")
    git(house.root, "add", "--all")
    git(house.root, "commit", "--quiet", "-m", "more")
    assert "run `python3 ci check`" in missing(house)["tests"]


def test_tests_that_passed_on_what_is_not_committed_count_for_nothing(house: House) -> None:
    house.stamps.drop([release.CHECKED])
    (house.root / "new.py").write_text("")
    release.stamp(house)
    assert "tests" in missing(house)


def test_a_folder_without_a_repository_can_be_checked_all_the_same(tmp_path: Path) -> None:
    release.stamp(House(tmp_path))
    assert not (tmp_path / ".state").exists()


def test_another_branch_is_refused(house: House) -> None:
    git(house.root, "checkout", "--quiet", "-b", "work")
    assert missing(house)["branch"] == "this is work; a release is made on main"


def test_all_that_is_missing_is_told_and_nothing_long_is_tried(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(changed(house, "LIMITS.md", ""), "CHANGELOG.md", "")

    def never(house: House) -> tuple[Check, ...]:
        raise AssertionError("what is written down comes first")

    assert release.run(house, ["1.0.0", "--tag"], never) == 1
    told = capsys.readouterr().err
    assert "missing CHANGELOG.md: " in told and "missing LIMITS.md: " in told and "nothing was changed" in told
    assert Repository(house.root).git("tag") == ""


def test_a_trial_that_fails_keeps_the_tag_away(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    def failing(house: House) -> tuple[Check, ...]:
        return (Check("suite", lambda: "it failed; see above"),)

    assert release.run(house, ["1.0.0", "--tag"], failing) == 1
    assert "missing suite: it failed" in capsys.readouterr().err
    assert git(house.root, "tag") == ""


@pytest.mark.parametrize("arguments", [[], ["1.0"], ["v1.0.0"], ["01.0.0"], ["1.0.0", "2.0.0"], ["--tag"], ["--push"]])
def test_anything_but_one_version_is_refused(
    house: House, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert release.run(house, arguments, nothing) == 64
    assert "python3 ci release 1.0.0" in capsys.readouterr().err


def test_linters_suite_documentation_and_wheel_are_tried(house: House) -> None:
    names = [check.name for check in release.tried(house)]
    assert names == ["ruff check", "ruff format", "mypy", "import contracts", "suite", "documentation", "wheel"]
