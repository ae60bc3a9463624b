"""A cell's clock: between which bounds a value lies that a driver has read from it."""

from __future__ import annotations

from compat.model.history import History
from compat.normalise.text import number

INSTANT = "<instant>"

_SLACK = 1  # ms: drivers and Redis read their clocks in whole milliseconds, the harness does not


class Clock:
    """Tells instants from literal times.

    Becomes `<instant>`: a whole number of milliseconds that the drivers' clock has shown between the start of the cell
    and the moment it was seen; `advance` and `clock` move that clock, and a fault the one of a single driver, so that
    it shows several stretches of time. Stays
    checked: that it lies in one, and that it is whole. Anything else, such as a timestamp that the scenario gave, stays
    literal. Sound, because the drivers' clocks are this machine's.
    """

    def __init__(self, history: History) -> None:
        self.started = history.started_ms
        moves = history.moves
        ends = [*(move.until_ms for move in moves), float("inf")]
        begins = [float("-inf"), *(move.since_ms for move in moves)]
        self._stretches = list(zip(begins, ends, (0, *(move.offset_ms for move in moves)), strict=True))
        self._stretches += [(skew.since_ms, skew.until_ms, skew.offset_ms) for skew in history.skews]

    def within(self, value: float, since: float, at_ms: float) -> bool:
        """Whether a clock read between `since` and `at_ms` (the harness's clock) may have shown `value`."""
        return any(
            max(since, begin) + ahead - _SLACK <= value <= min(at_ms, end) + ahead + _SLACK
            for begin, end, ahead in self._stretches
            if begin - _SLACK <= at_ms and since <= end + _SLACK
        )

    def seen(self, value: float, at_ms: float) -> bool:
        """Whether `value` may have been read from the clock in this cell by `at_ms`."""
        return self.within(value, self.started, at_ms)

    def instant(self, text: str, at_ms: float) -> str:
        """`<instant>`, or the text itself."""
        ms = number(text)
        return INSTANT if isinstance(ms, int) and self.seen(ms, at_ms) else text
