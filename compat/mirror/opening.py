"""What a mirror is opened with: its lines to both servers, its players, and their ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from redis.asyncio import Redis as Client

from compat.mirror.journal import Journal
from compat.mirror.mirror import Limits, Mirror, Tell
from compat.mirror.players import Adder, StandIn
from compat.mirror.source import Source
from compat.protocol.messages import Redis
from compat.servers import embedded
from compat.servers.url import parse
from compat.watch.line import Away, CannotLook, Line


class Place(NamedTuple):
    """A queue of production, or the shadow of it."""

    url: str
    prefix: str
    queue: str


class Opened(NamedTuple):
    """A mirror that may be run. `where` is the server that the new worker has to listen on."""

    mirror: Mirror
    worker: StandIn | None
    where: str


@asynccontextmanager
async def opened(
    production: Place, shadow: Place, limits: Limits, tell: Tell, *, implementation: str | None, restart: bool
) -> AsyncIterator[Opened]:
    """A mirror with everything open; `shadow.url` may be `embedded`. Raises `CannotLook`, `ServerError` and
    `ImplementationError`."""
    async with AsyncExitStack() as stack:
        if shadow.url == "embedded":
            server = await stack.enter_async_context(embedded("single"))
            shadow = shadow._replace(url=f"redis://{server.nodes[0]}")
        lines = [Line(*production), Line(*shadow)]
        for line in lines:
            stack.push_async_callback(line.close)
        try:
            redis = await _address(lines[1], shadow.url)
            journal = Journal(lines[1], f"{production.prefix}:{production.queue}")
            if restart:
                await journal.forget()
            adder = Adder(shadow.queue, shadow.prefix, redis)
            stack.push_async_callback(adder.close)
            mirror = Mirror(Source(lines[0]), journal, adder, limits, tell)
            worker = None
            if implementation is not None:
                worker = StandIn(implementation, shadow.queue, shadow.prefix, redis, mirror.pair)
                stack.push_async_callback(worker.close)
                await worker.start()
            await adder.start()
        except Away as error:
            raise CannotLook(str(error)) from None
        yield Opened(mirror, worker, lines[1].where)


async def _address(line: Line, url: str) -> Redis:
    """The shadow's server, as drivers are told of it."""

    async def ask(client: Client) -> bool:
        return (await client.info("cluster")).get("cluster_enabled") == 1

    cluster = await line.ask(ask)
    location = parse(url)
    access = location.access
    if cluster and ("{" not in line.prefix or "}" not in line.prefix):
        raise CannotLook(
            f"{line.where} is a Cluster, and the shadow's prefix {line.prefix!r} has no hash tag: '{{mirror}}' has"
        )
    return Redis(
        topology="cluster" if cluster else "single",
        nodes=((location.host, location.port),),
        username=access.username,
        password=access.password,
        tls=access.tls,
        db=access.db,
    )
