"""`bullmq-compat combine`: the records of all shards become the record of one run."""

from __future__ import annotations

from pathlib import Path

import click

from compat.cli.options import output

_EPILOG = """\b
Examples:
  bullmq-compat combine shard-*.jsonl --json run.jsonl
  bullmq-compat combine 1.jsonl 2.jsonl --junit run.xml --quiet

\b
Exit codes: those of the whole run (0, 1, 2, 3); 3 also when a shard is
missing, stands twice, or comes of another version.
"""


@click.command(epilog=_EPILOG)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@output
def command(files: tuple[Path, ...], json_file: str | None, junit_file: str | None, quiet: bool, color: str) -> int:
    """Put the records of all shards of a run together, and judge the run by them.

    What is missing, doubled or mixed (another port, oracle, harness, gate or set of cells) is refused.
    """
    from compat.cli.exits import Unfit
    from compat.cli.play import Outputs, write
    from compat.cli.records import record
    from compat.judge import exit_code
    from compat.report.combined import CombineError, combined
    from compat.report.console import print_report

    runs = {str(file): record(file) for file in files}
    try:
        whole = combined(runs, exit_code)
    except CombineError as error:
        raise Unfit(str(error), "run every shard once, all with the same versions and options") from None
    outputs = Outputs(json_file, junit_file, quiet, color)
    write(whole, outputs)
    code = whole.footer.exit_code if whole.footer is not None else 3
    print_report(outputs.console(), whole, quiet=quiet, code=code)
    return code
