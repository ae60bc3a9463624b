"""A driver's life: its handshake, its scenarios, its clock, its end."""

from __future__ import annotations

import asyncio
import difflib

import msgspec

from compat.authoring.guide import Guide, Wrong, open_queue
from compat.drivers.errors import CallRaised, DriverError, Undeclared
from compat.protocol.messages import TELLERS, Capabilities
from compat.protocol.methods import METHODS

ACTIONS = {"progress", "log", "updateData", "extendLock", "spin", "gate"}
ENDS = {"unrecoverable", "delayed", "waiting", "waitingChildren", "rateLimit", "nonError", "die"}
_HOUR = 3_600_000  # ms


async def initialize(guide: Guide) -> None:
    """Start; answer `initialize` with a name, versions and capabilities."""
    try:
        driver = await guide.launch()
    except DriverError as error:
        raise Wrong(error.text, "an answer to `initialize`", error.hint, final=True, stderr=error.stderr) from error
    for field in ("name", "version", "language", "bullmq"):
        if not getattr(driver.welcome, field):
            raise Wrong(f"`{field}` is empty", f"a text in `{field}`", "reports name the port by it")


async def capabilities(guide: Guide) -> None:
    """Declare only what the protocol knows."""
    offered = msgspec.to_builtins(guide.driver.welcome.capabilities)
    for group in Capabilities.__struct_fields__:
        names = offered.get(group)
        if not isinstance(names, list | tuple):
            continue
        known = _known(group)
        for name in names:
            if known and name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                meant = f"did you mean {near[0]!r}?" if near else "`bullmq-compat schema protocol` lists them"
                raise Wrong(f"{group}: {name!r}", f"one of the names of `{group}`", meant)


def _known(group: str) -> set[str]:
    if group == "processor":
        return {*ACTIONS, *ENDS}
    methods = {method.partition(".")[2] for method in METHODS if method.startswith(f"{group}.")}
    return methods | {"event"} if group in TELLERS else methods


async def ping(guide: Guide) -> None:
    """Answer `ping`, each call once and with its own id."""
    await guide.call("ping")
    await asyncio.gather(*(guide.call("ping") for _ in range(5)))


async def unknown_method(guide: Guide) -> None:
    """Answer a method you do not have with error -32601, and live on."""
    try:
        await guide.call("queue.fly")
    except Undeclared:
        pass
    except CallRaised as raised:
        raise Wrong(f"error -32000 ({raised})", "error code -32601", "only what the port raises is -32000") from None
    else:
        raise Wrong("a result", "error code -32601", "a method that is not yours must not look like one that worked")
    await guide.call("ping")


async def begin_and_end(guide: Guide) -> None:
    """Begin a scenario, end it, and begin another in the same process."""
    for _ in range(2):
        await guide.begin()
        await guide.end()


async def clock(guide: Guide) -> str | None:
    """Move the clock that the port reads, and put it right at `scenario.end`."""
    if not guide.driver.welcome.capabilities.clock:
        return '`capabilities` does not say `"clock": true`: scenarios that move time do not apply'
    if lacking := guide.lacks("queue.open", "queue.add"):
        return lacking
    stamps = []
    for offset in (_HOUR, None):
        await guide.begin()
        await open_queue(guide)
        if offset is not None:
            await guide.call("clock.set", offsetMs=offset)
        job = await guide.call("queue.add", on="q", name="email", data={}, opts={})
        stamps.append(int(await guide.field(job["id"], "timestamp") or 0))
        await guide.end()
    ahead = stamps[0] - stamps[1]
    if not _HOUR - 60_000 <= ahead <= _HOUR:
        raise Wrong(
            f"`timestamp` {ahead / 1000:,.0f} s ahead after `clock.set {{offsetMs: {_HOUR}}}`",
            "3,600 s ahead, and none after the scenario",
            "let the port read a clock of yours: its own now plus the offset; `scenario.end` sets the offset to 0",
        )  # fmt: skip
    return None


async def cluster(guide: Guide) -> str | None:
    """Work on a Cluster, started from a node that does not own the queue."""
    if not guide.driver.welcome.capabilities.cluster:
        return '`capabilities` does not say `"cluster": true`: cells on a Cluster do not apply'
    if lacking := guide.lacks("queue.open", "queue.add"):
        return lacking
    await guide.begin("cluster")
    await open_queue(guide)
    job = await guide.call("queue.add", on="q", name="email", data={}, opts={})
    if await guide.field(job["id"], "name") is None:
        raise Wrong("no job on the node that owns its slot", "the job", "connect with the port's Cluster client")
    await guide.end()
    return None


async def shutdown(guide: Guide) -> None:
    """End on `shutdown`, by yourself."""
    await guide.call("shutdown")
    try:
        async with asyncio.timeout(5):
            await guide.driver.process.wait()
    except TimeoutError:
        raise Wrong("the process runs on", "its end within 5 s", "close everything and leave the loop") from None
