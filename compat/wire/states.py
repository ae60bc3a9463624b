"""The states of a job: in which key a queue holds the ids of its jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from compat.model.capture import Key

#: States held in a list; the tail of `wait` and `paused` runs next.
LISTS: Final = ("wait", "paused", "active")
#: States held in a sorted set.
SORTED: Final = ("prioritized", "delayed", "waiting-children", "completed", "failed")
#: All states, by the names of their keys (the API says `waiting` for both `wait` and `paused`).
STATES: Final = (*LISTS, *SORTED)


def members(key: Key) -> tuple[str, ...]:
    """The ids that a state's key holds, in its order."""
    return key.items if key.type == "list" else tuple(member for member, _ in key.scores)


def state_of(keys: Mapping[str, Key], base: str, job: str) -> str:
    """The state of `job` in the queue at `base` (`<prefix>:<queue>`), or `unknown`, as `getStateV2` answers."""
    for state in STATES:
        key = keys.get(f"{base}:{state}")
        if key is not None and job in members(key):
            return state
    return "unknown"
