"""Option names: how the API's long names are stored in the `opts` field of a job."""

from __future__ import annotations

from typing import Final

#: Long name → stored name, where they differ. Every other option is stored under its own name.
STORED_OPTIONS: Final[dict[str, str]] = {
    "keepLogs": "kl",
    "deduplication": "de",
    "debounce": "de",
    "failParentOnFailure": "fpof",
    "continueParentOnFailure": "cpof",
    "ignoreDependencyOnFailure": "idof",
    "removeDependencyOnFailure": "rdof",
}

#: Options that may hold a time read from a clock (ms); the API takes explicit times there, too.
CLOCK_OPTIONS: Final = ("timestamp", "prevMillis")
