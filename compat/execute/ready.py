"""Made ready: drivers that have shaken hands and servers that are open, all that cells need."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

from compat.drivers import DriverError, ImplementationError, Pool, command_for
from compat.drivers.attached import SCHEME
from compat.execute.options import Options
from compat.execute.players import Seat, Seats
from compat.execute.trouble import Unusable
from compat.faults import ATOMIC, NOT_IN_CONTAINERS, SLOW
from compat.model.scenario import TopologyName
from compat.servers import Server, ServerError, embedded, find_binary, given
from compat.servers.binary import release


async def ready(options: Options, pool: Pool, stack: AsyncExitStack) -> tuple[Seats, dict[TopologyName, Server]]:
    """Drivers that have shaken hands, and open servers, all at once."""
    try:
        found = await asyncio.to_thread(commands, options)
        wanted = {t for scenario in options.scenarios for t in scenario.topologies} & set(options.topologies)
        seat = {side: asyncio.create_task(seated(pool, command)) for side, command in found.items()}
        try:
            servers = await _servers(options, wanted, stack)
            seats = {side: await task for side, task in seat.items()}
        finally:
            for task in seat.values():
                task.cancel()
            await asyncio.gather(*seat.values(), return_exceptions=True)
    except ImplementationError as error:
        raise Unusable(str(error)) from None
    except ServerError as error:
        raise Unusable(str(error)) from None
    except DriverError as error:
        tail = "".join(f"\n  stderr: {line}" for line in error.stderr[-5:])
        raise Unusable(f"{error.text}{tail}", error.hint) from None
    return seats, servers


def commands(options: Options) -> dict[str, tuple[str, ...]]:
    """What starts the driver of each seat. Raises `ImplementationError`."""
    guests = {spec.impl for scenario in options.scenarios for spec in scenario.objects.values()} - {None}
    named = {"port": options.implementation, **{name: name for name in guests if name is not None}}
    if options.golden is None:
        named["oracle"] = options.oracle
    return {seat: command_for(name) for seat, name in named.items()}


async def seated(pool: Pool, command: tuple[str, ...]) -> Seat:
    """A seat whose driver has shaken hands and waits in the pool. Raises `DriverError`."""
    driver = await pool.take(command)
    await pool.give_back(driver)
    return Seat(command, driver.welcome)


async def _servers(options: Options, wanted: set[TopologyName], stack: AsyncExitStack) -> dict[TopologyName, Server]:
    if "://" in options.server:
        server = await stack.enter_async_context(given(options.server))
        return {server.topology: server}
    order: tuple[TopologyName, ...] = ("single", "cluster")
    return {t: await stack.enter_async_context(own(options, t)) for t in order if t in wanted}


def own(
    options: Options, topology: TopologyName, *, durable: bool = False, replicas: bool = False
) -> AbstractAsyncContextManager[Server]:
    """A server of the run's own: in containers where the options say so, else embedded. Raises `ServerError`."""
    if in_containers(options):
        from compat.servers.containers import container  # testcontainers takes long to import, and few runs need it

        image = options.server.partition(":")[2] or None
        return container(topology, image, durable=durable, replicas=replicas)
    return embedded(topology, binary=own_binary(options), durable=durable, replicas=replicas)


def in_containers(options: Options) -> bool:
    return options.server.partition(":")[0] == "container"


def spared(options: Options, servers: Mapping[TopologyName, Server]) -> Mapping[str, str]:
    """The faults that the run's own servers cannot suffer, by kind, and why."""
    kinds = {step.fault.kind for scenario in options.scenarios for step in scenario.steps if step.fault is not None}
    found = {kind: why for kind, why in NOT_IN_CONTAINERS.items() if in_containers(options)}
    title = _own_title(options, servers) if kinds & {"slot-moved", "loading"} else None
    if title is not None:
        if not (title.startswith("valkey ") and release(title) >= ATOMIC):
            found["slot-moved"] = f"{title} moves slots key by key; Valkey 9 and later can at once"
        if release(title) < SLOW:
            found.setdefault("loading", f"{title} answers nothing while it loads so little; Redis 7 and later do")
    return found


def _own_title(options: Options, servers: Mapping[TopologyName, Server]) -> str | None:
    """What servers of cells' own are: `valkey 9.1.2`; None where there is none."""
    if in_containers(options):
        return next((server.title.partition(",")[0] for server in servers.values()), None)
    try:
        binary = find_binary(str(own_binary(options) or "") or None)
    except ServerError:  # where all others run on a given server, the cells with faults say so one by one
        return None
    return f"{binary.flavour} {binary.version}"


def own_binary(options: Options) -> Path | None:
    """The server to start; None: the one that is found."""
    named = options.server != "embedded" and "://" not in options.server and not in_containers(options)
    return find_binary(options.server).path if named else None


def jobs_at_once(options: Options, servers: Mapping[TopologyName, Server]) -> int:
    if not all(server.own for server in servers.values()) or options.implementation.startswith(SCHEME):
        return 1  # connections can be told apart only by age there; and one steps through one cell at a time
    return options.jobs or min(16, 4 * (os.cpu_count() or 2))  # most of a cell is waiting
