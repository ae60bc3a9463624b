"""The workloads: what each peer is asked to do, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Measure = Literal["rate", "latency"]


@dataclass(frozen=True)
class Workload:
    """One kind of measurement.

    `asks` are the fields of a peer program's question beside the number of jobs and the address. `seeded`: how many
    jobs lie in each queue before it starts (None: as many as are worked on), taken already if `held`. `fixed` is the
    number of operations where it does not depend on `--jobs`; `warm` that of a warmed-up run, None where there is none.
    """

    id: str
    title: str
    asks: Mapping[str, Any]
    measure: Measure = "rate"
    seeds: bool = False
    seeded: int | None = None
    held: bool = False
    fixed: int | None = None
    warm: int | None = None
    queues: tuple[str, ...] = field(default=("bench",))

    def jobs(self, wanted: int, *, share: float = 1.0, warm: bool = False) -> int:
        """How many operations a queue: `wanted` or what the workload says; slow peers get a `share` of it."""
        if warm and self.warm is not None:
            return max(1, round(self.warm * wanted / 10_000))
        if self.fixed is not None:
            return self.fixed if wanted >= 10_000 else max(20, self.fixed * wanted // 10_000)
        return max(1, round(wanted * share))


def _work(concurrency: int, workers: int = 1) -> dict[str, Any]:
    return {"kind": "work", "concurrency": concurrency, "workers": workers}


WORKLOADS = (
    Workload("W1", "adds, one after another", {"kind": "add"}, warm=20_000),
    Workload("W2", "adds, 50 in flight", {"kind": "add", "in_flight": 50}, warm=100_000),
    Workload("W3", "adds in bulks of 1,000", {"kind": "bulk"}, warm=100_000),
    Workload("W4", "a worker, concurrency 1", _work(1), seeds=True, warm=30_000),
    Workload("W5", "a worker, concurrency 10", _work(10), seeds=True, warm=100_000),
    Workload("W6", "a worker, concurrency 100", _work(100), seeds=True, warm=100_000),
    Workload("W7", "ten workers, concurrency 1", _work(1, 10), seeds=True, warm=100_000),
    Workload("W8", "pick-up by an idle worker", {"kind": "pickup"}, "latency", fixed=300),
    Workload("W9", "renewal of 100 locks", {"kind": "renew", "concurrency": 100}, "latency", seeds=True, seeded=100,
             held=True, fixed=300),
    Workload("W10", "stalled sweep over 10,000 active", {"kind": "sweep"}, "latency", seeds=True, seeded=10_000,
             held=True, fixed=20),
    Workload("W11", "concurrency 10, 1,000 jobs queued", _work(10), seeds=True, fixed=1_000,
             queues=tuple(f"bench-{n}" for n in range(5))),
    Workload("W12", "concurrency 10, 100,000 jobs queued", _work(10), seeds=True, seeded=100_000, fixed=5_000),
)  # fmt: skip

BY_ID = {workload.id: workload for workload in WORKLOADS}
