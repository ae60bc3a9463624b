"""Work: what a seed makes of a payload, and what each attempt is told."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec import UNSET

from compat.shadow.plan import ROUND, Plan
from compat.shadow.work import Copy, work

PLAYS = ("progress", "log", "unrecoverable")
WORKS = [work(7, number, PLAYS) for number in range(400)]


def test_a_seed_makes_the_same_work_again_and_another_seed_other_work() -> None:
    assert [work(7, number, PLAYS) for number in range(400)] == WORKS
    assert [work(8, number, PLAYS) for number in range(400)] != WORKS


def test_there_is_some_of_everything() -> None:
    assert {kind for w in WORKS for kind in w.opts} == {"attempts", "backoff", "delay", "priority", "lifo"}
    assert any(w.fails and w.final for w in WORKS)
    assert any(w.fails and w.attempts > 1 for w in WORKS)
    assert any(not w.fails and w.failures for w in WORKS)
    assert any(len(json.dumps(w.data)) > 2_000 for w in WORKS)
    assert {type(w.data) for w in WORKS} >= {dict, list, str, int, float, type(None)}


def test_attempt_by_attempt_a_job_comes_to_the_end_that_was_planned() -> None:
    for w in WORKS:
        ends = [w.answer(attempt).end for attempt in range(1, w.calls + 1)]
        assert all(end.throw is not UNSET for end in ends[:-1])
        assert (ends[-1].throw is not UNSET) == w.fails
        assert w.calls <= w.attempts


def test_an_attempt_that_is_made_again_is_told_the_same() -> None:
    """What an attempt is told hangs on its number alone: whoever makes it, and however often."""
    assert all(w.answer(1) == w.answer(1) for w in WORKS)


def test_nothing_is_asked_of_a_processor_that_it_does_not_play() -> None:
    plain = [work(7, number, ()) for number in range(400)]
    assert not any(w.do or w.final for w in plain)


def test_answers_can_be_sent_to_a_driver() -> None:
    assert all(msgspec.json.encode(w.answer(1)) for w in WORKS)


@pytest.mark.parametrize("copy", [Copy(0, False), Copy(0, True), Copy(41, True)])
def test_a_copy_is_known_by_its_name_and_by_its_place(copy: Copy) -> None:
    assert (Copy.named(copy.name), Copy.at(copy.place)) == (copy, copy)


@pytest.mark.parametrize("name", ["", "job", "job-", "job-x", "mail-1", "twin-²", "job--1"])
def test_another_name_is_no_copys(name: str) -> None:
    assert Copy.named(name) is None


def plan(jobs: int | None, *faults: str) -> Plan:
    return Plan("q", "p", jobs, None, 100, 1, 5, faults)


def test_rounds_go_through_all_payloads_once() -> None:
    rounds = list(plan(2 * (ROUND + 10)).rounds())
    assert [len(numbers) for numbers in rounds] == [ROUND, 10]
    assert [n for numbers in rounds for n in numbers] == list(range(ROUND + 10))
    endless = plan(None).rounds()
    assert [next(endless), next(endless)] == [range(ROUND), range(ROUND, 2 * ROUND)]


def test_a_round_with_faults_is_long_enough_for_each_of_them() -> None:
    assert plan(100).gap(50) == 0.01
    assert plan(100, "a", "b", "c").gap(50) * 50 >= 3 * 3.5
