"""Markdown for a pull request tells what differs, fits into a comment, and shows markup of values as text."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from compat.model.cell import Cell
from compat.model.history import Implementation
from compat.model.verdict import CellVerdict, Difference
from compat.report.collected import Run
from compat.report.markdown import LIMIT, code, escaped, markdown
from compat.report.matrix import matrix


def test_it_counts_cells_and_tells_each_difference_with_both_values(run: Run) -> None:
    text = markdown(run)
    assert "| cells | pass | fail | stale |" in text and "| breaks-peer | `job.failedReason` | 1 | 2 |" in text
    assert '- oracle `"boom"`\n- port `"\\"boom\\""`' in text
    assert "**error** `worker/death[self,single]` the driver ended" in text
    assert "1 cell with known differences" in text


def test_markup_of_values_shows_as_text(run: Run) -> None:
    """(T145)"""
    evil = "</details><script>alert(1)</script> **b** @someone `tick` | pipe\n# head"
    spoilt = CellVerdict(
        Cell(evil, "self", "single"), "fail", 1, (Difference(f"{evil}#x/y", "state", evil, evil, None, evil, evil),)
    )
    header = replace(run.header, port=Implementation(evil, "1", "Go", "5.62.0"))
    text = markdown(Run(header, (spoilt,), run.footer))
    shown = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)|<code>.*?</code>", "", text)  # code shows everything
    assert not re.search(r"(?<!\\)<script>", shown)
    assert len(re.findall(r"(?<!\\)</details>", shown)) == shown.count("<details>") == 1
    assert not re.search(r"(?<!\\)@someone", shown) and "\n# head" not in text


@pytest.mark.parametrize("text", ["", "plain", "a`b", "``", "`", "a``b```c"])
def test_a_code_span_is_ended_by_nothing_within_it(text: str) -> None:
    span = code(text)
    fence = re.match("`+", span)
    assert fence is not None and span.endswith(fence[0])
    assert not re.search(rf"(?<!`){fence[0]}(?!`)", span[len(fence[0]) : -len(fence[0])])


def test_it_fits_into_a_comment_however_much_differs(run: Run) -> None:
    long = "<&|`" * 500
    verdicts = tuple(
        CellVerdict(
            Cell(f"s/{n}", "self", "single"),
            "fail",
            1,
            tuple(Difference(f"s/{n}#end/job.{n}{i}", "state", long, long, None, long, long) for i in range(20)),
        )
        for n in range(100)
    )
    assert len(markdown(Run(run.header, verdicts, run.footer))) < LIMIT + 500


def test_an_interrupted_run_says_so(run: Run) -> None:
    assert "interrupted" in markdown(Run(run.header, run.verdicts))


def test_escaped_text_has_no_active_character_left() -> None:
    assert escaped("<b>*x*") == r"\<b\>\*x\*"


def test_a_matrix_has_a_column_for_each_port_and_a_row_for_each_area(run: Run) -> None:
    other = Run(replace(run.header, port=Implementation("rustq|x", "1.0", "Rust", "5.62.0")), run.verdicts[2:3])
    rows = matrix([run, other]).splitlines()
    assert rows[0] == r"| | gopherq 0.3.1 | rustq\|x 1.0 |"
    assert "| queue | k 1 of 2 | ✓ 1 |" in rows
    assert "| retry | ✗ 1 of 3 |  |" in rows
    assert "| events | - |  |" in rows


def test_quirks_that_the_port_does_without_are_named(run: Run) -> None:
    better = CellVerdict(Cell("a/b", "self", "single"), "pass", quirks={"late": "mended", "early": "kept"})
    assert "Quirks of Node 5.62.0 that the port does without: late." in markdown(Run(run.header, (better,)))
