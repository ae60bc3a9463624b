"""Scores: how BullMQ puts a time or a priority, and a tie-break, into one number."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

TIES: Final = 4096  # due times per millisecond in `delayed`
COUNTERS: Final = 2**32  # insertions per priority in `prioritized`


def printed(score: float) -> str:
    """A score as Redis prints it."""
    return str(int(score)) if float(score).is_integer() else f"{score:.17g}"


class Due(NamedTuple):
    ms: int
    tie: float  # 0..4095; a fraction only when the due time had one


class Priority(NamedTuple):
    priority: int
    counter: float


def due(score: float) -> Due:
    """The due time (ms) and the tie-break of a score in `delayed` (addDelayedJob, moveToDelayed, changeDelay).

    An infinite score has no time: it is all tie-break."""
    ms, tie = divmod(score, TIES) if math.isfinite(score) else (0, score)
    return Due(int(ms), tie)


def priority(score: float) -> Priority:
    """The priority and the insertion counter of a score in `prioritized` (addPrioritizedJob). An infinite score is all
    counter."""
    level, counter = divmod(score, COUNTERS) if math.isfinite(score) else (0, score)
    return Priority(int(level), counter)
