"""Tries of a cell: what passes only sometimes is flaky."""

from __future__ import annotations

import pytest

from compat.judge import exit_code, together
from compat.model.cell import Cell
from compat.model.verdict import CellVerdict, Difference, Word

CELL = Cell("retry/fixed", "self", "single")
LATE = Difference("retry/fixed#end/events", "event", "mail / events", "a", "b", "they differ")


def came(word: Word, *differences: Difference, reason: str = "") -> CellVerdict:
    return CellVerdict(CELL, word, 40, differences, reason=reason, seconds=0.5)


def test_a_single_try_is_the_verdict() -> None:
    assert together([came("fail", LATE)]) == came("fail", LATE)


@pytest.mark.parametrize("word", ["fail", "error", "invalid", "stale"])
def test_a_pass_after_trouble_is_flaky_and_keeps_what_was_wrong(word: Word) -> None:
    """A pass after a retry never passes the gate."""
    tries = (came(word, LATE, reason="the driver died"), came("pass"))
    found = together(tries)
    assert (found.word, found.differences, found.checks, found.seconds) == ("flaky", (LATE,), 40, 1.0)
    assert found.tries == tries
    assert found.reason == f"try 1: {word}, the driver died; try 2: pass"
    assert exit_code([found, came("pass")]) == 1


def test_a_known_difference_after_trouble_is_flaky_too() -> None:
    assert together([came("error"), came("known", LATE, reason="issue 12")]).word == "flaky"


def test_a_try_without_a_reason_names_what_differs() -> None:
    assert together([came("fail", LATE), came("pass")]).reason == "try 1: fail, end/events; try 2: pass"


def test_what_never_passes_is_what_it_was_at_last_with_all_tries() -> None:
    tries = (came("fail", LATE), came("error", reason="it died"), came("fail", LATE))
    found = together(tries)
    assert (found.word, found.differences, found.tries) == ("fail", (LATE,), tries)
    assert found.reason == "try 1: fail, end/events; try 2: error, it died; try 3: fail, end/events"


def test_equal_failures_need_no_list() -> None:
    assert together([came("fail", LATE), came("fail", LATE)]).reason == "2 tries, each with the same outcome"
