"""`bullmq-compat mirror`: a new worker runs again what production's workers ran; where it ends otherwise is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from compat.cli.options import color
from compat.cli.watch import Seconds

if TYPE_CHECKING:
    from compat.mirror.mirror import Mirror

_EPILOG = """\b
Examples:
  bullmq-compat mirror --queue mail --server redis://reader:pw@host \\
    --shadow-server redis://me:pw@host
  bullmq-compat mirror --queue q --server URL --from start --until-caught-up
  bullmq-compat mirror --queue mail --server URL --ignore "root['at']"
  bullmq-compat mirror --queue mail --server URL --impl 'cmd:./driver'

\b
Your new worker listens on the queue of the same name under the prefix
{mirror}. Production is only read: docs/mirror.md has the ACL rules of a user
who may do just that, and what it costs. It ends at Ctrl-C, too, and goes on
from there when it is started again.

\b
Exit codes: 0 every end was the same, 1 divergences, 3 it could not be done,
or nothing that was replayed came to an end, 64 usage, 130 interrupted twice.
"""


class Share(click.ParamType):  # type: ignore[type-arg]  # generic in stubs only
    """`10%`."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)%", str(value))
        if found is None or not 0 < float(found[1]) <= 100:
            self.fail(f"{value!r} is no share of jobs; write 10%", param, ctx)
        return float(found[1]) / 100


class Begin(click.ParamType):  # type: ignore[type-arg]  # generic in stubs only
    """`now`, `start`, or the id of an entry."""

    name = "entry"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if re.fullmatch(r"now|start|\d+(-\d+)?", str(value)) is None:
            self.fail(f"{value!r} is no place in the stream; write now, start, or an id: 1700000000000-0", param, ctx)
        return str(value)


@click.command(epilog=_EPILOG)
@click.option("--queue", required=True, metavar="NAME", help="The queue's name, in production and in its shadow.")
@click.option(
    "--prefix", default="bull", show_default=True, metavar="PREFIX", help="What production's keys begin with."
)
@click.option("--server", required=True, metavar="URL",
              help="Production: redis[s]://[[user]:password@]host[:port][/db]; of a Cluster any node.")  # fmt: skip
@click.option("--shadow-prefix", default="{mirror}", show_default=True, metavar="PREFIX",
              help="What the shadow's keys begin with. Nothing else is written.")  # fmt: skip
@click.option("--shadow-server", metavar="URL", help="Where the shadow is; 'embedded' starts one.  [default: --server]")
@click.option("--impl", "implementation", metavar="IMPL",
              help="Work on the shadow with a driver, told to do what production's processor did.")  # fmt: skip
@click.option("--from", "begin", type=Begin(), default="now", show_default=True, metavar="ID|now|start",
              help="Where in the stream the first mirror of a queue begins.")  # fmt: skip
@click.option("--restart", is_flag=True, help="Begin anew: forget where the last mirror ended.")
@click.option("--for", "seconds", type=Seconds(), metavar="TIME", help="How long it reads.  [default: until Ctrl-C]")
@click.option("--until-caught-up", "caught_up", is_flag=True, help="End once all is compared that is there now.")
@click.option("--wait", "patience", type=Seconds(), default="10s", show_default=True, metavar="TIME",
              help="How long it waits, at the end, for the new worker.")  # fmt: skip
@click.option("--sample", "share", type=Share(), default="100%", show_default=True, metavar="PERCENT",
              help="The share of jobs that is mirrored.")  # fmt: skip
@click.option("--rate", type=click.FloatRange(min=1), default=500, show_default=True, metavar="N",
              help="Jobs read in a second, at most.")  # fmt: skip
@click.option("--ignore", "ignore", multiple=True, metavar="WHAT",
              help="attempts, failedReason, returnvalue, duration, or a place in the return value: root['at'], "
                   "root['items'][*]['id'] (repeatable).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@color
def command(
    queue: str,
    prefix: str,
    server: str,
    shadow_prefix: str,
    shadow_server: str | None,
    implementation: str | None,
    begin: str,
    restart: bool,
    seconds: float | None,
    caught_up: bool,
    patience: float,
    share: float,
    rate: float,
    ignore: tuple[str, ...],
    as_json: bool,
    color: str,
) -> int:
    """Run production's jobs again with a new worker, and compare how they end.

    It reads a queue's events, adds each job that ended to a queue of the same name under another prefix, and compares
    outcome, attempts, return value, failed reason and class of duration.
    """
    import asyncio

    from compat.cli.exits import INTERRUPTED, UNUSABLE, Unfit
    from compat.cli.mirrored import Teller, signalled
    from compat.drivers import ImplementationError
    from compat.mirror.mirror import Limits
    from compat.mirror.opening import Place, opened
    from compat.mirror.verdict import Ignored
    from compat.servers import ServerError
    from compat.watch import CannotLook

    shadow = Place(shadow_server or server, shadow_prefix, queue)
    one, other = f"{prefix}:", f"{shadow_prefix}:"
    if one.startswith(other) or other.startswith(one):
        raise click.BadParameter(
            f"{shadow_prefix!r} and production's prefix {prefix!r} share keys: give another one, such as '{{mirror}}'",
            param_hint="--shadow-prefix",
        )
    try:
        words = (*ignore, "duration") if implementation else ignore  # a stand-in does not do the work
        limits = Limits(begin, share, rate, seconds, caught_up, patience, Ignored.of(words))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--ignore") from None
    teller = Teller(as_json, color)

    async def mirrored() -> Mirror:
        over = signalled()
        async with opened(
            Place(server, prefix, queue), shadow, limits, teller.tell, implementation=implementation, restart=restart
        ) as (mirror, worker, where):
            teller.begin(f"{prefix}:{queue} is mirrored to {shadow_prefix}:{queue} on {where}")
            await teller.follow(mirror, mirror.run(over, worker))
            return mirror

    try:
        mirror = asyncio.run(mirrored())
    except (CannotLook, ServerError, ImplementationError) as error:
        raise Unfit(str(error)) from None
    except asyncio.CancelledError:
        return INTERRUPTED
    teller.end(mirror)
    if mirror.counts.divergent:
        return 1
    return UNUSABLE if mirror.waiting and not mirror.counts.compared else 0
