"""Connections: the names that those of one cell go by in CLIENT LIST."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from compat.capture import client_names
from compat.execute.facts import poll
from compat.model.scenario import ObjectSpec, TopologyName
from compat.wire.clients import events_client, worker_client

_DEADLINE = 500  # ms


class Connections:
    """Reads names once they are those of the objects that are open: a connection that has just been closed may be
    there for a moment. A port that names its connections otherwise is waited for once.

    In Cluster none are read: Node names none of a worker's there, and a reader's on a node taken by chance.
    """

    def __init__(self, prefix: str, objects: Mapping[str, ObjectSpec], topology: TopologyName) -> None:
        self._prefix, self._objects, self._topology = prefix, objects, topology
        self._as_expected = True

    async def names(
        self, clients: Sequence[Redis], opened: Collection[str], worker_opts: Mapping[str, Mapping[str, Any]]
    ) -> tuple[str, ...]:
        """All names after the prefix, sorted. `opened`: objects; `worker_opts`: workers' options."""
        if self._topology == "cluster":
            return ()
        expected = {self._expected(name, worker_opts.get(name, {})) for name in opened} - {""}

        async def look() -> tuple[str, ...] | None:
            found = await client_names(clients, self._prefix)
            return found if set(found) == expected else None

        found = await poll(look, _DEADLINE) if self._as_expected else None
        self._as_expected = found is not None
        return await client_names(clients, self._prefix) if found is None else found

    def _expected(self, name: str, opts: Mapping[str, Any]) -> str:
        """What Node names the connection of an object; "" where it has none of its own."""
        spec = self._objects[name]
        if spec.kind == "worker":
            return worker_client(self._prefix, spec.queue_name, opts.get("name"))
        return events_client(self._prefix, spec.queue_name) if spec.kind == "events" else ""
