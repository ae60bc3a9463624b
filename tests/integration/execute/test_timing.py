"""Timed cells with real drivers: Node is in time with itself, a driver that holds up its answers is late."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from compat.execute import Options, run
from compat.model.run import CellEntry
from compat.model.verdict import CellVerdict
from compat.scenarios import load_text, pick

ROOT = Path(__file__).resolve().parents[3]
SLOW = f"cmd:{shlex.join([sys.executable, str(ROOT / 'tests' / 'drivers' / 'slow.py')])}"
CLOSE = """schema: 1
id: timing/made
title: A worker closes in time
covers: [T163]
arms: [self]
topologies: [single]
objects:
  q: {queue: mail}
  w: {worker: mail}
program:
  - then: {return: 1}
steps:
  - start: w
  - add: {on: q, as: j, name: n}
  - until: {state: {completed: 1, active: 0}}
  - stop: w
expect:
  - {job: j, state: completed}
timing:
  - {name: pick-up, from: {add: j}, to: {attempt: j}}
  - {name: close, from: {stop: w}, to: {stop: w}}
"""


async def verdicts(options: Options) -> list[CellVerdict]:
    return [record.verdict async for record in run(options) if isinstance(record, CellEntry)]


async def test_node_is_in_time_with_itself_and_timed_cells_come_last() -> None:
    scenarios = pick(ROOT / "scenarios", ("timing/*", "job/add", "worker/complete"))
    found = await verdicts(Options(scenarios=scenarios, implementation="node@5.62.0", topologies=("single",)))
    assert [(v.cell.id, v.reason, v.differences) for v in found if v.word != "pass"] == []
    timed = [v.cell.scenario.startswith("timing/") for v in found]
    assert sum(timed) >= 6 and timed == sorted(timed)


async def test_a_port_that_holds_things_up_each_time_is_late_and_nothing_else() -> None:
    (found,) = await verdicts(Options(scenarios=(load_text(CLOSE),), implementation=SLOW))
    assert found.word == "fail", found.reason
    (one,) = found.differences
    assert (one.check, one.oracle) == ("timing/made#timing/lateness.close", "in time")
    assert "in each of 5 samples the port is late by" in one.words
    assert found.made["timing/lateness.pick-up"] == 1


async def test_a_port_that_breaks_off_is_not_timed() -> None:
    null = f"cmd:{shlex.join([sys.executable, str(ROOT / 'tests' / 'drivers' / 'null.py')])}"
    text = CLOSE.replace("active: 0}}", "active: 0}, deadline: 500}")
    (found,) = await verdicts(Options(scenarios=(load_text(text),), implementation=null))
    assert found.word == "fail" and "late" in found.reason
    assert not any("lateness" in check for check in found.made)
