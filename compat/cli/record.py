"""`bullmq-compat record`: the oracle's results, written down, so that a gate can do without Node."""

from __future__ import annotations

from pathlib import Path

import click

from compat.cli.options import OutFile, color, execution_alone, selection

_EPILOG = """\b
Examples:
  bullmq-compat record                              into bullmq-5.62.0.golden
  bullmq-compat record --oracle node@5.81.5 --out bullmq-5.81.5.golden
  bullmq-compat run --impl cmd:./driver --oracle golden:bullmq-5.62.0.golden

\b
Exit codes as for `run`: 0 means that all was recorded.
"""


@click.command(epilog=_EPILOG)
@selection
@click.option("--oracle", metavar="ORACLE", help="Who is recorded: node@VERSION.  [default: node@5.62.0]")
@click.option("--out", type=OutFile(), metavar="FILE",
              help="The golden.  [default: bullmq-VERSION.golden]")  # fmt: skip
@execution_alone
@color
def command(
    patterns: tuple[str, ...],
    tags: tuple[str, ...],
    folder: Path | None,
    oracle: str | None,
    out: Path | None,
    server: str,
    jobs: int | None,
    color: str,
) -> int:
    """Run the oracle against itself and write down what it leaves: a golden, for `run --oracle golden:FILE`.

    Only what came out alike both times is written. A golden belongs to the scenarios it was recorded with: a scenario
    that changes must be recorded again.
    """
    from compat.cli.oracles import oracle_options
    from compat.cli.play import Outputs, play
    from compat.cli.suite import chosen
    from compat.compare.golden import Golden, Recording, digest, write
    from compat.execute import Options, run
    from compat.model.history import History
    from compat.model.scenario import Scenario, TopologyName
    from compat.normalise import canonical
    from compat.report.console import print_report

    right = oracle_options(oracle)
    if right.golden is not None:
        raise click.BadParameter("a golden cannot be recorded from a golden; name node@VERSION", param_hint="--oracle")
    kept: dict[tuple[str, TopologyName], Recording] = {}

    def keep(scenario: Scenario, history: History) -> None:
        cell = history.cell
        made = Recording(scenario.id, cell.topology, digest(scenario), canonical(scenario, history))
        kept[scenario.id, cell.topology] = made

    options = Options(
        scenarios=tuple(s for s in chosen(folder, patterns, tags) if "self" in s.arms),
        arms=("self",),
        implementation=right.live,
        oracle=right.live,
        server=server,
        jobs=jobs,
        gate="note",
        keep=keep,
    )
    outputs = Outputs(quiet=True, color=color)
    whole, code = play(run(options), outputs)
    if whole is None or code:
        if whole is not None:
            print_report(outputs.console(), whole, quiet=True, code=code)
        click.echo("nothing was recorded: the oracle does not agree with itself, or broke off", err=True)
        return code or 1
    oracle_told = whole.header.oracle
    file = out or Path(f"bullmq-{oracle_told.bullmq}.golden")
    lines = "".join(line + "\n" for line in write(Golden(oracle_told, kept)))
    file.write_text(lines, encoding="ascii")
    size = len(lines) / 1e6
    click.echo(f"{file}: {len(kept)} recordings of {oracle_told.name} {oracle_told.version}, {size:.1f} MB")
    return 0
