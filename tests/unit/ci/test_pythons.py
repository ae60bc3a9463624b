"""Which Python can run the project."""

import sys
from pathlib import Path

import pytest

from ci import pythons


@pytest.mark.parametrize(
    ("version", "fits"),
    [((3, 8, 18), False), ((3, 10, 0, "final"), False), ((3, 11, 0), True), ((3, 14, 1), True), ((4, 0), True)],
)
def test_python_3_11_is_the_oldest_that_will_do(version: tuple[object, ...], fits: bool) -> None:
    assert pythons.is_new_enough(version) is fits


def test_newer_pythons_are_looked_for_first() -> None:
    assert pythons.names() == ("python3.14", "python3.13", "python3.12", "python3.11")


def test_a_name_on_path_that_only_complains_is_passed_over(tmp_path: Path) -> None:
    """Version managers leave shims for Pythons that are not switched on."""
    complaining = tmp_path / "python3.14"
    complaining.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    complaining.chmod(0o755)
    (tmp_path / "python3.12").symlink_to(sys.executable)
    assert pythons.find(str(tmp_path)) == str(tmp_path / "python3.12")


def test_no_python_on_path_is_no_python(tmp_path: Path) -> None:
    assert pythons.find(str(tmp_path)) is None


def test_the_hint_names_what_is_needed_what_is_there_and_what_to_do() -> None:
    hint = pythons.hint((3, 9, 6))
    assert "needs Python 3.11" in hint
    assert "this is 3.9" in hint
    assert "apt-get install" in hint
    assert "brew install" in hint
