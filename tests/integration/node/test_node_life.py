"""A scenario's beginning and end, and the clock, in the oracle's driver."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest

from compat.drivers import Driver, DriverError

Oracle = Any  # see conftest.py

HOUR = 3_600_000


async def test_the_end_of_a_scenario_leaves_no_connection_and_no_object(oracle: Oracle) -> None:
    """Whatever is open, at work, or waiting for the harness."""
    user, password = f"u{id(oracle)}", "s3cret"
    await oracle.call("scenario.end")
    await oracle.server.add_user(user, password, oracle.prefix)
    redis = oracle.server.address(user, password)
    nodes = [list(node) for node in redis.nodes]
    begin = {"topology": redis.topology, "nodes": nodes, "username": user, "password": password}
    await oracle.call("scenario.begin", id="again", prefix=oracle.prefix, redis=begin)

    async def mine() -> int:
        clients = [row for n in oracle.server.nodes for row in await oracle.server.client(n).client_list()]
        return sum(row["user"] == user for row in clients)

    await oracle.open("queue")
    await oracle.open("queue", "p", queue="other")
    await oracle.open("events", "e")
    await oracle.open("worker", "idle", queue="other")
    await oracle.open("worker", "busy")
    await oracle.open("worker", "hand", processor=False)
    await oracle.call("queue.add", "q", name="n")
    await oracle.attempt()
    assert await mine() >= 5
    await oracle.call("scenario.end")
    deadline = time.monotonic() + 10
    while left := await mine():
        assert time.monotonic() < deadline, f"{left} connections are left"
        await asyncio.sleep(0.005)
    assert await oracle.server.remove_user(user) == ()
    oracle.notices.clear()
    await oracle.begin()
    await oracle.open("queue")
    assert await oracle.call("queue.getJobState", "q", jobId="1") == "active"
    assert oracle.notices == []


async def test_the_end_of_a_scenario_is_quick(oracle: Oracle) -> None:
    async def once() -> float:
        await oracle.open("queue")
        await oracle.open("events", "e")
        await oracle.open("worker", "w")
        started = time.monotonic()
        await oracle.call("scenario.end")
        seconds = time.monotonic() - started
        await oracle.begin()
        return seconds

    deadline = time.monotonic() + 10  # for one that nothing else on the machine holds up
    while (seconds := await once()) >= 0.02:
        assert time.monotonic() < deadline, f"never under 20 ms, {seconds * 1000:.0f} ms at last"


@pytest.mark.parametrize(("topology", "reason"), [("single", ".*ECONNREFUSED"), ("cluster", "Connection is closed")])
async def test_an_address_where_nobody_answers_is_named(
    driver: Driver, prefix: str, topology: str, reason: str
) -> None:
    redis = {"topology": topology, "nodes": [["127.0.0.1", 1]]}
    await driver.call("scenario.begin", {"id": "x", "prefix": prefix, "redis": redis})
    with pytest.raises(DriverError, match=rf"-32001: Redis at 127\.0\.0\.1:1 cannot be used: {reason}"):
        await driver.call("queue.open", {"as": "q", "name": "mail"})
    await driver.call("scenario.end")
    await driver.call("ping")


async def test_the_end_of_a_scenario_is_answered_while_the_server_is_silent(driver: Driver, prefix: str) -> None:
    """It takes connections and says nothing: an `open` waits for it until the end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        redis = {"topology": "single", "nodes": [silent.getsockname()]}
        await driver.call("scenario.begin", {"id": "x", "prefix": prefix, "redis": redis})
        opening = asyncio.create_task(driver.call("queue.open", {"as": "q", "name": "mail"}))
        await driver.call("ping")
        await driver.call("scenario.end", deadline=5_000)
        with pytest.raises(DriverError, match="cannot be used: it was not waited for"):
            await opening


async def test_scenarios_follow_each_other_but_do_not_overlap(oracle: Oracle) -> None:
    with pytest.raises(DriverError, match="scenario test has not ended, test cannot begin"):
        await oracle.begin()
    await oracle.call("scenario.end")
    await oracle.call("scenario.end")
    await oracle.begin()


async def test_a_begin_without_an_address_is_refused(driver: Driver) -> None:
    with pytest.raises(DriverError, match=r"needs redis\.nodes"):
        await driver.call("scenario.begin", {"id": "x", "prefix": "p", "redis": {"topology": "single", "nodes": []}})


async def test_a_wrong_password_is_told_of_without_being_shown(driver: Driver, single_server: Any, prefix: str) -> None:
    await single_server.add_user("walter", "right-one", prefix)
    (node,) = single_server.nodes
    redis = {"topology": "single", "nodes": [[node.host, node.port]], "username": "walter", "password": "wrong-one"}
    await driver.call("scenario.begin", {"id": "x", "prefix": prefix, "redis": redis})
    with pytest.raises(DriverError, match="WRONGPASS"):
        await driver.call("queue.open", {"as": "q", "name": "mail"})
    await driver.call("scenario.end")
    await driver.close()
    assert not [line for line in driver.process.stderr if "wrong-one" in line]
    await single_server.remove_user("walter")


async def test_the_clock_moves_for_all_that_bullmq_stores(oracle: Oracle) -> None:
    """A job delayed for an hour is due when an hour is past; the worker is woken as `resume` would wake it."""
    await oracle.open("queue")
    await oracle.open("worker", "w")
    await oracle.call("queue.add", "q", name="later", opts={"delay": HOUR})
    await oracle.call("clock.set", offsetMs=HOUR)
    job = await oracle.call("queue.add", "q", name="now")
    assert abs(job["timestamp"] - (time.time() * 1000 + HOUR)) < 10_000
    attempts = [await oracle.attempt()]
    attempts[0].end(returns=None)
    attempts.append(await oracle.attempt())
    attempts[1].end(returns=None)
    assert {attempt.job["name"] for attempt in attempts} == {"now", "later"}
    await oracle.state("1", "completed")
    assert int((await oracle.stored("1"))["finishedOn"]) > time.time() * 1000 + HOUR / 2


async def test_the_clock_is_right_again_in_the_next_scenario(oracle: Oracle) -> None:
    await oracle.call("clock.set", offsetMs=HOUR)
    await oracle.call("clock.set", offsetMs=2 * HOUR)
    await oracle.open("queue")
    assert (await oracle.call("queue.add", "q", name="n"))["timestamp"] > time.time() * 1000 + 1.5 * HOUR
    await oracle.call("scenario.end")
    await oracle.begin()
    await oracle.open("queue")
    assert (await oracle.call("queue.add", "q", name="n"))["timestamp"] < time.time() * 1000 + 1_000
