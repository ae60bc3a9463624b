"""A driver dies, stands still, or has a wrong clock when a fault says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from compat.drivers import Driver, DriverError, command_for
from compat.faults import ClockStepped, DriverFrozen, DriverKilled
from compat.servers import Server

HOUR = 3_600_000  # ms


@pytest.fixture
async def driver(single_server: Server, prefix: str) -> AsyncIterator[Driver]:
    launched = await Driver.launch(command_for("ref"), bullmq="5.62.0")
    node = single_server.nodes[0]
    redis = {"topology": "single", "nodes": [[node.host, node.port]]}
    await launched.call("scenario.begin", {"prefix": prefix, "redis": redis, "options": {}})
    await launched.call("queue.open", {"as": "q", "name": "q"})
    yield launched
    await launched.kill()
    await single_server.delete_prefix(prefix)


async def added_at(driver: Driver) -> int:
    answer = await driver.call("queue.add", {"on": "q", "name": "n"})
    timestamp: int = answer["timestamp"]
    return timestamp


async def test_a_killed_driver_says_no_more(driver: Driver) -> None:
    async with DriverKilled(driver):
        with pytest.raises(DriverError):
            await added_at(driver)


async def test_a_frozen_driver_answers_when_it_is_thawed(driver: Driver) -> None:
    async with DriverFrozen(driver):
        asked = asyncio.create_task(added_at(driver))
        assert await asyncio.wait({asked}, timeout=0.2) == (set(), {asked})
    assert await asked


async def test_a_drivers_clock_jumps_and_is_set_right(driver: Driver) -> None:
    async with ClockStepped(driver, -HOUR):
        assert await added_at(driver) < time.time() * 1000 - HOUR / 2
    assert await added_at(driver) > time.time() * 1000 - HOUR / 2
