"""Progress is a line a cell in a file, a bar in a terminal, nothing when quiet."""

import io

import pytest
from rich.console import Console

from compat.model.run import Record
from compat.report.progress import Lines, Live, Silent, progress


def watched(records: tuple[Record, ...], *, terminal: bool, quiet: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, width=100, force_terminal=terminal, legacy_windows=False, _environ={"TERM": "xterm"})
    with progress(console, quiet=quiet) as view:
        for record in records:
            view.show(record)
    return file.getvalue()


def test_a_file_gets_one_line_a_cell(records: tuple[Record, ...]) -> None:
    lines = watched(records, terminal=False).splitlines()
    assert lines[:2] == ["starting servers and drivers ...", "10 cells of 5 scenarios, 4 at once"]
    assert len(lines) == 12
    assert "✗ fail  retry/fixed[self,single]  2 of 40 checks differ  0.40 s" in lines
    assert "! error  worker/death[self,single]  the driver ended with exit code 2 in step 3  2.00 s" in lines


def test_a_terminal_keeps_only_the_cells_in_trouble(records: tuple[Record, ...]) -> None:
    text = watched(records, terminal=True)
    assert "10/10" in text and "5 in trouble" in text
    assert "retry/fixed[self,single]" in text and "31 checks" not in text


def test_quiet_says_nothing(records: tuple[Record, ...]) -> None:
    assert watched(records, terminal=True, quiet=True) == ""


@pytest.mark.parametrize(
    ("terminal", "term", "kind"), [(False, "xterm", Lines), (True, "dumb", Lines), (True, "xterm", Live)]
)
def test_the_view_suits_the_terminal(terminal: bool, term: str, kind: type[Silent]) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, _environ={"TERM": term})
    assert type(progress(console)) is kind
