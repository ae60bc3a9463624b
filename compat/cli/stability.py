"""`bullmq-compat stability`: the oracle against itself."""

from __future__ import annotations

from pathlib import Path

import click

from compat.cli.options import OutFile, execution, output, selection
from compat.model.cell import Arm
from compat.model.scenario import TopologyName

_EPILOG = """\b
Examples:
  bullmq-compat stability                       20 times, 8 at once
  bullmq-compat stability 'stalled/*' --repeats 100

\b
Exit codes as for `run`: 0 means that not one cell differed.
"""


@click.command(epilog=_EPILOG)
@selection
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="How often each cell is run.",
)
@click.option("--page", type=OutFile(), metavar="FILE",
              help="Write the result down as a page, as docs/stability.md.")  # fmt: skip
@execution
@output
def command(
    patterns: tuple[str, ...],
    tags: tuple[str, ...],
    folder: Path | None,
    repeats: int,
    page: Path | None,
    arms: tuple[Arm, ...],
    topologies: tuple[TopologyName, ...],
    server: str,
    jobs: int | None,
    json_file: str | None,
    junit_file: str | None,
    quiet: bool,
    color: str,
) -> int:
    """Run the oracle against itself, many times over, and say how often it differs.

    A difference here is a false alarm: of the scenario, of the harness, or of BullMQ's own.
    """
    from compat.cli.play import Outputs, play
    from compat.cli.suite import chosen
    from compat.drivers.implementations import NODE_TARGET
    from compat.execute import ARMS, Options, run
    from compat.report.console import print_report
    from compat.report.stability import stability, stability_page

    implementation = f"node@{NODE_TARGET}"
    options = Options(
        scenarios=chosen(folder, patterns, tags),
        arms=arms or ARMS,
        topologies=topologies or ("single", "cluster"),
        implementation=implementation,
        server=server,
        jobs=jobs or 8,
        gate="note",
        repeat=repeats,
    )
    outputs = Outputs(json_file, junit_file, quiet, color)
    whole, code = play(run(options), outputs)
    if whole is not None:
        words = outputs.console()
        if code:
            print_report(words, whole, command=f"bullmq-compat run --impl {implementation}", quiet=True, code=code)
            words.print()
        words.print(stability(whole))
        if page is not None:
            page.write_text(stability_page(whole), encoding="utf-8")
    return code
