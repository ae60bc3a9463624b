"""Steps: what is done to a queue, one thing after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from msgspec import UNSET, Struct, UnsetType, field


class JobRef(Struct, frozen=True, forbid_unknown_fields=True):
    """A job that no label names: the queue object, and the id."""

    on: str
    id: str


class Add(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    on: str
    name: str
    label: str | None = field(name="as", default=None)
    data: Any | UnsetType = UNSET
    opts: dict[str, Any] | UnsetType = UNSET


class BulkJob(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    name: str
    label: str | None = field(name="as", default=None)
    data: Any | UnsetType = UNSET
    opts: dict[str, Any] | UnsetType = UNSET


class Bulk(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    on: str
    jobs: tuple[BulkJob, ...]


class FlowNode(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A job of a flow, with Node's names, and a label. It waits for its children."""

    name: str
    queue: str = field(name="queueName")
    label: str | None = field(name="as", default=None)
    data: Any | UnsetType = UNSET
    opts: dict[str, Any] | UnsetType = UNSET
    children: tuple[FlowNode, ...] = ()

    def nodes(self) -> Iterator[FlowNode]:
        """It and all below it."""
        yield self
        for child in self.children:
            yield from child.nodes()


class Flow(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A tree of jobs added with one call (`flow.add`, with its `opts`), or several (`flow.addBulk`): exactly one of
    `tree`, `trees`. `as` labels the call; its nodes have labels of their own."""

    on: str
    label: str | None = field(name="as", default=None)
    tree: FlowNode | None = None
    trees: tuple[FlowNode, ...] | None = None
    opts: dict[str, Any] | UnsetType = UNSET

    @property
    def roots(self) -> tuple[FlowNode, ...]:
        return self.trees or ((self.tree,) if self.tree is not None else ())

    def nodes(self) -> Iterator[FlowNode]:
        """Every node of every tree."""
        return (node for root in self.roots for node in root.nodes())


class Call(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Any other method of the API, by Node's name: on an object (`on`), or on a job (`job`: a label or `{on, id}`).

    In `args`, the text `<job:LABEL>` stands for that job's id.
    """

    method: str
    on: str | None = None
    job: str | JobRef | None = None
    args: dict[str, Any] = field(default_factory=dict)
    label: str | None = field(name="as", default=None)


class Start(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    worker: str
    opts: dict[str, Any] = field(default_factory=dict)  # over the object's own


class Stop(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    worker: str
    force: bool = False


class KeyFact(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    key: str  # what follows `<prefix>:<queue>:`
    exists: bool = True


#: Among the names of errors: whatever a script ended with, but for NOSCRIPT, after which it is sent again.
OF_SCRIPTS: Final = "script"


class Until(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A fact to wait for; every field given must hold at once. It must stay true until the next step.

    `state` counts jobs by state (`wait`, `paused`, `active`, `delayed`, `prioritized`, `waiting-children`,
    `completed`, `failed`); `event` looks in the stream's whole history; `gate` with `waiting` counts attempts
    held there; `job` fields are the facts of `expect`; `count` is how many such events must stand in the history.
    `notice` waits for an event that the driver told of itself (`worker.event`, `queue.event`), with `of` that object's
    only. `errors` counts how often, at least, Redis has answered with an error of that name (`{OOM: 1}`), on the cell's
    own server; `script` stands for whatever error a script ended with (`{script: 2}`): where one worker waits while
    another ends its job, both are refused, and only the second of them by scripts.
    """

    queue: str | None = None  # an object's name; needed where a scenario has more than one queue
    state: dict[str, int] | None = None
    event: str | None = None
    job: str | None = None
    count: int = 1
    gate: str | None = None
    waiting: int = 1
    key: KeyFact | None = None
    notice: str | None = None
    of: str | None = None
    errors: dict[str, int] | None = None
    deadline: int = 8_000  # ms


class Share(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Let attempts past a gate one by one, each time all workers are at rest, until none comes any more: a side that
    lets go of a job is the one that takes the next. The sides take turns, or with a `seed` chance decides, always in
    the same way: another seed is another interleaving."""

    gate: str
    seed: int | None = None


class Expire(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Delete a key as Redis's own expiry would: exactly one of `lock`, `key`."""

    lock: str | None = None  # a job's label
    key: str | None = None  # what follows `<prefix>:<queue>:`
    queue: str | None = None


FaultKind = Literal[
    "node-killed",
    "node-frozen",
    "loading",
    "connections-killed",
    "scripts-flushed",
    "locks-evicted",
    "memory-full",
    "read-only",
    "slot-unserved",
    "failed-over",
    "master-lost",
    "slot-torn",
    "slot-moved",
    "reply-lost",
    "scripts-flushed-within",
    "connection-reset",
    "half-open",
    "driver-frozen",
    "clock-stepped",
]


class Strike(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something goes wrong, on a server of the cell's own: a fault of the catalogue, until `mend` or the cell's end.

    `of` names an object. Faults of connections, replies, drivers and clocks befall its player (a worker then has a
    process of its own; in `shadow` the side that has a job in hand, else the port's), faults of a node or a slot those
    that serve its queue; without `of`, every player, or the first object's queue.
    """

    kind: FaultKind
    of: str | None = None
    label: str | None = field(name="as", default=None)  # what `mend` calls it; its kind, if not given
    #: connections-killed, half-open: only those that wait in a blocking command (true), or all others (false)
    blocked: bool | None = None
    word: str | None = None  # reply-lost: the next command that has it in one of its words, whatever its case
    carried_out: bool = field(name="carriedOut", default=True)  # reply-lost: false: Redis does not get it, either
    before: int | None = None  # scripts-flushed-within: before which call of a script, 1: the next one
    anew: bool = False  # half-open: connections made from now on carry again
    ms: int | None = None  # clock-stepped: how far ahead the clock is from now on
    keys: tuple[str, ...] = ()  # slot-torn: what has moved already: what follows `<prefix>:<queue>:`

    @property
    def name(self) -> str:
        return self.label or self.kind


BESIDES = ("raises", "may_raise", "unknown", "later")  # what stands in a step beside its verb


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step: exactly one field besides `raises`, `mayRaise`, `unknown` and `later`. `raises` is the symbol of the
    error the call must end with, `mayRaise` of one that it ends with on one side of a quirk. With `unknown` it may end
    in any error or none: a fault keeps its caller from knowing. With `later` the call is made and not waited for, until
    a step `await` names it."""

    add: Add | None = None
    bulk: Bulk | None = None
    flow: Flow | None = None
    call: Call | None = None
    open: str | None = None
    close: str | None = None
    start: str | Start | None = None
    stop: str | Stop | None = None
    until: Until | None = None
    capture: str | None = None
    release: str | None = None
    share: str | Share | None = None
    expire: Expire | None = None
    sweep: str | None = None  # a worker: one stalled sweep now (the `stalled-check` key is expired first)
    advance: int | None = None  # ms
    clock: str | None = None  # the time that the drivers' clocks show from now on: ISO text with its offset
    kill: str | None = None  # a worker: SIGKILL to its process
    fault: Strike | None = None
    mend: str | None = None  # what a fault is called
    await_: str | None = field(name="await", default=None)  # what a call is called that was left for later
    raises: str | None = None
    unknown: bool = False
    later: str | None = None
    may_raise: str | None = field(name="mayRaise", default=None)

    @property
    def verb(self) -> str:
        for name in self.__struct_fields__:
            if name not in BESIDES and getattr(self, name) is not None:
                return name.rstrip("_")
        return "nothing"
