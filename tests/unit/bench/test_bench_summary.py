"""What measurements say together, and whether that is enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from compat.bench.records import Record, percentile
from compat.bench.summary import Summary
from compat.bench.targets import NODE, TARGETS, outcomes

Make = Callable[..., Record]


def test_a_figure_is_the_median_of_its_rounds(record: Make) -> None:
    records = [record("W5", "ref", rate=rate, round=n) for n, rate in enumerate((900.0, 5000.0, 1000.0))]
    assert Summary(records, ["ref"]).figure("ref", "W5", "rate") == pytest.approx(1000)


def test_a_ratio_is_taken_within_each_round(record: Make) -> None:
    """A round on a slow machine says as much as one on a fast machine."""
    records = [
        *(record("W5", "ref", rate=rate, round=n) for n, rate in enumerate((100.0, 1000.0, 10.0))),
        *(record("W5", NODE, rate=rate, round=n) for n, rate in enumerate((50.0, 500.0, 5.0))),
    ]
    assert Summary(records, ["ref", NODE]).ratio("ref", "W5", "rate", NODE) == pytest.approx(2)


def test_warm_runs_and_first_jobs_are_told_apart(record: Make) -> None:
    summary = Summary([record("W5", NODE, rate=10.0), record("W5", NODE, rate=20.0, warm=True)], [NODE])
    assert summary.figure(NODE, "W5", "rate") == pytest.approx(10)
    assert summary.figure(NODE, "W5", "rate", warm=True) == pytest.approx(20)


def test_what_was_not_measured_has_no_figure(record: Make) -> None:
    summary = Summary([record("W5", "ref")], ["ref"])
    assert summary.figure("ref", "W6", "rate") is None
    assert summary.ratio("ref", "W5", "rate", NODE) is None
    assert summary.figure("ref", "W5", "p95") is None


def test_figures_are_for_one_operation(record: Make) -> None:
    one = record("W5", "ref", cpu=0.05, tasks=(3, 7))
    assert one.figure("cpu") == pytest.approx(50)
    assert one.figure("server") == pytest.approx(20)
    assert one.figure("scripts") == 1
    assert one.figure("peak") == 50
    assert one.figure("tasks") == 4


def test_a_measurement_is_noisy_when_others_used_more_than_a_quarter_of_a_core(record: Make) -> None:
    assert record("W5", "ref", foreign=0.3).noisy
    assert not record("W5", "ref", foreign=0.2).noisy
    assert not record("W5", "ref", foreign=None).noisy, "not known is not noisy"


def test_the_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(100)]
    assert [percentile(values, p) for p in (50, 95, 99)] == [50.0, 95.0, 99.0]
    assert percentile([7.0], 99) == 7.0
    assert percentile([], 50) is None


def test_a_target_is_reached_on_its_own_side_of_the_bound(record: Make) -> None:
    records = [
        *(record("W5", peer, rate=rate, warm=True) for peer, rate in (("ref", 99.0), (NODE, 100.0))),
        record("W5", "ref", rate=900.0, cpu=0.05, tasks=(9, 10)),
    ]
    found = {o.target.words: o.reached for o in outcomes(Summary(records, ["ref", NODE]))}
    assert found == {
        "W5 rate, to warm node@5.62.0 ≥ 1": False,
        "W5 cpu ≤ 60 µs/job": True,
        "W5 scripts ≤ 1.02 a job": True,
        "W5 peak ≤ 60 MB": True,
        "W5 growth ≤ 10 MB": True,
        "W5 tasks ≤ 0": False,
    }


def test_the_queue_s_depth_is_judged_by_two_workloads_of_one_peer(record: Make) -> None:
    summary = Summary([record("W11", "ref", rate=100.0), record("W12", "ref", rate=95.0)], ["ref"])
    (found,) = outcomes(summary)
    assert found.target.words == "W12 rate, to W11 ≥ 0.9"
    assert found.value == pytest.approx(0.95)


def test_no_two_targets_say_the_same() -> None:
    assert len({target.words for target in TARGETS}) == len(TARGETS)
