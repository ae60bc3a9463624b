"""The account: what is lost, what was doubled, and which fault explains it."""

from __future__ import annotations

import pytest

from compat.chaos.account import Account, Added, Kept, Run, Strike, account
from compat.chaos.plan import Plan, fails


def reckoned(
    adds: list[Added],
    runs: list[Run] | None = None,
    kept: list[Kept] | None = None,
    strikes: list[Strike] | None = None,
    asked: int | None = None,
) -> Account:
    return account(adds, runs or [], kept or [], strikes or [], asked=len(adds) if asked is None else asked)


def added(number: int, job: str | None, at: float = 0.0) -> Added:
    return Added("ref-adder", number, job, at, at + 10, "" if job else "OutcomeUnknown")


def test_a_job_that_was_answered_and_ended_is_not_lost() -> None:
    found = reckoned([added(0, "1")], [Run("ref-1", "1", 5, 6)], [Kept("1", 0, "completed")])
    assert found.good
    assert (found.added, found.completed, found.failed, found.runs) == (1, 1, 0, {"ref": 1})


@pytest.mark.parametrize(
    ("adds", "kept", "words"),
    [
        ([added(0, "1")], [], "was added and is not there"),
        ([added(0, "1")], [Kept("1", 0, "active")], "is still in active"),
        ([], [], "its adder wrote nothing down"),
    ],
)
def test_what_is_lost_is_told(adds: list[Added], kept: list[Kept], words: str) -> None:
    found = reckoned(adds, kept=kept, asked=1)
    assert not found.good
    assert words in found.lost[0]


def test_adds_of_unknown_outcome_are_looked_up_and_are_not_lost() -> None:
    found = reckoned([added(0, None), added(1, None)], kept=[Kept("1", 0, "completed")])
    assert found.good
    assert (found.answered, found.unknown, found.unknown_there) == (0, 2, 1)


def test_failures_are_planned_or_told_with_their_reason() -> None:
    assert fails(99)
    kept = [Kept("1", 99, "failed", "planned"), Kept("2", 1, "failed", "ECONNRESET")]
    found = reckoned([added(99, "1"), added(1, "2")], kept=kept, asked=0)
    assert (found.failed, found.unplanned) == (2, {"ECONNRESET": 1})


KILLED = Strike(1, "worker-killed", 100, 110, "node-1")
RESET = Strike(2, "connection-reset", 100, 101)
FLUSHED = Strike(3, "scripts-flushed", 100, 101)


@pytest.mark.parametrize(
    ("first", "strike", "explained", "how"),
    [
        (Run("node-1", "1", 90, None), KILLED, True, "was killed with the job in hand"),
        (Run("node-1", "1", 90, 99), KILLED, True, "was killed before that was recorded"),
        (Run("ref-2", "1", 90, 99), RESET, True, "could not record that in time"),
        (Run("ref-2", "1", 90, 99), KILLED, False, "could not record that in time"),  # another worker's death
        (Run("ref-2", "1", 90, 99), FLUSHED, False, "could not record that in time"),
        (Run("ref-2", "1", 3_000, 3_010), RESET, False, "could not record that in time"),  # long over
    ],
)
def test_a_second_run_is_explained_by_the_fault_that_the_first_one_met(
    first: Run, strike: Strike, explained: bool, how: str
) -> None:
    runs = [Run("ref-3", "1", 6_000, 6_001), first]
    found = reckoned([added(0, "1")], runs, [Kept("1", 0, "completed", stalled=1)], [strike])
    (double,) = found.doubles
    assert (double.strike is not None, found.good) == (explained, explained)
    assert how in double.how
    assert "it stalled and ref-3 ran it" in double.how


def test_a_number_that_was_added_twice_is_told_with_both_jobs() -> None:
    kept = [Kept("1", 0, "completed"), Kept("2", 0, "completed")]
    (double,) = reckoned([added(0, "2", 95)], kept=kept, strikes=[RESET]).doubles
    assert (double.what, double.jobs, double.strike) == ("added", ("1", "2"), RESET)


def test_a_plan_strikes_each_fault_before_any_comes_again_and_alike_for_one_seed() -> None:
    plan = Plan(5_000, 7, "single", ("a", "b", "c"))
    strikes, again = plan.strikes(), plan.strikes()
    first = [next(strikes) for _ in range(6)]
    assert first == [next(again) for _ in range(6)]
    names = [name for _, name, _ in first]
    assert sorted(names[:3]) == sorted(names[3:]) == ["a", "b", "c"]
