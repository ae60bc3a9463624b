"""`bullmq-compat watch`: a live queue is looked at, without writing, and what is wrong with it is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from compat.cli.options import color

if TYPE_CHECKING:
    from compat.watch import Finding

_EPILOG = """\b
Examples:
  bullmq-compat watch --queue mail --server redis://me:pw@host --for 5m
  bullmq-compat watch --queue mail --prefix '{bull}' --server URL --json

\b
It looks at samples, with commands that only read: docs/watch.md has the ACL
rules of a user who may do just that, and what it costs.

\b
Exit codes: 0 nothing found, 1 findings, 3 the queue could not be looked at,
64 usage, 130 interrupted.
"""


class Seconds(click.ParamType):  # type: ignore[type-arg]  # generic in stubs only
    """`90`, `60s`, `5m`, `1h`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)?", str(value))
        if found is None:
            self.fail(f"{value!r} is no duration; write 60s, 5m or 1h", param, ctx)
        return float(found[1]) * {"ms": 0.001, "m": 60.0, "h": 3600.0}.get(found[2] or "s", 1.0)


@click.command(epilog=_EPILOG)
@click.option("--queue", required=True, metavar="NAME", help="The queue's name.")
@click.option("--prefix", default="bull", show_default=True, metavar="PREFIX", help="What its keys begin with.")
@click.option(
    "--server",
    required=True,
    metavar="URL",
    help="redis[s]://[[user]:password@]host[:port][/db]; of a Cluster any node.",
)
@click.option("--for", "seconds", type=Seconds(), default="60s", show_default=True, metavar="TIME",
              help="How long it looks.")  # fmt: skip
@click.option("--interval", type=Seconds(), default="1s", show_default=True, metavar="TIME",
              help="Time between two rounds.")  # fmt: skip
@click.option("--sample", type=click.IntRange(1, 1000), default=50, show_default=True, metavar="N",
              help="Jobs of a round from the states, and as many from the server's keys.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: findings, then what was looked at.")
@color
def command(
    queue: str, prefix: str, server: str, seconds: float, interval: float, sample: int, as_json: bool, color: str
) -> int:
    """Look at a live queue, without writing, and tell what is wrong with it.

    A finding is told once, and only if it holds in two looks between which the job has not changed.
    """
    import json

    from msgspec import to_builtins

    from compat.cli.exits import Unfit
    from compat.cli.signals import carried_out
    from compat.cli.terminal import console
    from compat.report.text import number, printable
    from compat.servers import ServerError
    from compat.watch import CannotLook, Watch
    from compat.watch.reading import Reader

    words = console(color)

    def tell(finding: Finding) -> None:
        if as_json:
            click.echo(json.dumps({"type": "finding", **to_builtins(finding)}))
        else:
            words.print(f"{finding.law}: {printable(finding.words)}", style="red", soft_wrap=True)
            words.print(f"  {printable(finding.why)}", soft_wrap=True)

    async def look() -> Watch:
        reader = Reader(server, prefix, queue)
        try:
            watch = Watch(reader, interval=interval, sample=sample)
            async for finding in watch.findings(seconds):
                tell(finding)
            return watch
        finally:
            await reader.close()

    try:
        watch = carried_out(look())
    except (CannotLook, ServerError) as error:
        raise Unfit(str(error)) from None
    if as_json:
        counts = {name: getattr(watch, name) for name in ("rounds", "jobs", "entries", "commands", "unsettled", "gaps")}
        click.echo(json.dumps({"type": "end", "findings": dict(watch.found), **counts}))
    else:
        seen = (
            f"{number(watch.rounds, 'round')}, {number(watch.jobs, 'look')} at jobs, {number(watch.entries, 'event')} "
        )
        words.print(f"{seen}read, {number(watch.commands, 'command')}")
        if watch.unsettled:
            words.print(
                f"{number(watch.unsettled, 'look')} ended in a long list: whether the job stands in it is not known"
            )
        if watch.gaps:
            words.print(f"the stream went faster than it was read: taken up anew {number(watch.gaps, 'time')}")
        words.print(", ".join(f"{number(n, law)}" for law, n in watch.found.items()) or "no finding")
    return 1 if watch.found else 0
