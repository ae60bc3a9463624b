"""A cell's clock shows the stretches of time that its moves lead through, and no other."""

from __future__ import annotations

from compat.model.cell import Cell
from compat.model.history import History, Implementation, Move
from compat.normalise.clock import Clock

START = 1_795_500_000_000
DAY = 86_400_000
NODE = Implementation("bullmq", "5.62.0", "javascript", "5.62.0")


def clock(*moves: Move) -> Clock:
    cell = Cell("made/up", "oracle", "single")
    return Clock(History(cell, "p", START, START + 1_000, {"oracle": NODE}, moves=moves))


def test_a_clock_that_is_not_moved_shows_the_time_of_the_cell() -> None:
    still = clock()
    assert still.seen(START, START + 100)
    assert not still.seen(START + 102, START + 100)
    assert not still.seen(START - 2, START + 100)


def test_a_moved_clock_has_shown_both_stretches_and_not_what_lies_between() -> None:
    moved = clock(Move(START + 50, START + 60, DAY))
    assert moved.seen(START + 55, START + 100)
    assert moved.seen(START + 55 + DAY, START + 100)
    assert not moved.seen(START + 55 + DAY, START + 40)  # not yet
    assert not moved.seen(START + DAY // 2, START + 100)
    assert not moved.seen(START + 70, START + 100)  # no more


def test_a_clock_may_go_back() -> None:
    back = clock(Move(START + 50, START + 60, DAY), Move(START + 80, START + 90, -DAY))
    assert back.seen(START + 95 - DAY, START + 100)
    assert back.seen(START + 85 + DAY, START + 100)
    assert not back.seen(START + 95 + DAY, START + 100)


def test_a_window_is_looked_at_in_the_stretches_that_it_touches() -> None:
    moved = clock(Move(START + 50, START + 60, DAY))
    assert moved.within(START + 75 + DAY, START + 70, START + 80)
    assert not moved.within(START + 75, START + 70, START + 80)
    assert moved.within(START + 45, START + 40, START + 48)
    assert not moved.within(START + 45 + DAY, START + 40, START + 48)


def test_a_server_that_dates_in_whole_milliseconds_may_seem_to_see_a_move_before_it_was_made() -> None:
    moved = clock(Move(START + 50.6, START + 51.4, DAY))
    assert moved.within(START + 50 + DAY, START + 50, START + 50)
    assert not moved.within(START + 49 + DAY, START + 49, START + 49)
