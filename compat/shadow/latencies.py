"""Latencies: how long jobs waited and were worked on, side by side, by the times of the event stream (Redis's)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compat.model.capture import StreamEntry
from compat.model.cell import Side
from compat.normalise.names import stream_ms

QUANTILES: Final = (50, 95, 99)


@dataclass(frozen=True)
class Latencies:
    """In ms. `waited`: from a job's being added to its first start, where nothing delayed it. `worked`: from a start to
    the end that followed it, completed or failed; an attempt that is to be made again is not in it."""

    waited: tuple[int, ...] = ()
    worked: tuple[int, ...] = ()

    def __add__(self, other: Latencies) -> Latencies:
        return Latencies(self.waited + other.waited, self.worked + other.worked)


def latencies(
    entries: Iterable[StreamEntry], starters: Mapping[str, Sequence[Side]], delayed: frozenset[str]
) -> dict[Side, Latencies]:
    """By side. `starters`: whose processor was called for a job, call by call; the n-th start of a job is the n-th
    call's. `delayed`: jobs that were told to wait."""
    added: dict[str, int] = {}
    starts: dict[str, int] = {}
    running: dict[str, tuple[int, Side]] = {}
    waited: dict[Side, list[int]] = {"oracle": [], "port": []}
    worked: dict[Side, list[int]] = {"oracle": [], "port": []}
    for entry in entries:
        row, (at, _) = dict(entry.fields), stream_ms(entry.id)
        event, job = row.get("event", ""), row.get("jobId", "")
        if event == "added":
            added[job] = at
        elif event == "active":
            calls, nth = starters.get(job, ()), starts.get(job, 0)
            starts[job] = nth + 1
            if nth < len(calls):
                running[job] = at, calls[nth]
                if nth == 0 and job in added and job not in delayed:
                    waited[calls[0]].append(at - added[job])
        elif (started := running.pop(job, None)) and event in ("completed", "failed"):
            worked[started[1]].append(at - started[0])
    return {side: Latencies(tuple(waited[side]), tuple(worked[side])) for side in waited}


def quantile(values: Sequence[int], percent: int) -> int | None:
    """The smallest value that so many percent do not exceed; None where there are none."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)] if values else None
