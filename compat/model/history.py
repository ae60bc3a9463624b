"""A history: all that one cell's execution left behind, for the judge to read."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from compat.model.capture import Capture
from compat.model.cell import Cell, Side


class Implementation(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Who a driver says it is (the answer to `initialize`)."""

    name: str
    version: str
    language: str
    bullmq: str  # the BullMQ version it claims to speak
    homepage: str = ""
    issues: str = ""
    meta_version: str = ""  # what it writes to `meta.version`; empty: `<name>:<version>`


class Problem(Struct, frozen=True):
    """What a call raised, as compared: the symbol; the text is for people."""

    symbol: str
    text: str = ""


class Outcome(Struct, frozen=True, omit_defaults=True):
    """A call and how it ended: exactly one of `result`, `problem`."""

    step: int
    side: Side
    method: str
    sent_ms: float
    answered_ms: float
    label: str | None = None
    queue: str = ""
    result: Any | UnsetType = UNSET
    problem: Problem | None = None


class Attempt(Struct, frozen=True):
    """One `processor.call`: the harness's own count of them, per job, from 1."""

    worker: str
    side: Side
    queue: str
    job: str  # id
    number: int
    token: str
    at_ms: float


class Notice(Struct, frozen=True):
    """What a driver told of its own accord: `worker.event` or `queue.event`, with what the port tells its listeners."""

    object: str
    side: Side
    event: str
    job: str  # id, or ""
    args: dict[str, Any]


class Failure(Struct, frozen=True):
    """Why a cell did not run to its end.

    `late`: a fact did not come true in time. `refused`: a call ended otherwise than the scenario says. `unmatched`: the
    processor was called when no rule says so. `unsupported`: a capability is not declared. `protocol`: the driver
    broke the protocol or died. `environment`: Redis or the machine. Whose fault it is, the judge decides.
    """

    kind: Literal["late", "refused", "unmatched", "unsupported", "protocol", "environment"]
    step: int
    text: str
    side: Side | None = None
    hint: str = ""
    stderr: tuple[str, ...] = ()


class Label(Struct, frozen=True, array_like=True):
    queue: str
    id: str


class Move(Struct, frozen=True):
    """The drivers' clocks, moved: from some time between `since_ms` and `until_ms` on, they are `offset_ms` ahead."""

    since_ms: float
    until_ms: float
    offset_ms: int


class Struck(Struct, frozen=True, omit_defaults=True):
    """A fault that was struck: at which step, what befell whom, and when it was mended (0: it never was)."""

    step: int
    kind: str
    since_ms: float
    mended_ms: float = 0.0
    of: str = ""  # an object
    side: Side | None = None


class History(Struct, frozen=True):
    """One cell's execution, whole. `labels` maps a scenario's job labels to what they turned out to be."""

    cell: Cell
    prefix: str
    started_ms: float
    ended_ms: float
    sides: dict[Side, Implementation]
    captures: tuple[Capture, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    notices: tuple[Notice, ...] = ()
    unheard: tuple[str, ...] = ()  # workers and readers whose driver does not say that it tells of their events
    labels: dict[str, Label] = {}
    step_ms: tuple[float, ...] = ()  # when each step began
    moves: tuple[Move, ...] = ()
    skews: tuple[Move, ...] = ()  # the clock of one player alone was ahead between these two times
    struck: tuple[Struck, ...] = ()
    failure: Failure | None = None
    denied: tuple[str, ...] = ()  # keys outside the prefix that a driver tried to touch (ACL LOG)
    seconds: float = 0.0

    def capture(self, label: str) -> Capture | None:
        return next((c for c in self.captures if c.label == label), None)
