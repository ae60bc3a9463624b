"""docs/faults.md tells which scenario plays which fault in which arm; every fault is played in three of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from compat.faults import CATALOGUE
from compat.model.scenario import Scenario
from compat.scenarios import load

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/faults.md"
ARMS = ("self", "consume", "shadow")


@pytest.fixture(scope="module")
def scenarios() -> tuple[Scenario, ...]:
    return load([ROOT / "scenarios"])


def test_each_fault_has_a_scenario_in_each_of_three_arms(scenarios: Sequence[Scenario]) -> None:
    """(T123)"""
    bare = [(kind, arm) for kind in CATALOGUE for arm in ARMS if not played(scenarios, kind, arm)]
    assert bare == []


def test_the_page_tells_which(scenarios: Sequence[Scenario]) -> None:
    wanted = table(scenarios)
    assert wanted in PAGE.read_text("utf-8"), f"the table of docs/faults.md is old; it should be\n{wanted}"


def table(scenarios: Sequence[Scenario]) -> str:
    rows = [["fault", *ARMS], ["---"] * (1 + len(ARMS))]
    rows += [[f"`{kind}`", *(names(played(scenarios, kind, arm)) for arm in ARMS)] for kind in CATALOGUE]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def names(scenarios: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in scenarios)


def played(scenarios: Sequence[Scenario], kind: str, arm: str) -> list[str]:
    """The scenarios that strike a fault in an arm, without the folder that most lie in."""
    return [s.id.removeprefix("fault/") for s in scenarios if arm in s.arms and kind in struck(s)]


def struck(scenario: Scenario) -> set[str]:
    return {step.fault.kind if step.fault is not None else "driver-killed" for step in scenario.steps if harms(step)}


def harms(step: object) -> bool:
    return getattr(step, "fault", None) is not None or getattr(step, "kill", None) is not None
