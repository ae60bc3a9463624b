"""What the mirror tells, in words and as records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins

from compat.mirror.mirror import Counts
from compat.mirror.model import Divergence, Gap, Unread
from compat.report.text import listed, number, printable, shortened

EXAMPLES = 10  # jobs of each reason that are named in the end


def told(item: Divergence | Unread | Gap) -> Iterator[str]:
    """What is told as it happens; unread jobs are counted, and told of in the end."""
    match item:
        case Divergence():
            job = f"job {item.job} ({item.name}), replayed as {item.replay}"
            what = f"{item.what} {item.path}".rstrip() if item.path != "root" else item.what
            yield f"{what}: {printable(job)}"
            yield f"  production  {item.production}"
            yield f"  new worker  {item.shadow}"
        case Gap():
            many = "nobody knows how many" if item.entries is None else f"{item.entries:,}"
            yield f"gap: entries between {item.after} and {item.before} were trimmed before they were read: {many}"
        case Unread():
            pass


def record(item: Divergence | Unread | Gap) -> dict[str, Any]:
    """The same for programs."""
    return {"type": type(item).__name__.lower(), **to_builtins(item)}


def summary(counts: Counts, waiting: int, jobs: dict[str, list[str]]) -> Iterator[str]:
    """The figures of a mirror that ends. `jobs` names, by reason, some that were not compared."""
    yield (
        f"{number(counts.entries, 'event')} read, {number(counts.replayed, 'job')} replayed, "
        f"{counts.compared:,} compared"
    )
    if counts.unread:
        yield f"not compared: {number(counts.unread.total(), 'job')}"
        for why, many in counts.unread.most_common():
            names = listed([printable(shortened(job, 40)) for job in jobs[why]], EXAMPLES)
            yield f"  {many:,}: {why}: {names}{', …' if many > len(jobs[why]) else ''}"
    if counts.gaps:
        least = f"{number(counts.trimmed, 'event')} at least" if counts.trimmed else "nobody knows how many events"
        yield f"trimmed before they were read: {least}, in {number(counts.gaps, 'gap')}"
    if waiting:
        yield f"{number(waiting, 'replay')} had not ended; the next mirror compares them"
    if counts.slower:
        yield f"{number(counts.slower, 'job')} took another class of time"
    kinds = ", ".join(f"{what} {many:,}" for what, many in counts.found.items() if what != "duration")
    yield (f"{number(counts.divergent, 'job')} came to another end: {kinds}" if counts.divergent else "no divergence")


def end(counts: Counts, waiting: int) -> dict[str, Any]:
    """The figures for programs."""
    facts = {name: getattr(counts, name) for name in ("entries", "replayed", "compared", "divergent", "slower")}
    gaps = {"gaps": counts.gaps, "trimmed": counts.trimmed}
    return {"type": "end", **facts, **gaps, "waiting": waiting, "unread": dict(counts.unread), "found": counts.found}
