"""The kill matrix: every seeded fault against every scenario that applies, written down as `matrix.json`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from faults import FAULTS
from msgspec.structs import replace

from compat.execute import Options, run
from compat.model.run import CellEntry
from compat.model.scenario import Scenario
from compat.scenarios import load, select

ROOT = Path(__file__).resolve().parents[2]


SHORT = 2_000  # ms: a fault that leaves nothing to wait for shall not be waited for long


def hurried(scenario: Scenario) -> Scenario:
    """The scenario with short deadlines. On a slow machine a sound cell may come late, too: run this on a quiet one."""
    steps = (
        replace(step, until=replace(step.until, deadline=min(step.until.deadline, SHORT))) if step.until else step
        for step in scenario.steps
    )
    return replace(scenario, steps=tuple(steps))


async def kills(fault: str, patterns: list[str]) -> dict[str, list[str]]:
    """Scenario → the checks that told of the fault."""
    options = Options(
        scenarios=tuple(map(hurried, select(load([ROOT / "scenarios"]), patterns, ()))),
        implementation=f"cmd:{sys.executable} {ROOT / 'tests' / 'mutants' / 'mutant.py'} {fault}",
        arms=("self",),
        topologies=("single",),
        jobs=8,
    )
    found: dict[str, list[str]] = {}
    async for record in run(options):
        if isinstance(record, CellEntry) and record.verdict.word not in ("pass", "not-applicable"):
            verdict = record.verdict
            checks = [
                difference.check.removeprefix(verdict.cell.scenario).lstrip("#/") for difference in verdict.differences
            ]
            found[verdict.cell.scenario] = checks or [f"{verdict.word}: {verdict.reason}"]
    return found


async def main(names: list[str]) -> None:
    told: dict[str, dict[str, list[str]]] = {}
    for name in names or FAULTS:
        told[name] = await kills(name, [])
        first = next(iter(told[name].items()), None)
        sys.stderr.write(f"{name}: {len(told[name])} scenarios {first and (first[0], first[1][:3])}\n")
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
