"""The wall clock that every script is told the time by: BullMQ's Lua never asks Redis for it."""

from __future__ import annotations

import time
from collections.abc import Callable


def system() -> int:
    """Milliseconds since the epoch, whole, as JavaScript's `Date.now()`."""
    return time.time_ns() // 1_000_000


_source: Callable[[], int] = system


def now() -> int:
    """Milliseconds since the epoch by the clock in use."""
    return _source()


def use(source: Callable[[], int] = system) -> None:
    """Take the time from `source` (a function returning ms) from now on, in the whole process."""
    global _source
    _source = source
