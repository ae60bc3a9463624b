"""`bullmq-compat drift`: a live oracle, held against a golden."""

from __future__ import annotations

from pathlib import Path

import click

from compat.cli.options import execution_alone, output, selection

_EPILOG = """\b
Examples:
  bullmq-compat drift                               today's node@5.62.0
  bullmq-compat drift --oracle node@5.81.5          what did 5.81.5 change?
  bullmq-compat drift 'retry/*' --golden bullmq-5.62.0.golden

\b
Exit codes: 0 no drift, 1 the oracle leaves something else, 3 error or
invalid (also: a scenario that the golden does not hold), 64 usage.
"""


@click.command(epilog=_EPILOG)
@selection
@click.option(
    "--golden",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `record` wrote.  [default: bullmq-5.62.0.golden]",
)
@click.option("--oracle", metavar="ORACLE", help="The live one: node@VERSION.  [default: node@5.62.0]")
@execution_alone
@output
def command(
    patterns: tuple[str, ...],
    tags: tuple[str, ...],
    folder: Path | None,
    file: Path | None,
    oracle: str | None,
    server: str,
    jobs: int | None,
    json_file: str | None,
    junit_file: str | None,
    quiet: bool,
    color: str,
) -> int:
    """Tell whether a live oracle still leaves what a golden says.

    An alarm for what moves under a gate: another Node, another server, another BullMQ.
    """
    from compat.cli.oracles import GOLDEN, golden, oracle_options
    from compat.cli.play import Outputs, play
    from compat.cli.suite import chosen
    from compat.execute import Options, run
    from compat.report.console import print_report

    right = oracle_options(oracle)
    if right.golden is not None:
        raise click.BadParameter("drift needs a live oracle; name node@VERSION", param_hint="--oracle")
    place = file or Path(GOLDEN)
    options = Options(
        scenarios=tuple(s for s in chosen(folder, patterns, tags) if "self" in s.arms),
        arms=("self",),
        implementation=right.live,
        golden=golden(place),
        golden_name=place.name,
        server=server,
        jobs=jobs,
        gate="note",
    )
    outputs = Outputs(json_file, junit_file, quiet, color)
    whole, code = play(run(options), outputs)
    if whole is not None:
        again = f"bullmq-compat run --impl {right.live} --oracle golden:{place}"
        print_report(outputs.console(), whole, command=again, quiet=quiet, code=code)
    return code
