"""Records of measurements that nobody made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from compat.bench.programs.contract import Answer
from compat.bench.records import Record

Make = Callable[..., Record]


@pytest.fixture
def record() -> Make:
    """`record("W5", "ref", rate=100.0, …)`."""

    def make(
        workload: str,
        peer: str,
        *,
        rate: float = 1000.0,
        cpu: float = 0.05,
        warm: bool = False,
        round: int = 0,
        foreign: float | None = 0.0,
        tasks: tuple[int, int] | None = (3, 3),
        latencies: tuple[float, ...] = (),
    ) -> Record:
        answer = Answer(1000, 1000 / rate, cpu, cpu, 50_000_000, 1_000_000, tasks, latencies)
        return Record(workload, peer, warm, round, answer, scripts=1000, server_cpu=0.02, foreign=foreign)

    return make
