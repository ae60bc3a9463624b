"""A program: what a processor does in each attempt."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field


class Throw(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an attempt ends when it does not return.

    `delayed`, `waiting` and `waitingChildren` first move the job (`job.moveToDelayed(now + ms, token)`,
    `job.moveToWait(token)`, `job.moveToWaitingChildren(token)`), then raise BullMQ's error of that name;
    `rateLimit` first calls `queue.rateLimit(ms)`. `nonError` throws the message itself, as JavaScript's
    `throw "text"` does.
    """

    type: Literal["error", "unrecoverable", "delayed", "waiting", "waitingChildren", "rateLimit", "nonError"] = "error"
    message: str = ""
    ms: int | None = None


class End(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The end of an attempt: exactly one of `return`, `throw`, `die`."""

    returned: Any | UnsetType = field(name="return", default=UNSET)
    throw: Throw | str | UnsetType = UNSET
    die: bool | UnsetType = UNSET


class Action(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing an attempt does before it ends: exactly one field is set."""

    progress: Any | UnsetType = UNSET
    log: str | UnsetType = UNSET
    update_data: Any | UnsetType = field(name="updateData", default=UNSET)
    extend_lock: int | UnsetType = field(name="extendLock", default=UNSET)
    spin: int | UnsetType = UNSET  # block the processor's thread for this many ms, on purpose
    gate: str | UnsetType = UNSET  # held here until the scenario releases the gate


class Match(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which attempts a rule is for; what is left out matches everything."""

    job: str | None = None  # a label
    name: str | None = None  # the job's name
    attempt: int | None = None  # the harness's own count of calls for this job in this cell, from 1
    worker: str | None = None


class Rule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one attempt does. The first rule that matches wins; a call that no rule matches spoils the cell."""

    then: End
    when: Match = Match()
    gate: str | None = None  # held before anything is done, until released
    do: tuple[Action, ...] = ()
