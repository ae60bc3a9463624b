"""What production's stream tells the mirror."""

from __future__ import annotations

import pytest

from compat.mirror.hand import Hand
from compat.mirror.mirror import IDLE_S, ended, pause
from compat.mirror.model import Gap, Input
from compat.mirror.source import ENTRIES, Marks
from compat.mirror.tail import batch, before, options, order, replay, sampled, trimmed
from compat.model.capture import StreamEntry


def entry(number: int, event: str, job: str = "1", **fields: str) -> StreamEntry:
    return StreamEntry(f"{number}-0", (("event", event), ("jobId", job), *fields.items()))


def test_a_job_that_has_not_ended_is_coming_and_its_start_is_noted() -> None:
    told = batch([entry(1, "added"), entry(2, "waiting"), entry(5, "active", prev="waiting")], 1, {})
    assert (told.coming, told.started, told.finishes) == ({"1"}, {"1": 5.0}, ())


def test_an_end_has_its_value_and_its_time_from_the_stream() -> None:
    entries = [entry(5, "active"), entry(25, "completed", returnvalue="7"), entry(26, "failed", "2", failedReason="x")]
    one, two = batch(entries, 1, {}).finishes
    assert (one.outcome, one.value, one.ms, one.entry) == ("completed", "7", 20.0, "25-0")
    assert (two.outcome, two.value, two.ms) == ("failed", "x", None)


def test_a_start_of_an_earlier_batch_counts() -> None:
    (end,) = batch([entry(25, "completed", returnvalue="7")], 1, {"1": 5.0}).finishes
    assert end.ms == 20.0


def test_an_attempt_that_is_followed_by_another_is_no_end() -> None:
    """What follows a failing attempt is `delayed` or `waiting`; `failed` comes last."""
    told = batch([entry(1, "active"), entry(2, "waiting", prev="active"), entry(3, "active")], 1, {})
    assert (told.finishes, told.started, told.again) == ((), {"1": 3.0}, frozenset())


def test_a_job_that_had_ended_and_is_taken_up_again_is_one_whose_attempts_count_on() -> None:
    told = batch([entry(1, "failed", failedReason="x"), entry(2, "waiting", prev="failed")], 1, {})
    assert (told.again, told.coming, len(told.finishes)) == ({"1"}, {"1"}, 1)
    end = ended(told.finishes[0], Marks(4, 12.0), again=True)
    assert (end.attempts, end.ms) == (None, 12.0)
    over = batch([entry(1, "waiting", prev="failed"), entry(2, "failed", failedReason="x")], 1, {})
    assert (over.again, over.coming) == ({"1"}, frozenset())  # known as such to the end in the same batch


@pytest.mark.parametrize(("at", "attempts", "ms"), [(990.0, 2, 7.0), (5_900.0, 2, 7.0), (9_000.0, None, 40.0)])
def test_a_hash_that_tells_of_a_later_end_is_not_believed(at: float, attempts: int | None, ms: float) -> None:
    """A mirror that comes late finds the hash of a job that was retried, and has ended again."""
    entries = [entry(960, "active"), entry(1_000, "failed", failedReason="x")]
    (finish,) = batch(entries, 1, {}).finishes
    end = ended(finish, Marks(2, 7.0, at), again=False)
    assert (end.attempts, end.ms) == (attempts, ms)


def test_removed_jobs_and_events_of_no_job_are_left_alone() -> None:
    drained = StreamEntry("3-0", (("event", "drained"),))
    told = batch([entry(1, "added"), entry(2, "removed"), drained], 1, {})
    assert (told.jobs, told.coming, told.finishes) == ((), frozenset(), ())


def test_a_delayed_job_is_read_when_it_comes_and_one_that_waits_for_its_next_attempt_now() -> None:
    assert batch([entry(1, "added"), entry(2, "delayed")], 1, {}).jobs == ()
    assert batch([entry(1, "added"), entry(2, "active"), entry(3, "delayed")], 1, {}).jobs == ("1",)


def test_jobs_are_read_in_the_order_in_which_the_stream_tells_of_them() -> None:
    """So that a batch can be cut before the first job that is too much."""
    entries = (entry(1, "added", "b"), entry(2, "failed", "c"), entry(3, "added", "a"), entry(4, "active", "b"))
    assert batch(entries, 1, {}).jobs == ("b", "c", "a")
    assert before(entries, {"a"}) == entries[:2]
    assert before(entries, set()) == entries


def test_a_sample_holds_about_its_share_and_always_the_same_jobs() -> None:
    jobs = [str(number) for number in range(10_000)]
    chosen = [job for job in jobs if sampled(job, 0.1)]
    assert 900 < len(chosen) < 1_100
    assert chosen == [job for job in jobs if sampled(job, 0.1)]
    assert set(chosen) < {job for job in jobs if sampled(job, 0.2)}
    assert all(sampled(job, 1) for job in jobs)


@pytest.mark.parametrize(
    ("position", "added", "length", "gap"),
    [
        (10, 40, 20, Gap("9-0", "50-0", 10)),
        (20, 40, 20, None),  # trimmed up to what had been read, and no further
        (None, 40, 20, Gap("9-0", "50-0", None)),
        (10, None, 20, Gap("9-0", "50-0", None)),  # before Redis 7
        (100, 20, 20, Gap("9-0", "50-0", None)),  # another stream
    ],
)
def test_a_gap_tells_how_many_entries_were_missed_where_that_is_known(
    position: int | None, added: int | None, length: int, gap: Gap | None
) -> None:
    assert trimmed("9-0", position, [entry(50, "added")], added, length) == gap


def test_a_mirror_that_begins_with_the_stream_has_no_gap() -> None:
    assert trimmed("0-0", 0, [entry(50, "added")], 100, 1) is None


def test_a_replay_has_one_id_in_each_generation() -> None:
    assert [replay("25-0", 0), replay("25-1", 0), replay("25-0", 2)] == ["m-25-0", "m-25-1", "m2-25-0"]


def test_entries_are_ordered_as_numbers() -> None:
    assert order("9-0") < order("10-0") < order("10-2") < order("10-11")
    assert order("10") == order("10-0")


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        ({"attempts": 3, "backoff": {"type": "fixed", "delay": 5}, "delay": 9, "priority": 2}, ["attempts", "backoff"]),
        ({"attempts": 0, "backoff": "soon", "jobId": "x", "removeOnComplete": True, "kl": 3}, []),
        ({"backoff": 100}, ["backoff"]),
    ],
)
def test_a_replay_keeps_what_decides_how_a_job_is_tried_again(stored: dict[str, object], kept: list[str]) -> None:
    assert list(options(stored)) == kept


def test_jobs_in_hand_are_bounded_in_number_and_in_size() -> None:
    few = Hand(jobs=2)
    few.take({job: Input("n", "{}") for job in "abc"})
    assert ["a" in few, "b" in few, "c" in few] == [False, True, True]
    small = Hand(size=10)
    small.take({"a": Input("n", "x" * 8), "b": Input("n", "x" * 8)})
    assert ["a" in small, "b" in small] == [False, True]
    small.let_go("b")
    small.take({"c": Input("n", "x" * 10)})
    assert small.given("c") is not None


@pytest.mark.parametrize(
    ("entries", "jobs", "seconds"), [(0, 0, IDLE_S), (ENTRIES, 0, 0), (ENTRIES, 100, 2), (3, 1, IDLE_S), (100, 50, 1)]
)
def test_production_is_asked_no_faster_than_it_is_allowed_to_be(entries: int, jobs: int, seconds: float) -> None:
    assert pause(entries, jobs, 50) == seconds
