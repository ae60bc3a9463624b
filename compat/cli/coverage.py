"""`bullmq-compat coverage`: how much of BullMQ's Lua the suite runs."""

from __future__ import annotations

from pathlib import Path

import click

from compat.cli.options import OutFile, color, selection
from compat.model.scenario import TopologyName

_EPILOG = """\b
Examples:
  bullmq-compat coverage                      lines of all 49 scripts
  bullmq-compat coverage 'flow/*' --missing   and which it does not
  bullmq-compat coverage --fail-under 95      exit code 1 below 95 %
  bullmq-compat coverage --docs docs          writes docs/coverage.md

\b
Exit codes:
  0   as much as was asked for
  1   less
  3   a scenario did not pass, so its lines tell nothing
"""


@click.command(epilog=_EPILOG)
@selection
@click.option("--topology", "topologies", type=click.Choice(["single", "cluster"]), multiple=True,
              help="One Redis, or a Cluster (repeatable).  [default: both]")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Cells at once.")
@click.option("--missing", is_flag=True, help="Name the lines that were not run, and their text.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Exit with 1 below this.")
@click.option("--json", "json_file", type=OutFile(allow_dash=True), metavar="FILE",
              help="Write what was found as JSON; - is stdout.")  # fmt: skip
@click.option("--docs", "docs", type=click.Path(file_okay=False, exists=True, path_type=Path), metavar="DIR",
              help="Write DIR/coverage.md, a page with the figures and every excuse.")  # fmt: skip
@color
def command(
    patterns: tuple[str, ...],
    tags: tuple[str, ...],
    folder: Path | None,
    topologies: tuple[TopologyName, ...],
    jobs: int | None,
    missing: bool,
    fail_under: float | None,
    json_file: str | None,
    docs: Path | None,
    color: str,
) -> int:
    """Tell which lines of BullMQ's Lua scripts the scenarios run.

    The oracle runs on instrumented copies of the scripts. Lines that begin a statement count.
    Those that nothing in 5.62.0 can reach are listed with their reasons.
    """
    import shlex
    from datetime import UTC, datetime

    from compat.cli.play import Outputs, play
    from compat.cli.suite import chosen
    from compat.coverage import hits, instrumented
    from compat.drivers.implementations import NODE_DRIVER
    from compat.drivers.places import node_binary
    from compat.execute import Options, run
    from compat.report.console import print_report
    from compat.report.coverage import as_json, coverage, page
    from compat.servers import find_binary

    scenarios = chosen(folder, patterns, tags)
    outputs = Outputs(json="-" if json_file == "-" else None, color=color)
    words = outputs.console()
    with instrumented(NODE_DRIVER.parent, find_binary().path) as copy:
        driver = f"cmd:{shlex.join([node_binary(), str(copy.driver)])}"
        options = Options(
            scenarios=scenarios,
            arms=("self",),
            topologies=topologies or ("single", "cluster"),
            implementation=driver,
            oracle=driver,
            server=str(copy.server),
            jobs=jobs,
            gate="note",
        )
        whole, code = play(run(options), Outputs(color=color))
        if whole is None or code:
            if whole is not None:
                print_report(words, whole, command="bullmq-compat run --impl node@5.62.0", quiet=True, code=code)
            return code if code > 2 else 3
        found = hits(copy.lines, copy.notes())
    if json_file:
        text = as_json(found)
        click.echo(text) if json_file == "-" else Path(json_file).write_text(text + "\n", encoding="utf-8")
    if docs is not None:
        text = page(found, scenarios=len(scenarios), day=f"{datetime.now(UTC):%Y-%m-%d}")
        (docs / "coverage.md").write_text(text, encoding="utf-8")
    words.print(coverage(found, missing=missing))
    share = 100 * sum(script.hit for script in found) / max(1, sum(script.reachable for script in found))
    return 1 if fail_under is not None and share < fail_under else 0
