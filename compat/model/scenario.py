"""A scenario: what is done to a queue, by whom, and what must be true afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

ArmName = Literal["self", "produce", "consume", "shadow"]
TopologyName = Literal["single", "cluster"]
Role = Literal["producer", "worker"]
Event = str


class ObjectSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An object a driver opens: exactly one of `queue`, `worker`, `events`, `flow`, `producer` names the queue it
    belongs to.

    Queues, flows and event readers are opened before the first step, in the order written, unless `open` is
    false (then by an `open` step). Workers are opened by a `start` step. `role` moves an object to the other side's
    player: a queue or an event reader is the producer's unless it says otherwise. `impl` makes it a guest: an
    implementation of its own (`node@6.7.0`) holds it, on every side alike.
    """

    queue: str | None = None
    worker: str | None = None
    events: str | None = None
    flow: str | None = None
    producer: str | None = None  # of events of one's own
    opts: dict[str, Any] = field(default_factory=dict)
    role: Role | None = None
    impl: str | None = None
    open: bool = True

    @property
    def kind(self) -> Literal["queue", "worker", "events", "flow", "producer"]:
        if self.worker is not None:
            return "worker"
        if self.events is not None:
            return "events"
        if self.producer is not None:
            return "producer"
        return "flow" if self.flow is not None else "queue"

    @property
    def queue_name(self) -> str:
        return self.queue or self.worker or self.events or self.flow or self.producer or ""

    @property
    def player(self) -> Role:
        return self.role or ("worker" if self.kind == "worker" else "producer")


# --- what the processor does -----------------------------------------------------------------------------------------


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


# --- steps -----------------------------------------------------------------------------------------------------------


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


class Until(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A fact to wait for; every field given must hold at once. It must stay true until the next step.

    `state` counts jobs by state (`wait`, `paused`, `active`, `delayed`, `prioritized`, `waiting-children`,
    `completed`, `failed`); `event` looks in the stream's whole history; `gate` with `waiting` counts attempts
    held there; `job` fields are the facts of `expect`; `count` is how many such events must stand in the history.
    `notice` waits for an event that the driver told of itself (`worker.event`, `queue.event`), with `of` that object's
    only. `errors` counts how
    often, at least, the queue's node has answered with an error of that name (`{OOM: 1}`), on the cell's own server.
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


# --- facts -----------------------------------------------------------------------------------------------------------


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


class Scenario(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One file under `scenarios/`; `id` is its path without `.yaml`.

    `order: per-job` compares the event stream job by job (workers run at once); `total` as one sequence.
    `ranges` bounds what chance decides: `{"j.delay": [25, 50]}` renames that job's delay, if it lies inside, to its
    range. `tagging` says where the Cluster hash tag stands: in the prefix, in the queue's name (then written there),
    or nowhere. `judge: laws` is for faults after which Node and a port may rightly go on in different ways: facts and
    laws judge, as in `shadow`, and what is left is not compared. A scenario with `timing` runs alone, after all others,
    up to five times.
    """

    schema: Literal[1]
    id: str
    title: str
    covers: tuple[str, ...]
    objects: dict[str, ObjectSpec]
    steps: tuple[Step, ...]
    expect: tuple[Fact, ...]
    why: str = ""  # what goes wrong in production when a port fails here
    tags: tuple[str, ...] = ()
    arms: tuple[ArmName, ...] = ("self", "produce", "consume")
    topologies: tuple[TopologyName, ...] = ("single", "cluster")
    needs: tuple[Literal["own-server"], ...] = ()
    order: Literal["total", "per-job"] = "total"
    tagging: Literal["prefix", "queue", "none"] = "prefix"
    program: tuple[Rule, ...] = ()
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    judge: Literal["all", "laws"] = "all"
    laws: Laws = Laws()
    losses: tuple[Loss, ...] = ()
    quirks: tuple[Quirk, ...] = ()
    timing: tuple[Span, ...] = ()
