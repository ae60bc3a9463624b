"""A run as the command line sees it: followed to its end or its interruption, shown and written down on the way."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

from rich.console import Console

from compat.cli.exits import INTERRUPTED, TERMINATED, Terminated, Unfit
from compat.cli.signals import carried_out
from compat.cli.terminal import console
from compat.execute import Unusable
from compat.model.run import Record
from compat.report.collected import Run, collected
from compat.report.jsonl import encode
from compat.report.junit import junit
from compat.report.progress import progress


@dataclass(frozen=True)
class Outputs:
    """Where things go: `json` (`-`: stdout) and `junit` are files; words go to stdout, or to stderr beside JSON."""

    json: str | None = None
    junit: str | None = None
    quiet: bool = False
    color: str = "auto"

    def console(self) -> Console:
        return console(self.color, err=self.json == "-")


def play(entries: AsyncIterator[Record], outputs: Outputs) -> tuple[Run | None, int]:
    """Follow `entries` to their end, show and write them. Returns what was collected and the exit code.

    An interrupted run has no footer. Raises `Unfit` when nothing could be run.
    """
    records: list[Record] = []
    with _lines(outputs.json) as file, progress(outputs.console(), quiet=outputs.quiet) as view:

        def tell(record: Record) -> None:
            records.append(record)
            if file is not None:
                file.write(encode(record) + "\n")
                file.flush()
            view.show(record)

        code = _follow(entries, tell)
    whole = collected(records)
    if whole is not None and outputs.junit:
        Path(outputs.junit).write_text(junit(whole), encoding="utf-8")
    return whole, code if whole is None or whole.footer is None else whole.footer.exit_code


def write(whole: Run, outputs: Outputs) -> None:
    """A run that is over: its record and its JUnit XML to where `outputs` says."""
    with _lines(outputs.json) as file:
        if file is not None:
            file.writelines(encode(record) + "\n" for record in whole.records)
    if outputs.junit:
        Path(outputs.junit).write_text(junit(whole), encoding="utf-8")


def _follow(entries: AsyncIterator[Record], tell: Callable[[Record], None]) -> int:
    """Pass every record on. Ctrl-C and SIGTERM close the run, so that its servers and drivers end with it."""

    async def follow() -> None:
        async with aclosing(cast("AsyncGenerator[Record, None]", entries)) as records:
            async for record in records:
                tell(record)

    try:
        carried_out(follow())
    except Unusable as error:
        raise Unfit(error.text, error.hint) from None
    except KeyboardInterrupt:
        return INTERRUPTED
    except Terminated:
        return TERMINATED
    return 0


def _lines(name: str | None) -> AbstractContextManager[TextIO | None]:
    if name is None:
        return nullcontext()
    return nullcontext(sys.stdout) if name == "-" else Path(name).open("w", encoding="utf-8")
