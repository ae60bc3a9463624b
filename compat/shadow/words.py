"""What came of a shadow run, in words, as a small chart of text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from compat.chaos.words import struck, told
from compat.model.cell import Side
from compat.report.text import number, printable
from compat.shadow.latencies import QUANTILES, quantile
from compat.shadow.plan import SIDES
from compat.shadow.report import Report

KINDS: Final = {"waited": "added → active", "worked": "active → ended"}
_TOLD = 10
_BAR = 40  # columns of the longest


def rows(report: Report) -> Iterator[tuple[str, str]]:
    """The account, line by line."""
    ended = report.ended
    unplanned = f", {sum(report.unplanned.values()):,} of them unplanned" if report.unplanned else ""
    yield "jobs", f"{report.added:,} added; {report.completed:,} completed, {report.failed:,} failed{unplanned}"
    if report.unknown:
        yield "adds that raised", f"{report.unknown:,}"
    yield "ended by", ", ".join(f"{report.names[side]} {ended[side]:,}" for side in SIDES)
    yield "worked on by both", f"{report.shared:,}, attempt by attempt"
    divergent = _divergent(report)
    yield "twins compared", f"{number(report.pairs, 'pair')}; {divergent:,} {'differs' if divergent == 1 else 'differ'}"
    yield "laws broken", f"{len(report.broken):,}"
    doubles = report.doubles
    unexplained = sum(double.strike is None for double in doubles)
    yield "run or added twice", f"{len(doubles):,}" + (f"; {unexplained:,} unexplained" if doubles else "")
    yield "ended twice", f"{len(report.ended_twice):,}"
    yield "lost", f"{len(report.lost):,}"
    if report.plan.faults:
        yield "faults", struck(report.strikes)


def _divergent(report: Report) -> int:
    return len({divergence.number for found in report.divergences.values() for divergence in found})


def table(report: Report) -> Iterator[tuple[str, Side, tuple[int, ...]]]:
    """(what, side, ms for each of `QUANTILES`), where there is anything."""
    for kind, title in KINDS.items():
        for side in SIDES:
            values = getattr(report.latencies[side], kind)
            if values:
                yield title, side, tuple(quantile(values, percent) or 0 for percent in QUANTILES)


def chart(report: Report) -> Iterator[str]:
    """Bars of text, one for each quantile."""
    found = list(table(report))
    most = max((ms for _, _, values in found for ms in values), default=0)
    width = max(map(len, report.names.values()))
    for title, side, values in found:
        yield f"{title}, {report.names[side]}"
        for percent, ms in zip(QUANTILES, values, strict=True):
            bar = "█" * max(1, round(ms / max(1, most) * _BAR))
            yield f"  {f'p{percent}':<{max(4, width // 4)}}{ms:>6,} ms  {bar}"


def findings(report: Report) -> Iterator[str]:
    """Whatever is not as it should be, in a line each; of many alike the first ones."""
    for broken in report.broken[:_TOLD]:
        yield f"law {broken.law}: {printable(broken.words)}"
    for what, found in report.divergences.items():
        first = found[0]
        left = [f"{report.names['oracle']} left {first.oracle}", f"{report.names['port']} left {first.port}"]
        yield (
            f"{first.level}: {what} of {number(len(found), 'pair')} differs; payload {first.number}: "
            + printable(", ".join(left))
        )
    yield from told(report)
    for words in report.refused[:_TOLD]:
        yield f"add refused: {printable(words)}"
    for key in report.strays[:_TOLD]:
        yield f"key outside the prefix: {printable(key)}"
    if report.stopped:
        yield f"stopped: {printable(report.stopped)}"


def record(report: Report) -> dict[str, Any]:
    """All of it, for programs."""
    return {
        "good": report.good,
        "stopped": report.stopped,
        "plan": asdict(report.plan),
        "gate": report.gate,
        "sides": dict(report.names),
        "server": report.server,
        "seconds": round(report.seconds, 1),
        "jobs": {"added": report.added, "completed": report.completed, "failed": report.failed},
        "unplanned": dict(report.unplanned),
        "ended": dict(report.ended),
        "shared": report.shared,
        "pairs": report.pairs,
        "divergences": [asdict(divergence) for found in report.divergences.values() for divergence in found],
        "laws": [{"law": broken.law, "words": broken.words, "why": broken.why} for broken in report.broken],
        "lost": list(report.lost),
        "ended_twice": list(report.ended_twice),
        "refused": list(report.refused),
        "strays": list(report.strays),
        "doubles": [asdict(double) for double in report.doubles],
        "strikes": [asdict(strike) for strike in report.strikes],
        "latencies_ms": [
            {"what": title, "side": side} | {f"p{p}": ms for p, ms in zip(QUANTILES, values, strict=True)}
            for title, side, values in table(report)
        ],
    }
