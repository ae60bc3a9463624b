"""Progress: what a run tells while it goes on, live in a terminal and line by line elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from compat.model.run import CellEntry, Header, Record
from compat.model.verdict import CellVerdict, Word
from compat.report.marks import MARKS, mark
from compat.report.text import number, printable, shortened

_BAD: frozenset[Word] = frozenset({"fail", "stale", "flaky", "invalid", "error"})
_REASON = 160  # characters
_STARTING = "starting servers and drivers"


class Silent:
    """Shows nothing; the others are this and say something. Entered before the first record, left after the last."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, record: Record) -> None:
        match record:
            case Header():
                self.begun(record)
            case CellEntry(verdict):
                self.done(verdict)
            case _:
                pass

    def begun(self, header: Header) -> None:
        pass

    def done(self, verdict: CellVerdict) -> None:
        pass


class Lines(Silent):
    """One line a cell, for files and CI logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._utf8 = console.encoding.lower().startswith("utf")

    def __enter__(self) -> Self:
        self._say(Text(f"{_STARTING} ..."))
        return self

    def begun(self, header: Header) -> None:
        self._say(
            Text(f"{number(header.cells, 'cell')} of {number(header.scenarios, 'scenario')}, {header.jobs} at once")
        )

    def done(self, verdict: CellVerdict) -> None:
        self._say(line(verdict, self._utf8))

    def _say(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True, highlight=False)


class Live(Silent):
    """A bar with cells done, trouble so far and the last cell; cells in trouble stay above it. Gone at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._utf8 = console.encoding.lower().startswith("utf")
        self._trouble = 0
        self._bar = Progress(
            SpinnerColumn() if self._utf8 else SpinnerColumn("line"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[trouble]}", style="bold red", markup=False),
            TimeElapsedColumn(),
            TextColumn(
                "{task.description}",
                style="dim",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            console=console,
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task(_STARTING, total=None, trouble="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begun(self, header: Header) -> None:
        self._bar.update(self._task, total=header.cells, description=f"{header.jobs} at once")

    def done(self, verdict: CellVerdict) -> None:
        if verdict.word in _BAD:
            self._trouble += 1
            self._bar.console.print(line(verdict, self._utf8), highlight=False)
        self._bar.update(
            self._task,
            advance=1,
            description=printable(verdict.cell.id),
            trouble=f"{self._trouble} in trouble" if self._trouble else "",
        )


def progress(console: Console, *, quiet: bool = False) -> Silent:
    """The view that suits where `console` writes."""
    if quiet:
        return Silent()
    return Live(console) if console.is_interactive else Lines(console)


def line(verdict: CellVerdict, utf8: bool = True) -> Text:
    """One cell on one line: `✗ fail  retry/fixed[self,single]  2 of 40 checks differ  0.40 s`."""
    text = Text.assemble(
        mark(verdict.word, utf8),
        (f" {verdict.word}", MARKS[verdict.word].style),
        f"  {printable(verdict.cell.id)}  ",
        printable(shortened(verdict.reason, _REASON)) or _checks(verdict),
    )
    if verdict.seconds:
        text.append(f"  {verdict.seconds:.2f} s", style="dim")
    return text


def _checks(verdict: CellVerdict) -> str:
    checks = number(verdict.checks, "check")
    different = len(verdict.differences)
    return f"{different} of {checks} {'differs' if different == 1 else 'differ'}" if different else checks
