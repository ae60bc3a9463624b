"""Made ready: drivers that have shaken hands and servers that are open, all that cells need."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from compat.drivers import DriverError, ImplementationError, Pool, command_for
from compat.drivers.attached import SCHEME
from compat.execute.options import Options
from compat.execute.players import Seat, Seats
from compat.execute.trouble import Unusable
from compat.model.scenario import TopologyName
from compat.servers import Server, ServerError, embedded, find_binary, given


async def ready(options: Options, pool: Pool, stack: AsyncExitStack) -> tuple[Seats, dict[TopologyName, Server]]:
    """Drivers that have shaken hands, and open servers, all at once."""
    try:
        commands = await asyncio.to_thread(_commands, options)
        wanted = {t for scenario in options.scenarios for t in scenario.topologies} & set(options.topologies)
        seat = {side: asyncio.create_task(_seat(pool, command)) for side, command in commands.items()}
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


def _commands(options: Options) -> dict[str, tuple[str, ...]]:
    guests = {spec.impl for scenario in options.scenarios for spec in scenario.objects.values()} - {None}
    named = {"port": options.implementation, **{name: name for name in guests if name is not None}}
    if options.golden is None:
        named["oracle"] = options.oracle
    return {seat: command_for(name) for seat, name in named.items()}


async def _seat(pool: Pool, command: tuple[str, ...]) -> Seat:
    driver = await pool.take(command)
    await pool.give_back(driver)
    return Seat(command, driver.welcome)


async def _servers(options: Options, wanted: set[TopologyName], stack: AsyncExitStack) -> dict[TopologyName, Server]:
    if "://" in options.server:
        server = await stack.enter_async_context(given(options.server))
        return {server.topology: server}
    kind, _, image = options.server.partition(":")
    if kind == "container":
        from compat.servers.containers import container  # testcontainers takes long to import, and few runs need it

        opened = partial(container, image=image or None)
    else:
        opened = partial(embedded, binary=own_binary(options))
    order: tuple[TopologyName, ...] = ("single", "cluster")
    return {t: await stack.enter_async_context(opened(t)) for t in order if t in wanted}


def own_binary(options: Options) -> Path | None:
    """The server to start; None: the one that is found."""
    named = options.server != "embedded" and "://" not in options.server and not options.server.startswith("container")
    return find_binary(options.server).path if named else None


def jobs_at_once(options: Options, servers: Mapping[TopologyName, Server]) -> int:
    if not all(server.own for server in servers.values()) or options.implementation.startswith(SCHEME):
        return 1  # connections can be told apart only by age there; and one steps through one cell at a time
    return options.jobs or min(8, 2 * (os.cpu_count() or 2))
