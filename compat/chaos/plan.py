"""The plan of a chaos run: how many jobs, which faults, in which order and when; chance is the seed's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from compat.model.scenario import TopologyName

#: Fault → what it does. The worker's is struck by its process, the others by `compat.faults`.
FAULTS: Final = {
    "worker-killed": "a worker's process gets SIGKILL; another one starts",
    "node-killed": "Redis gets SIGKILL and starts again from its append-only file (fsync always)",
    "scripts-flushed": "SCRIPT FLUSH",
    "connection-reset": "every connection is reset at once, whatever is under way",
    "reply-lost": "one script is carried out and its reply lost with the connection",
    "connections-killed": "CLIENT KILL of every connection",
    "failed-over": "a replica takes over from its master by request, and hands it back",
}
DEFAULT: Final[dict[TopologyName, tuple[str, ...]]] = {
    "single": ("worker-killed", "node-killed", "scripts-flushed", "connection-reset", "reply-lost"),
    "cluster": ("worker-killed", "scripts-flushed", "connections-killed", "failed-over"),
}
FAILING: Final = 100  # every so-manieth job fails, as it is told to
SHORTEST_S: Final = 15.0
JOBS_A_SECOND: Final = 1_000.0
GAP_S: Final = (1.5, 3.5)  # between two faults


@dataclass(frozen=True)
class Plan:
    """`jobs` are numbered from 0 and added over `seconds`; the two adders take every other one."""

    jobs: int
    seed: int
    topology: TopologyName
    faults: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return max(SHORTEST_S, self.jobs / JOBS_A_SECOND)

    def strikes(self) -> Iterator[tuple[float, str, float]]:
        """(s to wait, fault, chance that chooses its victim), without end; each once before any comes again."""
        draw = random.Random(self.seed)
        while True:
            for fault in draw.sample(self.faults, len(self.faults)):
                yield draw.uniform(*GAP_S), fault, draw.random()


def fails(number: int) -> bool:
    """Whether the job's processor raises, as planned."""
    return number % FAILING == FAILING - 1
