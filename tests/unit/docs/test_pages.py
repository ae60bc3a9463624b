"""The pages at the top of the repository name what is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import bullmq_ref
from ci import commands

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LIMITS.md", "ARCHITECTURE.md")]
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    """(T176)"""
    assert [link for link in _LINK.findall(page.read_text("utf-8")) if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists(page: Path) -> None:
    """(T179)"""
    named = set(re.findall(r"python3(?:\.\d+)? ci ([a-z]+)", page.read_text("utf-8")))
    assert named <= commands.COMMANDS.keys()


def test_contributing_tells_of_every_command() -> None:
    """(T179)"""
    told = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [name for name in commands.COMMANDS if f"python3 ci {name}" not in told] == []


def test_the_changelog_tells_of_the_version_that_is_built() -> None:
    """(T180)"""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## \[{re.escape(version)}\]|^## \[Unreleased\]\n+To be {re.escape(version)}", text, flags=re.M)


def test_every_public_name_of_the_library_has_a_place_in_the_reference() -> None:
    """(T177)"""
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))
    shown = set(re.findall(r"^::: bullmq_ref\.\S*?(\w+)$", pages, flags=re.M))
    errors = {name for name in bullmq_ref.__all__ if hasattr(bullmq_ref.errors, name)}
    assert set(bullmq_ref.__all__) - errors - shown == set()
