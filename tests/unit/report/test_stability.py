"""The oracle against itself, summed up."""

import io

from rich.console import Console

from compat.model.cell import Cell
from compat.model.verdict import CellVerdict
from compat.report.collected import Run
from compat.report.stability import stability, stability_page


def told(run: Run) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(stability(run), markup=False, highlight=False)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_the_summary_is_dated_and_counts_runs_and_differences(run: Run) -> None:
    cell = Cell("a/b", "self", "single")
    stable = Run(run.header, tuple(CellVerdict(cell, "pass", 5) for _ in range(20)), run.footer)
    assert told(stable) == (
        "2026-11-24T12:00:00+00:00: gopherq 0.3.1 against bullmq 5.62.0\n"
        "  single: valkey 9.1.2, embedded\n"
        "  1 scenario, 1 cell, each up to 20 times, 4 at once: 20 runs, 100 checks in 6 s\n"
        "  0 differences; 0 of 20 runs not as the oracle"
    )


def test_cells_that_differed_are_named_with_how_often(run: Run) -> None:
    cell = Cell("a/b", "self", "single")
    words = ("pass", "fail", "invalid", "pass", "not-applicable")
    shaky = Run(run.header, tuple(CellVerdict(cell, word, 5) for word in words))  # type: ignore[arg-type]
    assert told(shaky).endswith("2 of 4 runs not as the oracle\n    a/b[self,single]: 2 of 4")
    assert "interrupted" in told(shaky)


def test_the_page_holds_the_same_lines(run: Run) -> None:
    stable = Run(run.header, (CellVerdict(Cell("a/b", "self", "single"), "pass", 5),), run.footer)
    page = stability_page(stable)
    assert page.startswith("# Stability\n") and f"```\n{told(stable)}\n```\n" in page
