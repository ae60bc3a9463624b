"""`bullmq-compat run`: scenarios against a port."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, cast

import click

from compat.cli.options import execution, output, selection
from compat.model.cell import Arm
from compat.model.scenario import TopologyName
from compat.model.verdict import LEVELS, Level

if TYPE_CHECKING:
    from compat.plan.shards import Shard

_EPILOG = """\b
Examples:
  bullmq-compat run                                     bullmq_ref, everything
  bullmq-compat run 'retry/*' delay/due --topology single
  bullmq-compat run --impl 'cmd:./driver --flag' --gate state
  bullmq-compat run --impl node@5.62.0 --json run.jsonl --junit run.xml
  bullmq-compat run --server redis://127.0.0.1:6379/5 --arm self
  bullmq-compat run --impl cmd:./driver --known known.yaml
  bullmq-compat run --impl cmd:./driver --oracle golden:bullmq-5.62.0.golden
  bullmq-compat run --shard 2/4 --durations last.jsonl --json 2.jsonl

\b
Levels, from worst to mildest; the gate and all before it fail a run:
  breaks-peer  the other side misreads it
  state        what Redis holds differs
  event        the event stream differs
  encoding     the bytes differ, the meaning does not
  note         worth knowing

\b
Exit codes: 0 clean, 1 differences or flaky, 2 stale baseline, 3 error or
invalid, 64 usage, 130 interrupted (what was found until then is shown).
"""


def _shard(context: click.Context, option: click.Parameter, value: str | None) -> Shard | None:
    from compat.plan.shards import Shard

    try:
        return None if value is None else Shard.read(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(epilog=_EPILOG)
@selection
@click.option(
    "--impl", default="ref", metavar="IMPL",
    help="The port: ref (bullmq_ref), node@VERSION, pypi-bullmq@VERSION, cmd:COMMAND for any driver of your own, or "
    "attach:HOST:PORT for one that runs already.  [default: ref]",
)  # fmt: skip
@execution
@click.option("--gate", type=click.Choice(LEVELS), default="encoding", show_default=True,
              help="The mildest level that fails.")  # fmt: skip
@click.option(
    "--oracle",
    metavar="ORACLE",
    help="What is right: node@VERSION, or golden[:FILE], results that `record` wrote: then no Node is needed, "
    "and only the arm self is played.  [default: node@5.62.0]",
)
@click.option(
    "--known",
    "known_file",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help="A baseline: differences that are known; see `baseline`.",
)
@click.option("--shard", callback=_shard, metavar="I/N", help="Run the I-th of N parts; `combine` puts them together.")
@click.option(
    "--durations",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help="A record of an earlier run: shards take as long as each other then.",
)
@click.option("--trace", is_flag=True, help="Play cells in trouble again under MONITOR, for the HTML report.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first cell in trouble.")
@click.option("--transcript", "transcripts", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Write what drivers and harness say to each other; see `driver replay`.")  # fmt: skip
@click.option("--retry", type=click.IntRange(min=0), default=0, metavar="N",
              help="Try a cell in trouble up to N times more; one that passes then is flaky.")  # fmt: skip
@click.option("--repeat", type=click.IntRange(min=1), default=1, metavar="N", help="Run every cell N times.")
@output
def command(
    patterns: tuple[str, ...],
    tags: tuple[str, ...],
    folder: Path | None,
    impl: str,
    arms: tuple[Arm, ...],
    topologies: tuple[TopologyName, ...],
    server: str,
    jobs: int | None,
    gate: str,
    oracle: str | None,
    known_file: Path | None,
    shard: Shard | None,
    durations: Path | None,
    trace: bool,
    fail_fast: bool,
    transcripts: Path | None,
    retry: int,
    repeat: int,
    json_file: str | None,
    junit_file: str | None,
    quiet: bool,
    color: str,
) -> int:
    """Run scenarios against a port and tell what differs from Node.

    Each PATTERN is a scenario's id or a glob; without one, all are run.
    """
    from compat.cli.known import baseline
    from compat.cli.limits import limits
    from compat.cli.oracles import oracle_options
    from compat.cli.play import Outputs, play
    from compat.cli.records import durations_of
    from compat.cli.suite import chosen
    from compat.execute import ARMS, Options, run
    from compat.report.console import print_report

    right = oracle_options(oracle, arms)
    options = Options(
        scenarios=chosen(folder, patterns, tags),
        arms=arms or (ARMS if right.golden is None else ("self",)),
        topologies=topologies or ("single", "cluster"),
        implementation=impl,
        server=server,
        jobs=jobs,
        gate=cast("Level", gate),
        fail_fast=fail_fast,
        repeat=repeat,
        retry=retry,
        transcripts=transcripts,
        oracle=right.live,
        golden=right.golden,
        golden_name=right.name,
        known=baseline(known_file, folder) if known_file is not None else None,
        shard=shard,
        durations=durations_of(durations) if durations is not None else {},
        trace=trace,
        limits=limits(),
    )
    if transcripts is not None:
        try:
            transcripts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.BadParameter(f"{transcripts}: {error.strerror}", param_hint="--transcript") from None
    outputs = Outputs(json_file, junit_file, quiet, color)
    whole, code = play(run(options), outputs)
    if whole is not None:
        again = _again(impl, folder, server, oracle, known_file)
        print_report(outputs.console(), whole, command=again, quiet=quiet, code=code)
    return code


def _again(impl: str, folder: Path | None, server: str, oracle: str | None, known: Path | None) -> str:
    """How to ask for this run again; a URL is left out, as it may hold a password."""
    words = ["bullmq-compat", "run"]
    if impl != "ref":
        words += ["--impl", impl]
    if oracle is not None:
        words += ["--oracle", oracle]
    if known is not None:
        words += ["--known", str(known)]
    if folder is not None:
        words += ["--scenarios", str(folder)]
    if server != "embedded" and "://" not in server:
        words += ["--server", server]
    return " ".join(map(quote, words))
