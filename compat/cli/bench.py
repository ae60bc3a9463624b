"""`bullmq-compat bench`: peers side by side on the same workloads."""

from __future__ import annotations

from pathlib import Path

import click

from compat.cli.options import OutFile, color

_EPILOG = """\b
Examples:
  bullmq-compat bench                  all of it: about ten minutes
  bullmq-compat bench W2 W5 --peers ref,node@5.62.0,floor --quick
  bullmq-compat bench --json bench.json --chart bench.svg
  bullmq-compat bench --docs docs      renew docs/performance.md

\b
Exit codes: 0 measured, 1 a target was missed (with --gate), 3 something could
not be measured, 64 usage.
"""


@click.command(epilog=_EPILOG)
@click.argument("names", nargs=-1, metavar="[WORKLOAD]...")
@click.option("--peers", metavar="NAMES", help="Who is measured, separated by commas.  [default: ref, Node, PyPI's "
              "bullmq in two versions, saq, and the floor: the scripts without a client]")  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=100), default=10_000, show_default=True, metavar="N",
              help="Operations of one measurement; warm ones take up to ten times as many.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, metavar="N",
              help="How often each is measured.")  # fmt: skip
@click.option("--quick", is_flag=True, help="One round of 2,000 operations, nothing warm: a look, no evidence.")
@click.option("--json", "json_file", type=OutFile(), metavar="FILE",
              help="Write every measurement as JSON.")  # fmt: skip
@click.option("--chart", "chart_file", type=OutFile(), metavar="FILE",
              help="Write a chart as SVG.")  # fmt: skip
@click.option("--docs", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
              help="Renew DIR/performance.md and its chart.")  # fmt: skip
@click.option("--server", metavar="BINARY", help="The server's binary.  [default: the wheel's]")
@click.option("--gate", is_flag=True, help="Fail when a target is missed.")
@color
def command(
    names: tuple[str, ...],
    peers: str | None,
    jobs: int,
    rounds: int,
    quick: bool,
    json_file: Path | None,
    chart_file: Path | None,
    docs: Path | None,
    server: str | None,
    gate: bool,
    color: str,
) -> int:
    """Measure bullmq_ref beside its peers.

    Each measurement has a fresh server; rounds are interleaved, so that what slows the machine meets all peers. Ratios
    to Node are to Node warmed up, which is twice as fast as Node over its first 10,000 jobs.
    """
    import json
    from dataclasses import asdict

    from compat.bench.chart import chart
    from compat.bench.docs import write
    from compat.bench.machine import machine
    from compat.bench.peers import DEFAULT
    from compat.bench.summary import Summary
    from compat.bench.tables import tables, target_table
    from compat.bench.targets import outcomes
    from compat.bench.workloads import BY_ID, WORKLOADS
    from compat.cli.exits import Unfit
    from compat.cli.measuring import measured, show
    from compat.cli.terminal import console
    from compat.servers import ServerError
    from compat.servers.binary import find_binary

    if unknown := [name for name in names if name.upper() not in BY_ID]:
        raise click.BadParameter(f"{unknown[0]!r} is no workload; there are {', '.join(BY_ID)}", param_hint="WORKLOAD")
    chosen = [BY_ID[name.upper()] for name in dict.fromkeys(names)] or list(WORKLOADS)
    asked = [name.strip() for name in peers.split(",")] if peers else list(DEFAULT)
    words = console(color)
    try:
        binary = find_binary(server)
    except ServerError as error:
        raise Unfit(str(error)) from None
    records = measured(
        words,
        chosen,
        asked,
        jobs=2_000 if quick else jobs,
        rounds=1 if quick else rounds,
        warm=not quick,
        binary=binary.path,
    )
    if not records:
        raise Unfit("none of these peers can be asked for these workloads", "`bullmq-compat bench --help` names them")
    summary = Summary(records, asked)
    found = list(outcomes(summary))
    shown = [*tables(summary), *([target_table(found)] if found else [])]
    for table in shown:
        show(words, table)
    where = machine(binary)
    try:
        if json_file is not None:
            whole = {
                "machine": asdict(where),
                "records": [record.json() for record in records],
                "targets": [{"target": o.target.words, "value": o.value, "reached": o.reached} for o in found],
            }
            json_file.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
        if chart_file is not None:
            chart_file.write_text(chart(summary), encoding="utf-8")
        if docs is not None:
            write(docs, where, shown, chart(summary), summary.noisy)
    except (OSError, ValueError) as error:
        raise Unfit(f"the results could not be written: {error}") from None
    return 1 if gate and not all(outcome.reached for outcome in found) else 0
