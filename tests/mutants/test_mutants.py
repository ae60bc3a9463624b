"""Each seeded fault is killed by a named scenario, and for the right reason (T163)."""

import sys
from functools import cache
from pathlib import Path

import pytest

from compat.execute import Options, run
from compat.model.run import CellEntry
from compat.model.scenario import Scenario
from compat.scenarios import load, select

ROOT = Path(__file__).resolve().parents[2]

#: fault → (scenario, the check that must tell it)
KILLS = {
    "quoted-failed-reason": ("retry/fixed", "job.failedReason"),
    "raw-returnvalue": ("worker/return-values", "job.returnvalue"),
    "no-retries-exhausted": ("retry/fixed", "events"),
    "reversed-priority": ("priority/order", "prioritized"),
    "plain-ms-delayed-score": ("delay/add", "delayed"),
    "no-marker": ("job/add", "marker"),
    "no-waiting-event": ("job/add", "events"),
    "no-added-event": ("job/add", "events"),
    "delay-zero-in-opts": ("job/add", "job.opts"),
    "wrong-progress-field": ("progress/values", "job.progress"),
    "lifo-reversed": ("job/lifo", "wait"),
    "key-outside-the-prefix": ("job/update-data", "laws/outside"),
    "delay-kept-on-promotion": ("delay/promote", "job.delay"),
    "pause-unsaid": ("pause/lists", "events"),
    "log-prepended": ("progress/logs", "job.logs"),
    "wrong-delay-of-change": ("delay/change", "job.delay"),
    "wrong-stacktrace-limit": ("retry/stack-trace-limit", "job.stacktrace"),
    "plain-client-names": ("manage/connections", "clients"),
    "discard-ignored": ("manage/discard", "job.finishedOn"),
    "defaults-ignored": ("job/bulk-default-options", "job.opts"),
    "scheduler-counted-anew": ("scheduler/upsert-again", "repeat"),
    "next-iteration-unsaid": ("scheduler/pattern-iterations", "job.nrjid"),
    "removed-scheduler-leaves-its-job": ("scheduler/remove", "job"),
    "schedule-of-one": ("scheduler/iterations", "step-2"),
    "slots-in-utc": ("scheduler/time-zone", "step-4"),
    "quoted-result-of-a-child": ("flow/completed", "job.processed"),
    "parent-without-a-time": ("flow/family", "waiting-children"),
    "no-failure-flags": ("flow/fail-parent", "job.parent"),
    "never-sweeps": ("stalled/first-sweep", "step-1"),
}


@cache
def suite() -> tuple[Scenario, ...]:
    return load([ROOT / "scenarios"])


@pytest.mark.parametrize("fault", KILLS)
async def test_a_seeded_fault_is_killed_for_the_right_reason(fault: str) -> None:
    scenario, check = KILLS[fault]
    chosen = Options(
        scenarios=select(suite(), [scenario], ()),
        implementation=f"cmd:{sys.executable} {ROOT / 'tests' / 'mutants' / 'mutant.py'} {fault}",
        arms=("self",),
        topologies=("single",),
    )
    (verdict,) = [entry.verdict async for entry in run(chosen) if isinstance(entry, CellEntry)]
    assert verdict.word == "fail", verdict
    told = {difference.check.split("/", scenario.count("/") + 1)[-1] for difference in verdict.differences}
    assert check in told, (told, [difference.words for difference in verdict.differences])
