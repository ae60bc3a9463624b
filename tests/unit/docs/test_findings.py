"""Every cause that a committed baseline names is told in docs/findings.md, with who has it and how to see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from compat.cli.known import load
from compat.judge.baseline import Baseline
from compat.scenarios import load as load_scenarios

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/findings.md").read_text("utf-8")
FILES = sorted((ROOT / "known").glob("*.yaml"))
_TOLD = re.compile(
    r"^### (\S+)\n\n\*([^·]+) · scenario `([^`]+)`(?: · \[upstream\]\(([^)]+)\))?\*\n\n(\S.+)$", re.MULTILINE
)


@pytest.fixture(scope="module")
def baselines() -> Mapping[str, Baseline]:
    return {file.stem: load(file) for file in FILES}


def test_each_port_under_test_has_a_baseline(baselines: Mapping[str, Baseline]) -> None:
    assert list(baselines) == ["node-5.81.5", "node-6.7.0", "pypi-bullmq-2.17.0", "pypi-bullmq-3.4.4"]
    assert {name: baseline.port for name, baseline in baselines.items()} == dict.fromkeys(baselines, "bullmq")


def test_each_cause_is_told_with_who_has_it_and_a_scenario_that_shows_it(baselines: Mapping[str, Baseline]) -> None:
    """(T163)"""
    told = {cause: (set(who.split(", ")), scenario, issue) for cause, who, scenario, issue, _ in _TOLD.findall(PAGE)}
    found: dict[str, dict[str, set[str]]] = {}
    for name, baseline in baselines.items():
        for entry in baseline.known:
            assert entry.cause and entry.reason, f"{name}: {entry.title} has no name or no reason"
            found.setdefault(entry.cause, {})[name] = {row.scenario for row in entry.seen}
            assert entry.issue in ("", told[entry.cause][2]), f"{entry.cause}: its issue is not the page's"
    assert {cause: who for cause, (who, _, _) in told.items()} == {cause: set(by) for cause, by in found.items()}
    unseen = [c for c, (_, scenario, _) in told.items() if all(scenario not in seen for seen in found[c].values())]
    assert unseen == []


def test_the_quirks_and_the_mixed_fleets_of_all_scenarios_are_listed() -> None:
    scenarios = load_scenarios([ROOT / "scenarios"])
    names = [f"| `{quirk.name}` |" for scenario in scenarios for quirk in scenario.quirks]
    mixed = [f"| `{scenario.id}` |" for scenario in scenarios if "skew" in scenario.tags]
    assert len(set(names)) >= 5 and len(mixed) >= 6
    assert [row for row in (*names, *mixed) if row not in PAGE] == []
