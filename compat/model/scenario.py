"""A scenario: what is done to a queue, by whom, and what must be true afterwards."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from compat.model.facts import Fact, Laws, Loss, Quirk, Span
from compat.model.program import Rule
from compat.model.steps import Step

ArmName = Literal["self", "produce", "consume", "shadow"]
TopologyName = Literal["single", "cluster"]
Role = Literal["producer", "worker"]


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
