"""Servers for all tests: started at the first use in a pytest process, shared by its tests, gone at its end.

The processes belong to the session and have nothing to do with event loops; each test gets a `Server` for its own loop.
"""

from __future__ import annotations

import signal
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from compat.model.scenario import TopologyName
from compat.servers import Running, Server, start

# Whoever starts the tests in the background hands SIGINT on as ignored; what they start must feel a Ctrl-C anyway.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def _single() -> Iterator[Running]:
    running = start("single")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def _cluster() -> Iterator[Running]:
    running = start("cluster")
    yield running
    running.stop()


@pytest.fixture
async def single_server(_single: Running) -> AsyncIterator[Server]:
    """One Redis, shared with other tests: keep to a `prefix` of your own."""
    async with _single.server() as server:
        yield server


@pytest.fixture
async def cluster_server(_cluster: Running) -> AsyncIterator[Server]:
    """A Cluster of three masters, shared with other tests: keep to a `prefix` of your own."""
    async with _cluster.server() as server:
        yield server


@pytest.fixture(params=["single", "cluster"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """The test runs on both topologies."""
    topology: TopologyName = request.param
    running: Running = request.getfixturevalue(f"_{topology}")
    async with running.server() as server:
        yield server


@pytest.fixture
def prefix() -> str:
    """A key prefix that no other test has, with a hash tag."""
    return f"{{t{uuid.uuid4().hex[:12]}}}"
