"""`bullmq-compat baseline`: known.yaml, the differences that are known."""

from __future__ import annotations

import os
from pathlib import Path

import click

from compat.cli.options import OutFile, scenarios

_EPILOG = """\b
Examples:
  bullmq-compat run --impl 'cmd:./driver' --json run.jsonl
  bullmq-compat baseline update run.jsonl
  bullmq-compat baseline check
  bullmq-compat run --impl 'cmd:./driver' --known known.yaml

\b
An entry of known.yaml is one cause:
  - cause: quoted-reason            its name (may be left out)
    reason: "stored as JSON"        the cause in words; a person writes it
    issue: "…"                      where the port tracks it (may be left out)
    checks: ["*/job.failedReason"]  what an update puts here when it is new
    seen:                           exactly where, with digests of the values
      - {in: "retry/fixed", arms: [self], checks:
          {"end/job.failedReason": "5f1e0c2a9b7d"}}

\b
Instead of a digest: `varies`, other values every time; `at times`, not
always there. An update writes them where records differ (`run --repeat 3`,
or several RECORDs); the entry must say why (`chance`).

\b
Exit codes: 0 sound, 2 stale (no cause, no such cell, listed twice),
3 a file cannot be read or the update is refused, 64 usage.
"""


@click.group(epilog=_EPILOG)
def command() -> None:
    """Differences that are known, each with its cause: known.yaml.

    A run with --known passes a cell that differs just as its entries say. An entry that no longer differs, one that
    differs otherwise, and a difference that no entry names all fail the run.
    """


_known = click.option(
    "--known", "file", type=click.Path(dir_okay=False, path_type=Path), default=Path("known.yaml"),
    show_default=True, metavar="FILE", help="The baseline.",
)  # fmt: skip


@command.command(epilog="\b\nExample:\n  bullmq-compat baseline update run.jsonl --known known.yaml\n")
@click.argument(
    "record_files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RECORD...",
)  # fmt: skip
@click.option(
    "--known", "file", type=OutFile(), default=Path("known.yaml"), show_default=True, metavar="FILE",
    help="The baseline.",
)  # fmt: skip
@scenarios
def update(record_files: tuple[Path, ...], file: Path, folder: Path | None) -> int:
    """Make known.yaml tell the truth about RECORDs that `run --json` wrote.

    Causes are kept; an entry that is new has none, and no run passes before a person has written it. In CI this is
    refused: a gate that moves itself is none.
    """
    from compat.cli.exits import Unfit
    from compat.cli.known import exists, load
    from compat.cli.records import record
    from compat.judge.baseline import pruned, updated, write

    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        raise Unfit("`baseline update` is not for CI: it would wave through whatever it should stop",
                    "run it on your own machine, write the reasons, and commit known.yaml")  # fmt: skip
    runs = [record(found) for found in record_files]
    before, header = load(file), runs[0].header
    ports = {before.port or header.port.name, *(run.header.port.name for run in runs)}
    if len(ports) > 1:
        raise Unfit(f"{file} and the records are about {', '.join(sorted(ports))}", "name another --known")
    verdicts = [verdict for run in runs for verdict in run.verdicts]
    after = updated(pruned(before, exists(folder)), verdicts, header.gate, header.port.name)
    file.write_text(write(after), encoding="utf-8")
    click.echo(f"{file}: {len(after.known)} entries")
    for entry in after.known:
        if not entry.reason:
            click.echo(f"  {entry.title}: write the reason")
    if left := [verdict.cell.id for verdict in verdicts if verdict.word in ("error", "invalid", "flaky")]:
        click.echo(f"  {len(left)} cells were not judged and stay as they were listed: {', '.join(left[:3])} …")
    return 0


@command.command(epilog="\b\nExample:\n  bullmq-compat baseline check --known known.yaml\n")
@_known
@scenarios
def check(file: Path, folder: Path | None) -> int:
    """Look whether known.yaml is sound, without running anything."""
    from compat.cli.known import baseline

    found = baseline(file, folder)
    cells = {cell for entry in found.known for row in entry.seen for cell in row.cells}
    click.echo(f"{file}: {len(found.known)} entries, {len(cells)} cells, nothing to complain about")
    return 0
