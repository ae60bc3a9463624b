"""The plan of a shadow run: how many jobs, how fast, which faults; chance is the seed's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from compat.chaos.plan import Plan as Strikes
from compat.model.cell import Side
from compat.model.scenario import TopologyName

SIDES: Final[tuple[Side, ...]] = ("oracle", "port")
OTHER: Final[dict[Side, Side]] = {"oracle": "port", "port": "oracle"}
ROUND: Final = 500  # payloads; their jobs' events are fewer than BullMQ keeps (10,000), and Redis holds one round
FAULT_S: Final = 4.0  # s of a round that each fault needs to have its turn
#: Of workers whose jobs shall soon be run again when they die, and be failed for no stall: what faults are struck with.
#: Without faults a worker's own defaults hold: a slow machine shall lose no lock.
SHORT: Final[dict[str, Any]] = {"lockDuration": 3_000, "stalledInterval": 1_500, "maxStalledCount": 1_000}


@dataclass(frozen=True)
class Plan:
    """`jobs` in all, two for each payload; None: as many as go into `seconds`. `rate` of them are added a second.

    `concurrency` is each worker's. `faults` are those of `compat.chaos`, struck while both sides are at work; each has
    its turn in every round. After `patience` s in which no job gets on, what is left counts as stuck.
    """

    queue: str
    prefix: str
    jobs: int | None
    seconds: float | None
    rate: float
    seed: int
    concurrency: int
    faults: tuple[str, ...] = ()
    patience: float = 30.0

    def rounds(self) -> Iterator[range]:
        """The numbers of each round's payloads; without end where only time ends it."""
        last = None if self.jobs is None else self.jobs // 2
        first = 0
        while last is None or first < last:
            until = first + ROUND if last is None else min(first + ROUND, last)
            yield range(first, until)
            first = until

    @property
    def options(self) -> dict[str, Any]:
        """A worker's."""
        return {"concurrency": self.concurrency, "drainDelay": 1, **(SHORT if self.faults else {})}

    def gap(self, payloads: int) -> float:
        """s between two jobs that are added while both sides are at work."""
        return max(1 / self.rate, len(self.faults) * FAULT_S / payloads)

    def strikes(self, topology: TopologyName, round_: int) -> Iterator[tuple[float, str, float]]:
        """(s to wait, fault, chance that chooses its victim), without end."""
        return Strikes(0, self.seed + round_, topology, self.faults).strikes()
