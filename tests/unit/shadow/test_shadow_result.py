"""The result of a round: a sound one is good, and each thing that can go wrong is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from compat.chaos.account import Strike
from compat.shadow.work import Work

Make = Callable[[], Any]
KILLED = Strike(1, "worker-killed", 1_795_500_000_000, 1_795_500_000_100, "oracle-1")


def test_a_sound_round_is_good(made: Make) -> None:
    found = made().result()
    assert found.good
    assert (found.pairs, found.divergences, found.shared) == (1, (), 0)
    assert found.ended == {"oracle": 1, "port": 1}
    assert (found.account.added, found.account.completed, found.account.failed) == (2, 2, 0)
    assert (found.latencies["oracle"].waited, found.latencies["port"].worked) == ((2,), (1,))


def test_twins_that_differ_are_told_and_are_the_reports_to_judge(made: Make) -> None:
    round_ = made()
    round_.fields["2"] = {"returnvalue": "1"}
    found = round_.result()
    assert [divergence.what for divergence in found.divergences] == ["job.returnvalue"]
    assert found.good


@pytest.mark.parametrize(("adders", "oracle"), [("oracle port", "`<not JSON: x>`"), ("port oracle", "{a: 1}")])
def test_what_an_adder_wrote_is_held_against_the_side_that_added(made: Make, adders: str, oracle: str) -> None:
    """Job 1, which Node finished, was added with a payload that is no JSON: by Node, or by the port."""
    round_ = made()
    round_.fields["1"] = {"data": "x", "returnvalue": "1"}
    round_.adders = tuple(adders.split())
    told = {divergence.what: divergence.oracle for divergence in round_.result().divergences}
    assert told == {"job.data": oracle, "job.returnvalue": "1"}


def test_a_job_that_was_answered_for_and_is_not_there_is_lost(made: Make) -> None:
    round_ = made()
    del round_.states["2"]
    assert round_.result().account.lost == ("twin-0 (job 2) was added and is not there",)
    round_.adds[1] = "1"  # another job's id
    assert round_.result().account.lost == ("twin-0 (job 1) was added and is not there",)


def test_a_job_that_has_not_ended_is_lost_unless_the_round_was_broken_off(made: Make) -> None:
    round_ = made()
    round_.states["2"], round_.rows[-1:] = "active", []
    assert round_.result().account.lost == ("twin-0 (job 2) is still in active",)
    round_.whole = False
    assert round_.result().account.lost == ()


def test_a_second_run_needs_a_reason(made: Make) -> None:
    round_ = made()
    round_.calls.insert(0, ("oracle", "1", 0))
    found = round_.result()
    assert not found.good
    assert [double.strike for double in found.account.doubles] == [None]
    assert "worked-once" in {broken.law for broken in found.broken}
    round_.strikes = (KILLED,)
    found = round_.result()
    assert found.good
    assert [double.strike for double in found.account.doubles] == [KILLED]


def test_the_next_attempt_is_no_second_run(made: Make) -> None:
    round_ = made()
    round_.work = Work(0, {"a": 1}, {"attempts": 2}, 1, None, attempts=2, failures=1)
    round_.rows[3:3] = ["waiting 1 active", "active 1 waiting"]
    round_.calls = [("port", "1", 0), ("oracle", "1", 1), ("port", "2", 0)]
    found = round_.result()
    assert (found.account.doubles, found.shared, found.ended) == ((), 1, {"oracle": 1, "port": 1})


def test_two_jobs_that_one_side_finished_are_no_pair(made: Make) -> None:
    round_ = made()
    round_.calls = [("oracle", "1", 0), ("oracle", "2", 0)]
    assert round_.result().pairs == 0


def test_a_law_is_broken_in_words(made: Make) -> None:
    round_ = made()
    round_.rows.append("completed 1 active")
    found = round_.result()
    assert {"finished-once", "legal-life"} <= {broken.law for broken in found.broken}
    assert found.account.ended_twice == ("job 1 (`completed`)",)


def test_a_failure_that_was_not_planned_is_counted_by_its_reason(made: Make) -> None:
    round_ = made()
    round_.states["2"], round_.rows[-1], round_.fields["2"] = "failed", "failed 2 active", {"failedReason": "typo"}
    assert round_.result().account.unplanned == {"typo": 1}
    round_.work = Work(0, {"a": 1}, {}, 1, None, failures=1, message="typo")
    assert round_.result().account.unplanned == {}


def test_an_add_that_raises_is_refused_unless_something_was_struck(made: Make) -> None:
    round_ = made()
    round_.adds[1] = None
    assert round_.result().refused == ("port-adder: ScriptError: out of memory",)
    round_.strikes = (KILLED,)
    assert round_.result().refused == ()


def test_a_key_beside_the_prefix_is_a_finding(made: Make) -> None:
    round_ = made()
    round_.strays = ("bull:q:1",)
    assert not round_.result().good


@pytest.mark.parametrize("ats", ["2", "1"])
def test_only_what_a_fault_disturbed_may_have_run_more_often(made: Make, ats: str) -> None:
    round_ = made()
    round_.strikes = (KILLED,)
    round_.fields["2"] = {"ats": ats, "atm": "5"}
    whats = {divergence.what for divergence in round_.result().divergences}
    assert whats == {"job.atm"}
