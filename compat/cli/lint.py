"""`bullmq-compat lint`: scenario files, checked and not run."""

from __future__ import annotations

from pathlib import Path

import click

_EPILOG = """\b
Examples:
  bullmq-compat lint
  bullmq-compat lint my/scenarios retry/fixed.yaml

\b
Exit codes: 0 all is well, 3 something is wrong, 64 usage.
"""


@click.command(epilog=_EPILOG)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]...")
def command(paths: tuple[Path, ...]) -> int:
    """Check scenario files (and all below folders) without running them.

    Each complaint names file and line, and what to do. Without a PATH, the suite is checked.
    """
    from compat.cli.exits import UNUSABLE
    from compat.cli.suite import folder
    from compat.report.text import number, printable
    from compat.scenarios import ScenarioError, load

    try:
        found = load(paths or (folder(),))
    except ScenarioError as error:
        for complaint in error.complaints:
            click.echo(printable(str(complaint)), err=True)
        click.echo(number(len(error.complaints), "complaint"), err=True)
        return UNUSABLE
    click.echo(f"{number(len(found), 'scenario')}, nothing to complain about")
    return 0
