"""A server of one's own for each program: examples use fixed names, and ids that start at 1."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from compat.model.scenario import TopologyName
from compat.servers import start

Environment = dict[str, str]


@pytest.fixture
def fresh() -> Iterator[Callable[[TopologyName], Environment]]:
    """Starts an empty server; the environment that leads programs to it by REDIS_URL and REDIS_NODE."""
    with ExitStack() as stack:

        def begin(topology: TopologyName = "single") -> Environment:
            running = start(topology)
            stack.callback(running.stop)
            node = running.nodes[0]
            address = f"{node.host}:{node.port}"
            return {**os.environ, "REDIS_URL": f"redis://{address}", "REDIS_NODE": address}

        yield begin
