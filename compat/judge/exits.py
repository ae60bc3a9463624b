"""The exit code of a run."""

from __future__ import annotations

from collections.abc import Iterable

from compat.compare.levels import at_least
from compat.model.verdict import CellVerdict, Level

CLEAN, DIFFERENT, STALE, BROKEN = 0, 1, 2, 3


def exit_code(verdicts: Iterable[CellVerdict], gate: Level = "encoding") -> int:
    """0 clean; 1 differences at or above `gate`; 2 a baseline that is stale; 3 an error, an invalid cell, or nothing
    judged at all. The gravest counts: what could not be judged comes before what was judged."""
    verdicts = tuple(verdicts)
    words = {verdict.word for verdict in verdicts}
    if words & {"error", "invalid"} or words <= {"not-applicable"}:
        return BROKEN
    if "stale" in words:
        return STALE
    told = any(
        verdict.word in ("fail", "pass") and any(at_least(difference.level, gate) for difference in verdict.differences)
        for verdict in verdicts
    )
    return DIFFERENT if told or words & {"fail", "flaky"} else CLEAN
