"""A run with real drivers on real servers: what is right passes, what does nothing or misbehaves never does."""

import sys
from pathlib import Path

import pytest

from compat.execute import Options, Unusable, run
from compat.model.run import CellEntry, Footer, Header
from compat.model.verdict import CellVerdict
from compat.scenarios import load_text, pick

ROOT = Path(__file__).resolve().parents[3]
DRIVERS = ROOT / "tests" / "drivers"
NODE = "node@5.62.0"


async def verdicts(*patterns: str, implementation: str, **options: object) -> list[CellVerdict]:
    scenarios = pick(ROOT / "scenarios", patterns)
    chosen = Options(scenarios=scenarios, implementation=implementation, **options)  # type: ignore[arg-type]
    records = [record async for record in run(chosen)]
    header, *cells, footer = records
    assert isinstance(header, Header)
    assert isinstance(footer, Footer)
    entries = [cell.verdict for cell in cells if isinstance(cell, CellEntry)]
    assert footer.cells == len(entries) == header.cells
    return entries


async def test_the_oracle_against_itself_shows_no_difference() -> None:
    """On both topologies, three times over (T148, T155, T162); `python3 ci stability` plays every scenario so."""
    patterns = ("job/add", "job/bulk", "job/lifo", "job/order", "retry/fixed*", "pause/lists", "pause/while-active")
    found = await verdicts(*patterns, implementation=NODE, jobs=4, repeat=3)
    assert {v.word for v in found} == {"pass"}, [
        (v.cell.id, v.reason, v.differences) for v in found if v.word != "pass"
    ]
    assert {v.cell.topology for v in found} == {"single", "cluster"}


async def test_a_driver_that_does_nothing_never_passes() -> None:
    """The null driver scores nothing (T163)."""
    null = f"cmd:{sys.executable} {DRIVERS / 'null.py'}"
    patterns = ("job/*", "queue/*", "priority/bounds", "manage/shared-*")
    found = await verdicts(*patterns, implementation=null, jobs=8)
    assert {v.word for v in found} <= {"fail", "error"}, [v.cell.id for v in found if v.word == "pass"]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("rubbish", "not a message of the protocol"),
        ("dies", "killed by SIGKILL"),
        ("answers-another", "not waiting for one"),
        ("undeclared", "declares what it does not do"),
        ("dies-at-end", "killed by SIGKILL"),
        ("gates-nothing", "no worker 'w' is open"),
        ("tells-nonsense", "`$int` of 'many' stands for no value"),
        ("shouts", "`worker.event` has parameters of another shape: `$number` of 'many'"),
        ("mumbles", "`worker.event` has parameters of another shape"),
    ],
)
async def test_a_driver_that_misbehaves_is_an_error_with_its_reason(mode: str, reason: str) -> None:
    puppet = f"cmd:{sys.executable} {DRIVERS / 'puppet.py'} {mode}"
    scenarios = pick(ROOT / "scenarios", ["job/add"])
    chosen = Options(scenarios=scenarios, implementation=puppet, arms=("self",), topologies=("single",))
    words = [r.verdict async for r in run(chosen) if isinstance(r, CellEntry)]
    assert [v.word for v in words] == ["error"], words
    assert reason in words[0].reason


LATE = """
schema: 1
id: made/late
title: made
covers: [T001]
arms: [self]
topologies: [cluster]
objects:
  q: {queue: mail}
steps:
  - add: {on: q, name: n, opts: {delay: 9000000}}
  - bulk: {on: q, jobs: [{name: n}, {name: n}]}
  - until: {state: {completed: 1}, deadline: 200}
expect:
  - {counts: {wait: 2}}
"""


async def test_what_is_waited_for_in_vain_is_told_with_where_the_jobs_are() -> None:
    chosen = Options((load_text(LATE, "made/late.yaml"),), ("self",), ("cluster",), NODE)
    (found,) = [record.verdict async for record in run(chosen) if isinstance(record, CellEntry)]
    assert "waited 200 ms for completed: 1 (is 0) (the queue holds wait 2, delayed 1)" in found.reason


async def test_an_implementation_that_cannot_start_makes_the_run_unusable() -> None:
    with pytest.raises(Unusable, match="could not be started"):
        await verdicts("job/add", implementation="cmd:/no/such/driver")


async def test_an_unknown_implementation_is_told_what_there_is() -> None:
    with pytest.raises(Unusable, match="node@VERSION"):
        await verdicts("job/add", implementation="go")


async def test_a_cell_that_fails_and_then_passes_is_flaky_and_shows_both_tries(tmp_path: Path) -> None:
    once = f"cmd:{sys.executable} {DRIVERS / 'moody.py'} {tmp_path / 'done'}"
    (found,) = await verdicts("job/add", implementation=once, arms=("self",), topologies=("single",), retry=2)
    assert (found.word, [one.word for one in found.tries]) == ("flaky", ["fail", "pass"])
    assert found.differences == found.tries[0].differences != ()


async def test_without_a_retry_a_cell_has_one_try(tmp_path: Path) -> None:
    once = f"cmd:{sys.executable} {DRIVERS / 'moody.py'} {tmp_path / 'done'}"
    (found,) = await verdicts("job/add", implementation=once, arms=("self",), topologies=("single",))
    assert (found.word, found.tries) == ("fail", ())


async def test_a_cell_that_never_passes_is_tried_as_often_as_asked_and_fails() -> None:
    null = f"cmd:{sys.executable} {DRIVERS / 'null.py'}"
    (found,) = await verdicts("job/add", implementation=null, arms=("self",), topologies=("single",), retry=2)
    assert (found.word, len(found.tries)) == ("fail", 3)
