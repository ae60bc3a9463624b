"""The account: from what adders and workers wrote down, and what Redis holds in the end, to what became of each job."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from compat.chaos.plan import fails

FELT_MS: Final = 2_000.0  # a fault is felt for so long by what begins after it: connections come back


@dataclass(frozen=True)
class Strike:
    """A fault that was struck; `victim` is the worker whose process was killed, or ""."""

    number: int
    fault: str
    since_ms: float
    until_ms: float
    victim: str = ""


@dataclass(frozen=True)
class Run:
    """One call of a processor; `ended_ms` is None when its worker did not come to its end. `attempt`: which of the
    job's attempts it is, from 1: the next one is no second run."""

    worker: str
    job: str
    since_ms: float
    ended_ms: float | None
    attempt: int = 1


@dataclass(frozen=True)
class Added:
    """What an adder knows of one number: the job's id, or None when it cannot know; the error says why."""

    adder: str
    number: int
    job: str | None
    since_ms: float
    until_ms: float
    error: str = ""


@dataclass(frozen=True)
class Kept:
    """A job as Redis holds it in the end."""

    job: str
    number: int
    state: str  # completed, failed, or where it is stuck
    reason: str = ""
    stalled: int = 0


@dataclass(frozen=True)
class Double:
    """A job that ran more than once, or a number that was added more than once, and the strike that explains it."""

    what: str  # "run" or "added"
    number: int
    jobs: tuple[str, ...]
    how: str
    strike: Strike | None


@dataclass(frozen=True)
class Account:
    """`unknown` adds are those without an answer; `unknown_there` of them had been carried out."""

    asked: int
    answered: int
    unknown: int
    unknown_there: int
    added: int  # jobs that were there
    completed: int
    failed: int
    unplanned: Mapping[str, int]  # reason → jobs that failed though they were not told to
    lost: tuple[str, ...]
    doubles: tuple[Double, ...]
    ended_twice: tuple[str, ...] = ()
    strikes: tuple[Strike, ...] = ()
    runs: Mapping[str, int] = field(default_factory=dict)  # side → calls of the processor

    @property
    def unexplained(self) -> tuple[Double, ...]:
        return tuple(double for double in self.doubles if double.strike is None)

    @property
    def good(self) -> bool:
        """Nothing lost, nothing ended twice, everything doubled explained."""
        return not (self.lost or self.ended_twice or self.unexplained)


def account(
    adds: Sequence[Added],
    runs: Iterable[Run],
    kept: Sequence[Kept],
    strikes: Sequence[Strike],
    *,
    asked: int,
    ended_twice: Iterable[str] = (),
    planned: Callable[[int], bool] = fails,
    title: Callable[[int], str] = str,
) -> Account:
    """Reckon up. What was answered must be there and have ended; what is there must have ended, too. `planned`: whether
    the job of a number fails as it is told to; `title`: what a number is called."""
    by_id = {job.job: job for job in kept}
    by_number: dict[int, list[str]] = defaultdict(list)
    for job in kept:
        by_number[job.number].append(job.job)
    over = {"completed", "failed"}
    lost = [
        f"{title(add.number)} (job {add.job}) was added and is not there"
        for add in adds
        if add.job and (add.job not in by_id or by_id[add.job].number != add.number)
    ]
    lost += [f"{title(job.number)} (job {job.job}) is still in {job.state}" for job in kept if job.state not in over]
    known = {add.number for add in adds}
    lost += [f"{n}: its adder wrote nothing down" for n in range(asked) if n not in known]
    unknown = [add for add in adds if add.job is None]
    calls = sorted(runs, key=lambda run: run.since_ms)
    return Account(
        asked=asked,
        answered=sum(add.job is not None for add in adds),
        unknown=len(unknown),
        unknown_there=sum(bool(by_number.get(add.number)) for add in unknown),
        added=len(kept),
        completed=sum(job.state == "completed" for job in kept),
        failed=sum(job.state == "failed" for job in kept),
        unplanned=dict(Counter(j.reason for j in kept if j.state == "failed" and not planned(j.number))),
        lost=tuple(lost),
        doubles=(*_added_twice(adds, by_number, strikes), *_run_twice(calls, by_id, strikes)),
        ended_twice=tuple(ended_twice),
        strikes=tuple(strikes),
        runs=dict(Counter(run.worker.partition("-")[0] for run in calls)),
    )


def _added_twice(
    adds: Sequence[Added], by_number: Mapping[int, Sequence[str]], strikes: Sequence[Strike]
) -> Iterable[Double]:
    calls = {add.number: add for add in adds}
    for number, jobs in sorted(by_number.items()):
        if len(jobs) > 1 and number in calls:
            add = calls[number]
            how = f"{add.adder} sent the add again: the reply of the first was lost"
            yield Double("added", number, tuple(jobs), how, _felt(strikes, add.since_ms, add.until_ms))


def _run_twice(calls: Sequence[Run], by_id: Mapping[str, Kept], strikes: Sequence[Strike]) -> Iterable[Double]:
    by_attempt: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in calls:
        by_attempt[run.job, run.attempt].append(run)
    for (job, _), runs in by_attempt.items():
        number = by_id[job].number if job in by_id else -1
        for first, second in itertools.pairwise(runs):
            killed = next((s for s in strikes if s.victim == first.worker and s.until_ms >= first.since_ms), None)
            until = second.since_ms if first.ended_ms is None else first.ended_ms + FELT_MS
            strike = killed or _felt(strikes, first.since_ms, min(until, second.since_ms))
            stalled = job in by_id and by_id[job].stalled > 0
            if first.ended_ms is None:
                how = f"{first.worker} was killed with the job in hand"
            elif killed is not None:
                how = f"{first.worker} had run it and was killed before that was recorded"
            else:
                how = f"{first.worker} had run it and could not record that in time"
            how += f"; it stalled and {second.worker} ran it" if stalled else f"; {second.worker} ran it again"
            yield Double("run", number, (job,), how, strike)


def _felt(strikes: Sequence[Strike], since_ms: float, until_ms: float) -> Strike | None:
    """The last strike that something between these times can have felt. A flush of scripts is felt by nobody, and the
    death of a worker by its own jobs only."""
    near = (
        strike
        for strike in strikes
        if strike.fault not in ("scripts-flushed", "worker-killed")
        and strike.since_ms <= until_ms
        and strike.until_ms >= since_ms - FELT_MS
    )
    return max(near, key=lambda strike: strike.since_ms, default=None)
