"""A cell's clock: between which bounds a value lies that a driver has read from it."""

from __future__ import annotations

from compat.model.history import History
from compat.model.scenario import Scenario

INSTANT = "<instant>"

_SLACK = 1  # ms: clocks are read in whole milliseconds


class Clock:
    """Tells instants from literal times.

    Becomes `<instant>`: a whole number of milliseconds between the start of the cell and the moment it was seen, on the
    drivers' clock (which `advance` moves). Stays checked: that it lies there, and that it is whole. Anything else, such
    as a timestamp that the scenario gave, stays literal. Sound, because the drivers' clocks are this machine's.
    """

    def __init__(self, scenario: Scenario, history: History) -> None:
        self.started = history.started_ms
        self._in_all = history.offset_ms
        self._moves = tuple(
            (began, step.advance)
            for step, began in zip(scenario.steps, history.step_ms, strict=False)
            if step.advance is not None
        )

    def offset(self, at_ms: float) -> int:
        """How far the drivers' clocks were ahead at `at_ms`, at most."""
        return sum(ms for began, ms in self._moves if began <= at_ms) if self._moves else self._in_all

    def within(self, value: float, since: float, at_ms: float) -> bool:
        """Whether a clock read between `since` and `at_ms` (the harness's clock) may have shown `value`."""
        ahead = self.offset(since) if self._moves else 0
        return since + ahead - _SLACK <= value <= at_ms + self.offset(at_ms) + _SLACK

    def seen(self, value: float, at_ms: float) -> bool:
        """Whether `value` may have been read from the clock in this cell by `at_ms`."""
        return self.within(value, self.started, at_ms)

    def instant(self, text: str, at_ms: float) -> str:
        """`<instant>`, or the text itself."""
        return INSTANT if text.isascii() and text.isdigit() and self.seen(int(text), at_ms) else text
