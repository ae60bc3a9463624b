"""`bullmq-compat list`: the scenarios."""

from __future__ import annotations

from pathlib import Path

import click

from compat.cli.options import color, selection

_EPILOG = """\b
Examples:
  bullmq-compat list
  bullmq-compat list 'retry/*' --json
  bullmq-compat list --tag smoke
"""


@click.command("list", epilog=_EPILOG)
@selection
@click.option("--json", "as_json", is_flag=True, help="A JSON array, for programs.")
@color
def command(patterns: tuple[str, ...], tags: tuple[str, ...], folder: Path | None, as_json: bool, color: str) -> None:
    """List the scenarios: id, title, in which arms and on what they run."""
    from compat.cli.suite import chosen

    scenarios = chosen(folder, patterns, tags, all_of_them=True)
    if as_json:
        import json

        rows = [
            {name: getattr(s, name) for name in ("id", "title", "why", "covers", "tags", "arms", "topologies", "needs")}
            for s in scenarios
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    from compat.cli.terminal import console
    from compat.report.catalogue import catalogue

    console(color).print(catalogue(scenarios))
