"""Exit codes, and the error that ends a command with words instead of a traceback."""

from __future__ import annotations

from typing import IO, Any

import click

STALE = 2  # the baseline
UNUSABLE = 3  # error or invalid
USAGE = 64
INTERRUPTED = 130
NO_READER = 141  # what reads stdout has gone, as after `| head`
TERMINATED = 143


class Terminated(Exception):
    """SIGTERM has ended the work, or the terminal has gone."""


class Unfit(click.ClickException):
    """Something that is needed cannot be used. `hint` says what to do."""

    exit_code = UNUSABLE

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint

    def show(self, file: IO[Any] | None = None) -> None:
        from compat.report.text import printable

        for line in f"Error: {self.message}".splitlines():
            click.echo(printable(line), err=True)
        for line in f"Hint: {self.hint}".splitlines() if self.hint else ():
            click.echo(printable(line), err=True)
