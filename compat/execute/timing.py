"""Timing: a cell and its oracle's, played side by side until it is sure that the port is in time, or five times."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import structs

from compat.compare import lateness
from compat.judge import Sample, in_time, judge, timed
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.model.verdict import CellVerdict, Level

SAMPLES = 5

#: Plays both cells once: the oracle's history, and the port's.
Pair = Callable[[], Awaitable[tuple[History, History]]]


async def sampled(scenario: Scenario, pair: Pair, gate: Level) -> CellVerdict:
    """The verdict on a cell that is timed; its seconds are those of all samples.

    The first pair is judged as any other cell is. A pair that broke off ends it: there is nothing to time.
    """
    verdict: CellVerdict | None = None
    samples: list[Sample] = []
    seconds = 0.0
    while True:
        oracle, port = await pair()
        found = judge(scenario, oracle, port, gate)
        seconds += found.seconds
        if found.word not in ("pass", "fail") or port.failure is not None:
            return structs.replace(found, seconds=seconds)
        verdict = verdict or found
        samples.append(Sample(lateness(scenario, oracle), lateness(scenario, port)))
        if in_time(scenario, samples) or len(samples) == SAMPLES:
            return structs.replace(timed(scenario, verdict, samples, gate), seconds=seconds)
