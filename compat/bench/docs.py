"""The page about performance: the part between two marks is written by the benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compat.bench.records import Machine
from compat.bench.tables import Table

PAGE, CHART = "performance.md", "performance.svg"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def page(text: str, machine: Machine, tables: Sequence[Table], noisy: int) -> str:
    """`text` with new figures. Raises ValueError when it lacks the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} has no part between {BEGIN} and {END}")
    about = (
        f"Measured on {machine.date}: {machine.cpu}, {machine.cores} cores, {machine.server}, {machine.python}, "
        f"Node {machine.node}."
    )
    if noisy:
        about += f" {noisy} measurements were disturbed by other work on the machine, twice; take them with care."
    parts = [about, f"![Operations per second beside Node]({CHART})", *(table.markdown().rstrip() for table in tables)]
    return f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}"


def write(folder: Path, machine: Machine, tables: Sequence[Table], chart: str, noisy: int) -> None:
    """Renew the page and the chart in `folder`. Raises OSError, and ValueError as `page`."""
    file = folder / PAGE
    text = page(file.read_text(encoding="utf-8"), machine, tables, noisy)
    (folder / CHART).write_text(chart, encoding="utf-8")
    file.write_text(text, encoding="utf-8")
