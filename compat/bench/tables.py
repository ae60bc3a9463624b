"""The figures as tables of words: for a console and for the documentation alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from compat.bench.summary import Summary
from compat.bench.targets import NODE, Outcome
from compat.bench.workloads import BY_ID, Workload

NOTHING = "–"

_Cell = Callable[[Workload, str], str]


@dataclass(frozen=True)
class Table:
    """A title, the head, and rows of words; the first column is text, the others are numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        lines = [self.head, ("---", *("---:" for _ in self.head[1:])), *self.rows]
        return f"**{self.title}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def tables(summary: Summary) -> Iterator[Table]:
    """Those for which there are figures."""
    peers = summary.peers
    yield Table("Workloads", ("", "what is measured"), tuple((w, BY_ID[w].title) for w in summary.workloads))
    rates = [BY_ID[name] for name in summary.workloads if BY_ID[name].measure == "rate"]
    latencies = [BY_ID[name] for name in summary.workloads if BY_ID[name].measure == "latency"]
    for warm in (False, True):
        yield from _throughput(summary, rates, warm)
    if latencies:
        yield _table("Latency: p50 / p95 / p99, ms", latencies, peers, lambda w, p: _latency(summary, w, p))
    working = [w for w in rates if w.asks["kind"] == "work"]
    if working:
        yield _table(
            "Scripts an operation", working, peers, lambda w, p: _number(summary.figure(p, w.id, "scripts"), 2)
        )
        yield _table("Peak memory of the client (growth), MB", working, peers, lambda w, p: _memory(summary, w, p))


def _throughput(summary: Summary, workloads: Sequence[Workload], warm: bool) -> Iterator[Table]:
    def there(workload: Workload, peer: str) -> bool:
        return summary.figure(peer, workload.id, "rate", warm=warm) is not None

    measured = [w for w in workloads if any(there(w, peer) for peer in summary.peers)]
    peers = [peer for peer in summary.peers if any(there(w, peer) for w in measured)]
    if measured:
        title = "Many jobs, warm" if warm else "From the first job on"
        yield _table(f"{title}: operations/s (to {NODE})", measured, peers, lambda w, p: _rate(summary, w, p, warm))
        yield _table(
            f"{title}: client CPU, µs an operation",
            measured,
            peers,
            lambda w, p: _number(summary.figure(p, w.id, "cpu", warm=warm), 0),
        )


def target_table(found: Sequence[Outcome]) -> Table:
    rows = tuple((o.target.words, f"{o.value:.3g}", "reached" if o.reached else "MISSED") for o in found)
    return Table("Targets of ref", ("target", "measured", ""), rows)


def _table(title: str, workloads: Sequence[Workload], peers: Sequence[str], cell: _Cell) -> Table:
    rows = tuple((w.id, *(cell(w, peer) for peer in peers)) for w in workloads)
    return Table(title, ("", *peers), rows)


def _rate(summary: Summary, workload: Workload, peer: str, warm: bool) -> str:
    rate = summary.figure(peer, workload.id, "rate", warm=warm)
    ratio = summary.ratio(peer, workload.id, "rate", NODE, warm=warm)
    return _number(rate, 0) + (f" ({ratio:.2f})" if ratio is not None else "")


def _latency(summary: Summary, workload: Workload, peer: str) -> str:
    values = [summary.figure(peer, workload.id, name) for name in ("p50", "p95", "p99")]
    return NOTHING if None in values else "/".join(_number(value, 2) for value in values)


def _memory(summary: Summary, workload: Workload, peer: str) -> str:
    peak, growth = (summary.figure(peer, workload.id, name) for name in ("peak", "growth"))
    return NOTHING if peak is None or growth is None else f"{peak:.0f} ({growth:+.1f})"


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:,.{digits}f}"
