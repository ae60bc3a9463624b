"""What the doctor says of a machine that is too slow."""

from __future__ import annotations

import pytest

from compat.cli import examine


def test_scripts_that_are_not_loaded_in_time_are_missing_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "PATIENCE", 0.001)
    found = examine.lua()
    assert (found.ok, found.required) == (False, True)
    assert "did not load them within 0.001 s" in found.seen and "overloaded" in found.remedy
