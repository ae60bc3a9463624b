"""`bullmq-compat show`: a scenario in words."""

from __future__ import annotations

from pathlib import Path

import click

from compat.cli.options import color, scenarios

_EPILOG = """\b
Example:
  bullmq-compat show retry/fixed
"""


@click.command(epilog=_EPILOG)
@click.argument("scenario", metavar="ID")
@scenarios
@color
def command(scenario: str, folder: Path | None, color: str) -> None:
    """Tell a scenario in words: why it is, what is done, what must be true.

    The numbers before steps are lines of its file.
    """
    from compat.cli.suite import chosen, source
    from compat.cli.terminal import console
    from compat.report.telling import telling

    words = console(color)
    for number, found in enumerate(chosen(folder, (scenario,))):
        file, line = source(folder, found)
        if number:
            words.rule(style="dim")
        words.print(telling(found, str(file), line))
