"""Servers of one's own: faults may be struck on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from compat.servers import Running, Server, embedded, start


@pytest.fixture
async def own() -> AsyncIterator[Server]:
    """One durable Redis."""
    async with embedded("single", durable=True) as server:
        yield server


@pytest.fixture
async def own_cluster() -> AsyncIterator[Server]:
    """Three masters."""
    async with embedded("cluster") as server:
        yield server


@pytest.fixture(scope="session")
def _replicated() -> Iterator[Running]:
    running = start("cluster", durable=True, replicas=True)
    yield running
    running.stop()


@pytest.fixture
async def replicated(_replicated: Running) -> AsyncIterator[Server]:
    """Three masters and their replicas; a fault's mending hands it on as it was."""
    async with _replicated.server() as server:
        yield server
