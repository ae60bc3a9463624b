"""Ports side by side: what differs in which of several runs, and scenarios that not all of them pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from compat.model.verdict import LEVELS, CellVerdict, Level
from compat.report.areas import Tally
from compat.report.collected import Run
from compat.report.findings import findings, gated, subjects

_DIFFERENT = ("fail", "stale", "flaky", "known")


class Shared(NamedTuple):
    """One thing that differs: how many cells of each run show it."""

    level: Level
    name: str
    cells: tuple[int, ...]


def differing(runs: Sequence[Run]) -> tuple[Shared, ...]:
    """All that differs in any of the runs, at or above its gate: the worst first, then what most ports share."""
    cells: dict[str, list[int]] = defaultdict(lambda: [0] * len(runs))
    levels: dict[str, Level] = {}
    for number, run in enumerate(runs):
        told = findings(verdict for verdict in run.verdicts if verdict.word in _DIFFERENT)
        for subject in subjects(one for one in told if gated(one.level, run.header.gate)):
            cells[subject.name][number] = subject.cells
            levels[subject.name] = min(levels.get(subject.name, subject.level), subject.level, key=LEVELS.index)
    found = [Shared(levels[name], name, tuple(counts)) for name, counts in cells.items()]
    return tuple(sorted(found, key=_gravest))


def _gravest(one: Shared) -> tuple[int, int, int, str]:
    return LEVELS.index(one.level), one.cells.count(0), -sum(one.cells), one.name


def parting(runs: Sequence[Run]) -> dict[str, tuple[Tally, ...]]:
    """Scenario → how its cells came out in each run; those that pass wherever they apply are left out."""
    by_scenario: list[dict[str, list[CellVerdict]]] = []
    for run in runs:
        mine: dict[str, list[CellVerdict]] = defaultdict(list)
        for verdict in run.verdicts:
            mine[verdict.cell.scenario].append(verdict)
        by_scenario.append(mine)
    names = sorted({name for mine in by_scenario for name in mine})
    tallies = {name: tuple(Tally.of(mine.get(name, ())) for mine in by_scenario) for name in names}
    return {name: row for name, row in tallies.items() if any(tally.good < tally.applicable for tally in row)}
