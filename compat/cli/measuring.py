"""A benchmark as the command line sees it: followed to its end, with one line for each measurement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

from compat.bench.peers import peer
from compat.bench.plan import runs
from compat.bench.records import Record
from compat.bench.runner import Failed, measure
from compat.bench.tables import Table
from compat.bench.workloads import Workload
from compat.cli.exits import Unfit
from compat.cli.signals import carried_out
from compat.drivers.errors import ImplementationError
from compat.servers import ServerError


def measured(
    words: Console,
    workloads: Sequence[Workload],
    names: Sequence[str],
    *,
    jobs: int,
    rounds: int,
    warm: bool,
    binary: Path,
) -> list[Record]:
    """Make the measurements and tell each. Raises `Unfit` with what was wrong."""
    records: list[Record] = []

    async def follow() -> None:
        plan = list(runs(workloads, [peer(name) for name in names], jobs=jobs, rounds=rounds, warm=warm))
        async for record in measure(plan, binary=binary):
            records.append(record)
            words.print(f"{len(records):>4}/{len(plan)}  {line(record)}", soft_wrap=True)

    try:
        carried_out(follow())
    except (Failed, ImplementationError, ServerError) as error:
        raise Unfit(str(error)) from None
    return records


def line(record: Record) -> str:
    """`W5 ref, warm: 16,234/s, 61 µs CPU, 1.00 scripts`, and whether it was disturbed."""
    what = f"{record.workload:<4}{record.peer}{', warm' if record.warm else ''}: "
    p50, p95 = record.figure("p50"), record.figure("p95")
    if p50 is not None and p95 is not None:
        what += f"p50 {p50:.2f} ms, p95 {p95:.2f} ms"
    else:
        scripts = record.figure("scripts") or 0.0
        what += f"{record.rate:,.0f}/s, {record.figure('cpu'):.0f} µs CPU, {scripts:.2f} scripts"
    return what + (f"  (others used {record.foreign:.2f} cores)" if record.noisy else "")


def show(words: Console, table: Table) -> None:
    """Print a table."""
    drawn = RichTable(title=table.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, head in enumerate(table.head):
        drawn.add_column(
            head.replace("@", "\n@"), justify="left" if number == 0 or len(table.head) == 2 else "right", no_wrap=True
        )
    for row in table.rows:
        drawn.add_row(*row)
    words.print()
    words.print(drawn)
