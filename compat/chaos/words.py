"""What came of a chaos run, in words, as JSON and as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from compat.chaos.account import Account, Double, Strike
from compat.chaos.plan import FAULTS, Plan
from compat.report.text import listed, number, printable

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_TOLD = 10


def rows(account: Account) -> Iterator[tuple[str, str]]:
    """The account, line by line."""
    yield "asked to add", f"{account.asked:,}"
    yield "adds answered", f"{account.answered:,}"
    yield "adds of unknown outcome", f"{account.unknown:,}; {account.unknown_there:,} had been carried out"
    yield "jobs added", f"{account.added:,}"
    yield "completed", f"{account.completed:,}"
    yield "failed", f"{account.failed:,}; {sum(account.unplanned.values()):,} unplanned"
    yield "runs", ", ".join(f"{side} {calls:,}" for side, calls in sorted(account.runs.items()))
    for what, words in (("run", "run more than once"), ("added", "added more than once")):
        doubles = [double for double in account.doubles if double.what == what]
        unexplained = sum(double.strike is None for double in doubles)
        yield words, f"{len(doubles):,}" + (f"; {unexplained:,} unexplained" if doubles else "")
    yield "ended twice", f"{len(account.ended_twice):,}"
    yield "lost", f"{len(account.lost):,}"
    yield "faults", struck(account.strikes)


def struck(strikes: Sequence[Strike]) -> str:
    """How many faults were struck, and how many of each: `3: scripts-flushed 1, worker-killed 2`."""
    counts = Counter(strike.fault for strike in strikes)
    told = ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
    return f"{len(strikes)}: {told}" if counts else "0"


class Fates(Protocol):
    """What became of the jobs that did not end as they should."""

    @property
    def lost(self) -> Sequence[str]: ...
    @property
    def ended_twice(self) -> Sequence[str]: ...
    @property
    def unplanned(self) -> Mapping[str, int]: ...
    @property
    def doubles(self) -> Sequence[Double]: ...


def told(account: Fates) -> Iterator[str]:
    """Each loss and each doubled job, in a line; of many alike the first ones."""
    for words in account.lost[:_TOLD]:
        yield f"lost: {printable(words)}"
    for words in account.ended_twice[:_TOLD]:
        yield f"ended twice: {printable(words)}"
    for reason, jobs in account.unplanned.items():
        yield f"failed, unplanned: {number(jobs, 'job')}: {printable(reason)}"
    for double in sorted(account.doubles, key=lambda d: d.strike is not None)[:_TOLD]:
        yield one(double)
    if len(account.doubles) > _TOLD:
        yield f"{len(account.doubles) - _TOLD} more doubled; --json FILE has them all"


def one(double: Double) -> str:
    """A doubled job and why."""
    cause = f"fault {double.strike.number}, {double.strike.fault}" if double.strike else "UNEXPLAINED: no fault near"
    return f"{double.what} twice: {double.number} (job {listed(double.jobs)}): {printable(double.how)}; {cause}"


def record(plan: Plan, account: Account, seconds: float) -> dict[str, Any]:
    """All of it, for programs."""
    return {"plan": asdict(plan), "seconds": round(seconds, 1), "good": account.good, **asdict(account)}


def figures(plan: Plan, account: Account, seconds: float, where: str) -> str:
    """The figures, as Markdown."""
    causes = Counter((d.what, d.strike.fault if d.strike else "unexplained") for d in account.doubles)
    lines = [
        f"{where}; {plan.topology}, {plan.jobs:,} jobs, seed {plan.seed}, {seconds:.0f} s.",
        "",
        "| what | how many |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows(account)),
    ]
    if causes:
        lines += ["", "| doubled | by which fault | jobs |", "|---|---|---|"]
        lines += [
            f"| {what} | {fault}: {FAULTS.get(fault, '')} | {n:,} |" for (what, fault), n in sorted(causes.items())
        ]
    return "\n".join(lines) + "\n"


def page(text: str, shown: str) -> str:
    """`text` of the page with new figures. Raises ValueError when it has no place for them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{shown}\n{END}{after}"
