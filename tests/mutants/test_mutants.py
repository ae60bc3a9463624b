"""Each seeded fault is killed by a named scenario, and for the right reason (T163)."""

import sys
from functools import cache
from pathlib import Path

import pytest
from faults import FAULTS
from kills import KILLS

from compat.execute import Options, run
from compat.model.run import CellEntry
from compat.model.scenario import Scenario
from compat.scenarios import load, select

ROOT = Path(__file__).resolve().parents[2]


@cache
def suite() -> tuple[Scenario, ...]:
    return load([ROOT / "scenarios"])


@pytest.mark.parametrize("fault", KILLS)
async def test_a_seeded_fault_is_killed_for_the_right_reason(fault: str) -> None:
    scenario, check = KILLS[fault]
    (played,) = select(suite(), [scenario], ())
    chosen = Options(
        scenarios=(played,),
        implementation=f"cmd:{sys.executable} {ROOT / 'tests' / 'mutants' / 'mutant.py'} {fault}",
        arms=("self",) if "self" in played.arms else played.arms[:1],
        topologies=played.topologies[:1],
    )
    (verdict,) = [entry.verdict async for entry in run(chosen) if isinstance(entry, CellEntry)]
    assert verdict.word == "fail", verdict
    told = {difference.check.split("/", scenario.count("/") + 1)[-1] for difference in verdict.differences}
    assert check in told, (told, [difference.words for difference in verdict.differences])


def test_every_fault_has_a_pair_and_every_pair_a_fault() -> None:
    assert KILLS.keys() == FAULTS.keys()
