"""`bullmq-compat shadow`: a port's workers beside Node's on one queue, and every payload worked on by both."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import click

from compat.cli.options import SERVER_HELP, OutFile, color
from compat.cli.watch import Seconds
from compat.model.scenario import TopologyName
from compat.model.verdict import LEVELS, Level

_EPILOG = """\b
Examples:
  bullmq-compat shadow --impl 'cmd:./my-driver'
  bullmq-compat shadow --impl cmd:./my-driver --server URL --duration 10m
  bullmq-compat shadow --jobs 2000 --faults worker-killed,node-killed
  bullmq-compat shadow --impl pypi-bullmq@2.17.0 --html shadow.html

\b
Exit codes: 0 nothing found, 1 a law broken, twins that differ at or above the
gate, jobs lost, stuck, or doubled without a reason, 3 it could not be run,
64 usage, 130 interrupted (143: terminated); the report comes in any case.
"""


@click.command(epilog=_EPILOG)
@click.option("--impl", default="ref", metavar="IMPL",
              help="The port: as for `run`.  [default: ref]")  # fmt: skip
@click.option("--queue", default="shadow", show_default=True, metavar="NAME", help="The queue's name.")
@click.option("--server", default="embedded", metavar="SERVER", help=SERVER_HELP)
@click.option("--topology", type=click.Choice(get_args(TopologyName)), default="single", show_default=True,
              help="Of a server that is started; a URL's is seen.")  # fmt: skip
@click.option("--prefix", default="bullmq-compat-shadow", show_default=True, metavar="PREFIX",
              help="What all keys begin with; they are deleted at the end.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=2), metavar="N",
              help="Jobs, two for each payload.  [default: 1000, or what --duration allows]")  # fmt: skip
@click.option("--duration", type=Seconds(), metavar="TIME", help="How long jobs are added: 90s, 5m, 1h.")
@click.option("--rate", type=click.FloatRange(min=1), default=100, show_default=True, metavar="N",
              help="Jobs added a second.")  # fmt: skip
@click.option("--concurrency", type=click.IntRange(min=1), default=5, show_default=True, metavar="N",
              help="Of each side's worker.")  # fmt: skip
@click.option("--faults", metavar="NAMES",
              help="What breaks meanwhile, separated by commas, or `all`: those of `chaos`.")  # fmt: skip
@click.option("--seed", type=int, metavar="N", help="Of payloads, their fates and the faults.  [default: drawn]")
@click.option("--patience", type=Seconds(), default="30s", show_default=True, metavar="TIME",
              help="When no job gets on for so long, the rest is stuck.")  # fmt: skip
@click.option("--gate", type=click.Choice(LEVELS), default="encoding", show_default=True,
              help="The mildest level of twins' differences that fails.")  # fmt: skip
@click.option("--json", "json_file", type=OutFile(), metavar="FILE",
              help="Write the report, with every finding.")  # fmt: skip
@click.option("--html", "html_file", type=OutFile(), metavar="FILE",
              help="Write it as one page.")  # fmt: skip
@click.option("--chart", "chart_file", type=OutFile(), metavar="FILE",
              help="Write the latencies as SVG.")  # fmt: skip
@color
def command(
    impl: str,
    queue: str,
    server: str,
    topology: TopologyName,
    prefix: str,
    jobs: int | None,
    duration: float | None,
    rate: float,
    concurrency: int,
    faults: str | None,
    seed: int | None,
    patience: float,
    gate: str,
    json_file: Path | None,
    html_file: Path | None,
    chart_file: Path | None,
    color: str,
) -> int:
    """Let a port's worker share a queue with Node's, and compare what both make of each payload.

    A worker and an adder of each side; any driver will do. Each job that one side finishes has a twin, which the other
    side works on alone.
    """
    import random

    from compat.chaos.plan import DEFAULT
    from compat.cli.shadowing import Told, play, write
    from compat.shadow.plan import Plan

    struck: tuple[str, ...] = ()
    if faults:
        if "://" in server:
            raise click.BadParameter(
                "faults are struck on servers that this command starts itself; leave --server out, or name a binary or "
                "container",
                param_hint="--faults",
            )
        struck = DEFAULT[topology] if faults == "all" else tuple(dict.fromkeys(n.strip() for n in faults.split(",")))
        if unknown := [name for name in struck if name not in DEFAULT[topology]]:
            raise click.BadParameter(
                f"{unknown[0]!r} is no fault of {topology}; there are {', '.join(DEFAULT[topology])}",
                param_hint="--faults",
            )
    if not prefix or ":" in queue or not queue:
        raise click.BadParameter("a prefix is not empty, and a queue's name neither empty nor with a colon in it")
    plan = Plan(
        queue=queue,
        prefix=prefix,
        jobs=jobs if jobs is not None or duration is not None else 1_000,
        seconds=duration,
        rate=rate,
        seed=random.randrange(1_000_000) if seed is None else seed,
        concurrency=concurrency,
        faults=struck,
        patience=patience,
    )
    files = {"--json": json_file, "--html": html_file, "--chart": chart_file}
    report, code = play(plan, impl, server, topology, Told(color), cast("Level", gate))
    write(report, files)
    return code
