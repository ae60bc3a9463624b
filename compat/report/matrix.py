"""The matrix: ports and versions against the areas of the suite, as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compat.report.areas import Tally, area, areas
from compat.report.collected import Run
from compat.report.markdown import escaped
from compat.report.marks import MARKS


def matrix(runs: Sequence[Run]) -> str:
    """One column a run, one row an area: `✓` where all cells that apply pass, else how many do, and the worst mark."""
    return "\n".join(_lines(runs)) + "\n"


def _lines(runs: Sequence[Run]) -> Iterator[str]:
    ports = [run.header.port for run in runs]
    yield "| | " + " | ".join(f"{escaped(port.name)} {escaped(port.version)}" for port in ports) + " |"
    yield "|---|" + "---|" * len(runs)
    for words, told in (
        ("language", [port.language for port in ports]),
        ("against", [f"{run.header.oracle.name} {run.header.oracle.version}" for run in runs]),
    ):
        yield f"| *{words}* | " + " | ".join(map(escaped, told)) + " |"
    for name in areas(runs):
        cells = [_cell(Tally.of(v for v in run.verdicts if area(v.cell.scenario) == name)) for run in runs]
        yield f"| {escaped(name)} | " + " | ".join(cells) + " |"
    yield "| **all** | " + " | ".join(f"**{_cell(Tally.of(run.verdicts))}**" for run in runs) + " |"


def _cell(tally: Tally) -> str:
    worst = tally.worst
    if worst is None:
        return ""
    if not tally.applicable:
        return MARKS["not-applicable"].sign
    if tally.good == tally.applicable:
        return f"{MARKS['pass'].sign} {tally.good:,}"
    return f"{MARKS[worst].sign} {tally.good:,} of {tally.applicable:,}"
