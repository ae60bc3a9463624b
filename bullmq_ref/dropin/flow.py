"""A producer of flows under the names of PyPI's `bullmq`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from bullmq_ref.dropin.job import Job
from bullmq_ref.dropin.shapes import LIMITS, Emitter, connection
from bullmq_ref.flow import FlowJob, JobNode
from bullmq_ref.flow import FlowProducer as Inner


class FlowProducer(Emitter):
    """Adds flows. `redisOpts`: a URL, redis-py's arguments or client; `opts`: `prefix`, or `connection` too."""

    def __init__(self, redisOpts: Any = None, opts: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.opts = dict(opts or {})
        self.prefix: str = self.opts.get("prefix", "bull")
        self._redis = redisOpts or self.opts.get("connection")

    @cached_property
    def inner(self) -> Inner:
        """The producer of this library that does the work."""
        return Inner(connection=connection(self._redis), prefix=self.prefix, limits=LIMITS)

    async def add(self, flow: Mapping[str, Any], opts: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Add a flow `{name, queueName, data, opts, prefix, children}`; `{job, children}` as it was stored. `opts`:
        `{queuesOptions: {<queue>: {defaultJobOptions}}}`."""
        node = await self.inner.add(FlowJob.of(flow), queues_options=(opts or {}).get("queuesOptions"))  # type: ignore[arg-type]
        return _tree(node)

    async def addBulk(self, flows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Add flows at once."""
        return [_tree(node) for node in await self.inner.add_bulk([FlowJob.of(flow) for flow in flows])]  # type: ignore[arg-type]

    async def close(self) -> None:
        """Close the connections, if there are any."""
        if "inner" in self.__dict__:
            await self.inner.close()

    async def disconnect(self) -> None:
        """`close` that waits for no replies."""
        if "inner" in self.__dict__:
            await self.inner.disconnect()


def _tree(node: JobNode) -> dict[str, Any]:
    tree: dict[str, Any] = {"job": Job.of(None, node.job)}
    if node.children:
        tree["children"] = [_tree(child) for child in node.children if child is not None]
    return tree
