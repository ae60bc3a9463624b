"""Findings: the differences of all cells, each told once, gathered over arms, topologies and repeats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compat.model.cell import Cell
from compat.model.verdict import LEVELS, CellVerdict, Difference, Level
from compat.report.text import listed, number, pair

_CALL = re.compile(r"call\.step \d+ (\S+)")
_NUMBERED = re.compile(r"(step-|expect/)\d+")


@dataclass(frozen=True)
class Variant:
    """One pair of values at one place, and the cells that showed it."""

    difference: Difference
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Finding:
    """One check of one scenario that came out differently: at which places, with which values, most seen first.

    `cells` has a cell as often as it ran and differed here.
    """

    scenario: str
    check: str
    variants: tuple[Variant, ...]
    cells: tuple[Cell, ...]

    @property
    def first(self) -> Difference:
        return self.variants[0].difference

    @property
    def level(self) -> Level:
        return min((variant.difference.level for variant in self.variants), key=LEVELS.index)

    @property
    def subject(self) -> str:
        """What differs, whatever the scenario, the capture and the step: `job.failedReason`, `call queue.add`."""
        label, _, path = self.check.partition("#")[2].partition("/")
        if call := _CALL.match(path):
            return f"call {call[1]}"
        if numbered := _NUMBERED.fullmatch(path):
            return label if numbered[1] == "step-" else "expect"
        return path or label or self.check


@dataclass(frozen=True)
class Subject:
    """All findings about one thing, over the scenarios."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        return min((finding.level for finding in self.findings), key=LEVELS.index)

    @property
    def scenarios(self) -> int:
        return len({finding.scenario for finding in self.findings})

    @property
    def cells(self) -> int:
        return len({cell for finding in self.findings for cell in finding.cells})


def findings(verdicts: Iterable[CellVerdict]) -> tuple[Finding, ...]:
    """By scenario; within one, the worst first, in the order in which the checks were made."""
    seen: dict[tuple[str, str], _Group] = {}
    for verdict in verdicts:
        for difference in verdict.differences:
            group = seen.setdefault((verdict.cell.scenario, difference.check), _Group())
            group.add(difference, verdict)
    found = [Finding(scenario, check, *group.gathered()) for (scenario, check), group in seen.items()]
    return tuple(sorted(found, key=lambda finding: (finding.scenario, LEVELS.index(finding.level))))


class _Group:
    """The differences of one check, while they are gathered."""

    def __init__(self) -> None:
        self._variants: dict[tuple[str, ...], tuple[Difference, list[Cell]]] = {}
        self._verdicts: list[CellVerdict] = []

    def add(self, difference: Difference, verdict: CellVerdict) -> None:
        key = (difference.where, difference.level, *pair(difference.oracle, difference.port, 10_000))
        self._variants.setdefault(key, (difference, []))[1].append(verdict.cell)
        if not (self._verdicts and self._verdicts[-1] is verdict):  # one verdict may hold a check for several jobs
            self._verdicts.append(verdict)

    def gathered(self) -> tuple[tuple[Variant, ...], tuple[Cell, ...]]:
        often = sorted(self._variants.values(), key=lambda entry: -len(entry[1]))
        variants = tuple(Variant(difference, tuple(cells)) for difference, cells in often)
        return variants, tuple(verdict.cell for verdict in self._verdicts)


def subjects(found: Iterable[Finding]) -> tuple[Subject, ...]:
    """What differs, the worst and most widespread first."""
    by_name: dict[str, list[Finding]] = {}
    for finding in found:
        by_name.setdefault(finding.subject, []).append(finding)
    made = (Subject(name, tuple(group)) for name, group in by_name.items())
    return tuple(sorted(made, key=lambda subject: (LEVELS.index(subject.level), -subject.scenarios, subject.name)))


def gated(level: Level, gate: Level) -> bool:
    """Does a difference of this level fail a run with this gate?"""
    return LEVELS.index(level) <= LEVELS.index(gate)


def places(cells: Sequence[Cell]) -> str:
    """Where something was seen: `self (single, cluster), consume (single ×3)`."""
    arms: dict[str, Counter[str]] = {}
    for cell in cells:
        arms.setdefault(cell.arm, Counter())[cell.topology] += 1
    return ", ".join(
        f"{arm} ({', '.join(name if times == 1 else f'{name} ×{times}' for name, times in topologies.items())})"
        for arm, topologies in arms.items()
    )


def scenarios_of(cells: Sequence[Cell]) -> str:
    """`2 cells of queue/add, retry/fixed`."""
    return f"{number(len(cells), 'cell')} of {listed(sorted({cell.scenario for cell in cells}))}"
