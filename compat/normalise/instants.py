"""Instants: a time that comes from a clock, inside the time in which the cell ran, is renamed; any other stays."""

from __future__ import annotations

from dataclasses import dataclass

_SLACK = 2.0  # ms: two processes read one clock at different moments, and round it

INSTANT = "<instant>"


@dataclass(frozen=True)
class Window:
    """From the cell's start to its capture (both ms), as the drivers' clocks saw it."""

    start: float
    end: float

    def holds(self, ms: float) -> bool:
        return self.start - _SLACK <= ms <= self.end + _SLACK

    def rename(self, ms: int | str) -> int | str:
        """`<instant>` for a time inside the window; what lies outside, an explicit timestamp for one, as it is."""
        return INSTANT if isinstance(ms, int) and self.holds(ms) else ms

    def due(self, ms: float, delays: frozenset[float], bounds: tuple[float, float] | None = None) -> str | float:
        """`<instant>+delay` for a due time that lies one of `delays` after an instant; else as it is.

        With `bounds` (a delay that chance decides) it is `<instant>+<low to high>` when it lies between them.
        """
        if bounds is not None:
            low, high = bounds
            fits = self.start - _SLACK <= ms - low and ms - high <= self.end + _SLACK
            return f"{INSTANT}+<{low:g} to {high:g}>" if fits else ms
        for delay in sorted(delays, reverse=True):
            if delay and self.holds(ms - delay):
                return f"{INSTANT}+{delay:g}" if delay < 1e6 else f"{INSTANT}+{delay}"
        return INSTANT if self.holds(ms) else ms
