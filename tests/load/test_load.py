"""Load: what the library must bear, measured. Not part of the default run: `pytest tests/load -m load`, on a quiet
machine; `bullmq-compat bench` measures more, beside peers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compat.bench.peers import peer
from compat.bench.plan import Run
from compat.bench.records import Record
from compat.bench.runner import measure
from compat.bench.workloads import BY_ID, Workload

pytestmark = pytest.mark.load


async def record(workload: str | Workload, jobs: int) -> Record:
    chosen = workload if isinstance(workload, Workload) else BY_ID[workload]
    (made,) = [made async for made in measure([Run(chosen, peer("ref"), jobs, warm=False, round=0)], again=False)]
    return made


async def test_ten_workers_do_a_thousand_jobs_a_second_without_growing() -> None:
    """10,000 jobs, 10 workers: ≥ 1,000 jobs/s, memory + < 100 MB, tasks + < 10 (T164, T165, T166)."""
    made = await record("W7", 10_000)
    assert made.rate >= 1_000
    assert made.answer.rss_growth < 100_000_000
    assert made.answer.tasks is not None
    early, late = made.answer.tasks
    assert late - early < 10


async def test_an_idle_worker_picks_a_job_up_within_ten_milliseconds() -> None:
    """The 95th percentile of 300 (T167)."""
    p95 = (await record("W8", 300)).figure("p95")
    assert p95 is not None
    assert p95 < 10


async def test_a_hundred_locks_are_renewed_within_ten_milliseconds() -> None:
    """The 95th percentile of 300 (T168)."""
    p95 = (await record("W9", 300)).figure("p95")
    assert p95 is not None
    assert p95 < 10


async def test_a_sweep_over_ten_thousand_active_jobs_takes_less_than_a_hundred_milliseconds() -> None:
    """The 95th percentile of 20 sweeps (T074)."""
    p95 = (await record("W10", 20)).figure("p95")
    assert p95 is not None
    assert p95 < 100


async def test_memory_does_not_grow_with_the_number_of_jobs() -> None:
    """100,000 jobs at concurrency 10."""
    made = await record("W5", 100_000)
    assert made.answer.rss_growth < 10_000_000
    assert made.answer.rss_peak < 60_000_000


async def test_a_logger_and_a_monitor_that_do_nothing_cost_less_than_a_twentieth() -> None:
    """Client CPU a job, with both and without; the least of five interleaved measurements each (T169)."""
    bare = replace(BY_ID["W5"], asks={**BY_ID["W5"].asks, "bare": True})
    costs: dict[str, list[float]] = {"watched": [], "bare": []}
    for _ in range(5):
        for name, workload in (("watched", BY_ID["W5"]), ("bare", bare)):
            cost = (await record(workload, 10_000)).figure("cpu")
            assert cost is not None
            costs[name].append(cost)
    assert min(costs["watched"]) < min(costs["bare"]) * 1.05
