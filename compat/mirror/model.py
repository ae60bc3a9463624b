"""What the mirror knows of a job: what it was started with, how it ended, and what differed."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Outcome = Literal["completed", "failed"]
#: What is compared. All but `duration` decide the exit code.
What = Literal["outcome", "attempts", "returnvalue", "failedReason", "duration"]


class Input(Struct, frozen=True):
    """What a job's worker is given. `data` is JSON text; `options` are those that are replayed."""

    name: str
    data: str
    options: dict[str, Any] = {}


class End(Struct, frozen=True):
    """How a job ended. `value` is its return value as JSON text, or its failed reason; what is not known is None."""

    outcome: Outcome
    value: str
    attempts: int | None = None
    ms: float | None = None  # of the last attempt


class Pair(Struct, frozen=True):
    """A job of production, and the id of its replay."""

    replay: str
    job: str
    name: str
    production: End


class Divergence(Struct, frozen=True):
    """Where the new worker came to another end. `path` leads into the return value: `root['total']`."""

    job: str
    name: str
    replay: str
    what: What
    production: str
    shadow: str
    path: str = ""

    @property
    def counts(self) -> bool:
        """Whether it decides the exit code: machines differ in speed, so durations are only told."""
        return self.what != "duration"


class Unread(Struct, frozen=True):
    """A job that ended and could not be replayed, or not be compared."""

    job: str
    why: str


class Gap(Struct, frozen=True):
    """Entries of the stream that were trimmed before they were read; how many, where the server tells (Redis 7)."""

    after: str
    before: str
    entries: int | None
