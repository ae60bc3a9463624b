"""What a measurement left: one record each, and the run's header."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from compat.bench.programs.contract import Answer

NOISY = 0.25  # cores used by others, from which on a measurement is made once more


@dataclass(frozen=True)
class Record:
    """One measurement: what the peer's program said, and what the server and the machine did meanwhile.

    `scripts`: calls of scripts in all. `server_cpu` in s. `foreign`: cores that others used, None where the system
    does not tell. `attempts`: 2 when it was made again because of them; the quieter one is kept.
    """

    workload: str
    peer: str
    warm: bool
    round: int
    answer: Answer
    scripts: int
    server_cpu: float
    foreign: float | None
    attempts: int = 1

    @property
    def noisy(self) -> bool:
        return self.foreign is not None and self.foreign > NOISY

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.answer.ops / self.answer.seconds

    def figure(self, name: str) -> float | None:
        """By name: `rate` (1/s), `cpu` (µs of the client an operation), `server` (µs of the server), `scripts` (an
        operation), `peak` and `growth` (MB), `tasks` (growth of their number), `p50`, `p95`, `p99` (ms)."""
        answer, ops = self.answer, self.answer.ops
        if name.startswith("p") and name[1:].isdigit():
            return percentile(answer.latencies, int(name[1:]))
        if name == "tasks":
            return None if answer.tasks is None else float(answer.tasks[1] - answer.tasks[0])
        return {
            "rate": self.rate,
            "cpu": answer.cpu / ops * 1e6,
            "server": self.server_cpu / ops * 1e6,
            "scripts": self.scripts / ops,
            "peak": answer.rss_peak / 1e6,
            "growth": answer.rss_growth / 1e6,
        }[name]

    def json(self) -> dict[str, Any]:
        """For programs: percentiles instead of single latencies."""
        fields = asdict(self)
        del fields["answer"]["latencies"]
        names = ("rate", "cpu", "server", "scripts", "peak", "growth", "tasks", "p50", "p95", "p99")
        return {**fields, "noisy": self.noisy, "figures": {name: self.figure(name) for name in names}}


@dataclass(frozen=True)
class Machine:
    """Where it was measured: versions and sizes, for the reader."""

    cpu: str
    cores: int
    server: str
    python: str
    node: str
    date: str


def percentile(values: Iterable[float], percent: int) -> float | None:
    """The nearest-rank percentile; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else None
