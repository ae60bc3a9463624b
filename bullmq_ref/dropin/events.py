"""The event stream under the names of PyPI's `bullmq`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from bullmq_ref.dropin.shapes import Emitter, connection
from bullmq_ref.queue_events import QueueEvents as Inner
from bullmq_ref.queue_events_producer import QueueEventsProducer as InnerProducer


class QueueEvents(Emitter):
    """Reads a queue's event stream, at once unless `autorun` is false. `opts`: `connection`, `prefix`, `lastEventId`,
    `blockingTimeout` in ms. Events: `event(args, id)` and `event:<jobId>(args, id)`; `drained(id)`."""

    def __init__(self, name: str, opts: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.name = name
        self.opts = {"autorun": True, **(opts or {})}
        self.closed = False
        self._ended = asyncio.Event()
        if self.opts["autorun"]:
            self.inner.run()

    @cached_property
    def inner(self) -> Inner:
        """The reader of this library that does the work."""
        return _Reader(self, self.opts)

    @property
    def closing(self) -> bool:
        return self.inner.closing

    async def run(self) -> None:
        """Read until closed. Raises BullMQError when it reads already."""
        self.inner.run()
        await self._ended.wait()

    async def close(self) -> None:
        """Stop reading."""
        await self.inner.close()
        self.closed = True
        self._ended.set()


class _Reader(Inner):
    """A reader whose events another one tells."""

    def __init__(self, teller: QueueEvents, opts: Mapping[str, Any]) -> None:
        self._teller = teller
        super().__init__(teller.name, {**opts, "autorun": False, "connection": connection(opts.get("connection"))})

    def emit(self, event: str, *arguments: Any) -> None:
        self._teller.emit(event, *arguments)


class QueueEventsProducer:
    """Writes events of one's own into a queue's event stream."""

    def __init__(self, name: str, opts: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.opts = dict(opts or {})

    @cached_property
    def inner(self) -> InnerProducer:
        """The writer of this library that does the work."""
        return InnerProducer(self.name, {**self.opts, "connection": connection(self.opts.get("connection"))})

    async def publishEvent(self, args: Mapping[str, Any], maxEvents: int = 1000) -> None:
        """Append the event `args["eventName"]` with the other fields. Raises ValueError without that name."""
        fields = dict(args)
        if "eventName" not in fields:
            raise ValueError("publishEvent: args has no eventName, which names the event")
        await self.inner.publish_event(fields.pop("eventName"), fields, max_events=maxEvents)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if "inner" in self.__dict__:
            await self.inner.close()
