"""Stability: what many runs of the oracle against itself come to, dated, to be kept."""

from __future__ import annotations

from collections import Counter
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.text import Text

from compat.report.collected import Run
from compat.report.text import number, printable

_STABLE = frozenset({"pass", "not-applicable"})
MOST = 20  # cells named
_WIDTH = 140  # characters
_HEAD = """\
# Stability

The oracle against itself: whatever differs here is a false alarm. `bullmq-compat stability --page docs/stability.md`
runs it and writes this page.
"""


def stability(run: Run) -> RenderableType:
    """A few lines: when, what, on what, how many cells, and which did not come out as the oracle each time."""
    header, judged = run.header, [v for v in run.verdicts if v.word != "not-applicable"]
    runs = Counter(verdict.cell for verdict in judged)
    bad = Counter(verdict.cell for verdict in judged if verdict.word not in _STABLE)
    differences = sum(len(verdict.differences) for verdict in judged)
    seconds = f" in {run.footer.seconds:,.0f} s" if run.footer else ", interrupted"
    oracle, port = (f"{who.name} {who.version}" for who in (header.oracle, header.port))
    lines = [
        Text(f"{header.started}: {printable(port)} against {printable(oracle)}", style="bold"),
        *(Text(f"  {topology}: {printable(title)}") for topology, title in header.servers.items()),
        Text(
            f"  {number(len({cell.scenario for cell in runs}), 'scenario')}, {number(len(runs), 'cell')}, each up to "
            f"{number(max(runs.values(), default=0), 'time')}, {header.jobs} at once: {number(len(judged), 'run')}, "
            f"{number(run.checks, 'check')}{seconds}"
        ),
        Text(
            f"  {number(differences, 'difference')}; {bad.total():,} of {number(len(judged), 'run')} not as the oracle",
            style="bold red" if bad else "bold green",
        ),
        *(Text(f"    {printable(cell.id)}: {count} of {runs[cell]}") for cell, count in bad.most_common(MOST)),
    ]
    if len(bad) > MOST:
        lines.append(Text(f"    and {number(len(bad) - MOST, 'more cell')}"))
    return Group(*lines)


def stability_page(run: Run) -> str:
    """The same as a page of the documentation."""
    console = Console(file=StringIO(), width=_WIDTH, color_system=None)
    console.print(stability(run), highlight=False)
    assert isinstance(console.file, StringIO)
    return f"{_HEAD}\n```\n{console.file.getvalue().rstrip()}\n```\n"
