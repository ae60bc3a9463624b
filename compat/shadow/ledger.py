"""The ledger of one round: what was added, and every call of a processor, written down as it happens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compat.chaos.account import Added, Run
from compat.model.cell import Side
from compat.model.history import Attempt
from compat.shadow.work import Copy, Work

WORKER: Final = "w"  # what a side's worker is called, whichever process it is


@dataclass
class Call:
    """One call of a processor. `attempt` is the job's own count (from 1): a run that nobody recorded is made again."""

    worker: str
    side: Side
    job: str
    copy: Copy
    attempt: int
    token: str
    since_ms: float
    ended_ms: float | None = None  # when it was told how to end; None: it never was


class Ledger:
    """Written by the tool alone, so that it outlives any worker."""

    def __init__(self, works: Mapping[int, Work]) -> None:
        self.works = works
        self.calls: list[Call] = []
        self.adds: list[Added] = []

    def begin(self, worker: str, side: Side, view: Mapping[str, Any], token: str, at_ms: float) -> Call | None:
        """Note that a worker was given a job; None when the job is none of ours."""
        job, copy = str(view.get("id", "")), Copy.named(str(view.get("name", "")))
        if copy is None or copy.number not in self.works:
            return None
        made = view.get("attemptsMade")
        before = made if isinstance(made, int) else sum(call.job == job for call in self.calls)
        self.calls.append(Call(worker, side, job, copy, before + 1, token, at_ms))
        return self.calls[-1]

    def finisher(self, copy: Copy) -> Side | None:
        """The side that worked on it last."""
        return next((call.side for call in reversed(self.calls) if call.copy == copy and call.ended_ms), None)

    @property
    def by_job(self) -> dict[str, list[Call]]:
        """Calls by job, in order."""
        found: dict[str, list[Call]] = defaultdict(list)
        for call in self.calls:
            found[call.job].append(call)
        return found

    @property
    def per_side(self) -> Counter[Side]:
        """Calls that were answered, by side."""
        return Counter(call.side for call in self.calls if call.ended_ms is not None)

    def runs(self) -> Iterator[Run]:
        """The calls, as the account takes them."""
        for call in self.calls:
            yield Run(call.worker, call.job, call.since_ms, call.ended_ms, call.attempt)

    def attempts(self, queue: str) -> tuple[Attempt, ...]:
        """The calls, as laws take them."""
        counts: Counter[str] = Counter()
        found = []
        for call in self.calls:
            counts[call.job] += 1
            found.append(Attempt(WORKER, call.side, queue, call.job, counts[call.job], call.token, call.since_ms))
        return tuple(found)
