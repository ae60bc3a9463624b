"""The scenarios that ship are sound, say why they matter, and come in every arm."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from compat.model.scenario import Scenario
from compat.scenarios import load

ROOT = Path(__file__).parents[3] / "scenarios"


@pytest.fixture(scope="module")
def shipped() -> tuple[Scenario, ...]:
    return load([ROOT])


def test_every_shipped_scenario_passes_the_lint(shipped: tuple[Scenario, ...]) -> None:
    """(T161)"""
    assert len(shipped) >= 60


def test_every_scenario_says_why_it_matters(shipped: tuple[Scenario, ...]) -> None:
    assert [scenario.id for scenario in shipped if not scenario.why.strip()] == []


def test_every_title_is_told_once(shipped: tuple[Scenario, ...]) -> None:
    titles = Counter(scenario.title for scenario in shipped)
    assert [title for title, number in titles.items() if number > 1] == []


def test_every_arm_and_both_taggings_are_played(shipped: tuple[Scenario, ...]) -> None:
    """(T109, T154)"""
    arms = Counter(arm for scenario in shipped for arm in scenario.arms)
    assert arms["shadow"] >= 12 and min(arms["self"], arms["produce"], arms["consume"]) >= 30
    assert sum(scenario.tagging == "queue" for scenario in shipped) >= 6
    assert [scenario.id for scenario in shipped if scenario.tagging == "none"] == ["cluster/no-tag"]
