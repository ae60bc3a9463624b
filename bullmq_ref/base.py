"""What queues, workers and event readers have in common: a name, its keys, a client, local events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from bullmq_ref.backoff import Strategy
from bullmq_ref.client import Client
from bullmq_ref.emitter import Emitter
from bullmq_ref.jsjson import number
from bullmq_ref.keys import Keys
from bullmq_ref.log import Log, Logger
from bullmq_ref.monitor import Monitor
from bullmq_ref.options import Limits
from bullmq_ref.reach import RedisOptions, check_options
from bullmq_ref.repetition import RepeatStrategy
from bullmq_ref.scripts.working import Terms
from bullmq_ref.tracing import Telemetry, traced
from bullmq_ref.wire import Wire

_LIMITED = 9007199254740991  # JavaScript's Number.MAX_SAFE_INTEGER: a limiter that lets nobody pass

Connection = RedisOptions | str | Mapping[str, Any] | None


class QueueBase(Emitter):
    """An object on one queue. Make it inside a running event loop, with `async with` or with `close()` at the end.

    `connection`: a URL, a mapping, or RedisOptions. `client_suffix` ends the name that CLIENT LIST shows; None: none.
    `blocks`: its commands wait for what comes, and no reply is ever due.
    `telemetry` makes spans, `monitor` counts and measures, `logger` takes the place of the logger `bullmq_ref`.
    `client`: one that is open already and stays somebody else's, instead of a connection of its own.

    Raises Invalid for a bad name or connection. In Cluster, its methods raise CrossSlot when the keys span slots.
    """

    def __init__(
        self,
        name: str,
        *,
        connection: Connection = None,
        prefix: str = "bull",
        limits: Limits | None = None,
        client_suffix: str | None = None,
        blocks: bool = False,
        client: Client | None = None,
        telemetry: Telemetry | None = None,
        monitor: Monitor | None = None,
        logger: Logger | None = None,
        log_fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.log = Log(logger, queue=name, **(log_fields or {}))
        self.telemetry = telemetry
        self.name = name
        self.prefix = prefix
        self.keys = Keys(name, prefix)
        self.limits = limits or Limits()
        named = None if client_suffix is None else self.keys.client_name(client_suffix)
        self.client = client or Client(
            check_options(connection),
            self.keys,
            client_name=named,
            blocking=blocks,
            log=self.log,
            turned=None if monitor is None else monitor.connection_turned,
        )
        self.wire = Wire(self.client, self.keys)
        self.closing = False
        #: A worker's terms; outside of one there are none.
        self.terms = Terms()
        self.strategy: Strategy | None = None
        self.repeat_strategy: RepeatStrategy | None = None
        self.repeat_key_hash_algorithm = "md5"
        #: What becomes of finished jobs that say nothing themselves, by state.
        self.keep: dict[str, Mapping[str, Any] | None] = {}

    async def __aenter__(self) -> Self:
        await self.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ready(self) -> None:
        """Return when Redis has answered. Raises what it answered with, if that is an error."""
        await self.client.command("PING")

    @traced("rateLimit", lambda duration: {"bullmq.queue.rate.limit": duration})
    async def rate_limit(self, duration: float) -> None:
        """Let no worker that has a limit take jobs for `duration` ms; a processor then raises RateLimitError."""
        await self.client.command("SET", self.keys.limiter, _LIMITED, "PX", number(duration))

    async def close(self) -> None:
        """Close the connection once replies under way have come. Always returns."""
        self.closing = True
        await self.client.close()

    async def disconnect(self) -> None:
        """Close the connection without waiting for replies under way. Always returns."""
        self.closing = True
        await self.client.close(now=True)
