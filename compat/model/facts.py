"""Facts: what must hold when all is done, and what a fault or a quirk may change of it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field


class Fact(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that must hold on every side, the oracle's included. `at` names a capture; the last one by default.

    With `job`: any of the fields below it. With `key`: `exists`, or `is` (a string, a list as stored head to tail, a
    sorted list of a set's members, a map of a hash, a list of a sorted set's members by score). `events` lists the
    stream as texts `event`, `event job` or `event job field=value`, in order. `processed` is the order of the jobs'
    first attempts.
    """

    at: str | None = None
    queue: str | None = None
    # about a job (a label)
    job: str | None = None
    exists: bool | None = None
    state: str | None = None
    name: str | None = None
    data: Any | UnsetType = UNSET
    opts: dict[str, Any] | UnsetType = UNSET  # as stored: short names, parsed
    returnvalue: Any | UnsetType = UNSET
    failed_reason: str | None = field(name="failedReason", default=None)
    attempts_made: int | None = field(name="attemptsMade", default=None)
    attempts_started: int | None = field(name="attemptsStarted", default=None)
    stalled_counter: int | None = field(name="stalledCounter", default=None)
    delay: int | None = None
    priority: int | None = None
    progress: Any | UnsetType = UNSET
    stacktraces: int | None = None  # how many entries
    logs: tuple[str, ...] | None = None
    processed_by: str | None = field(name="processedBy", default=None)
    attempts: int | None = None  # how often the processor was called for it
    fields: dict[str, str | None] | None = None  # raw hash fields; null: absent
    # about a queue
    counts: dict[str, int] | None = None
    key: str | None = None
    value: Any | UnsetType = field(name="is", default=UNSET)
    events: tuple[str, ...] | None = None
    processed: tuple[str, ...] | None = None
    # about a call (a label)
    call: str | None = None
    returns: Any | UnsetType = UNSET


class Laws(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Laws that Node itself breaks in this scenario, each with the reason."""

    excepted: dict[str, str] = field(name="except", default_factory=dict)


class Loss(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a fault, or a guest of another version, costs: `shown` is a fact that must hold on every side. With `spared`
    a port may do better than Node: then it must hold on the oracle, and counts where it holds."""

    kind: Literal["doubled", "lost", "late"]
    why: str
    shown: Fact
    spared: bool = False


class Quirk(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where BullMQ 5.62.0 itself errs and a later version does not: both are accepted, and it is told which was seen.

    `mended` names the version that mends it, and where it was reported. `expect` are facts that hold where it is
    mended, and only there. `places` are globs over checks without the scenario's id (`end/delayed`,
    `end/expect/1`, `run/call.step 3 *`): what may differ between a side that has the quirk and one that has not.
    """

    name: str
    reason: str
    mended: str
    places: tuple[str, ...]
    expect: tuple[Fact, ...]


class Instant(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A moment of a cell: exactly one of `add`, `call`, `stop`, `attempt`.

    An `add` (the job's label), a `call` (its label) or a `stop` (the worker) is the moment when the call was sent and,
    as the end of a span, when it was answered. An `attempt` (a job's label) is the moment when it began.
    """

    add: str | None = None
    call: str | None = None
    stop: str | None = None
    attempt: str | None = None
    number: int = 1  # which attempt


class Span(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A time that is taken on both sides, from one moment to another. What goes beyond `due` is lateness.

    A port is late when, of all samples, its smallest lateness exceeds the oracle's largest by more than `bound`.
    """

    name: str
    since: Instant = field(name="from")
    until: Instant = field(name="to")
    due: int = 0  # ms
    bound: int = 200  # ms
