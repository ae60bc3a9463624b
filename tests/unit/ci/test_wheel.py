"""What the wheel is tried with, away from the checkout."""

from __future__ import annotations

from pathlib import Path

from ci import wheel
from ci.house import ROOT, House


def test_tests_are_laid_out_with_the_fixtures_of_all_folders_above_them(tmp_path: Path) -> None:
    wheel.lay_out(House(ROOT), tmp_path)
    wanted = {
        file.relative_to(ROOT)
        for file in (ROOT / "tests").rglob("conftest.py")
        if any(file.parent.is_relative_to(ROOT / t) or (ROOT / t).is_relative_to(file.parent) for t in wheel.TESTS)
    }
    assert wanted and {file for file in wanted if not (tmp_path / file).exists()} == set()


def test_nothing_of_the_checkout_can_be_imported_there(tmp_path: Path) -> None:
    wheel.lay_out(House(ROOT), tmp_path)
    assert not {name for name in ("bullmq_ref", "compat", "ci") if (tmp_path / name).exists()}
