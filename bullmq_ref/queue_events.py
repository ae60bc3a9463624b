"""A reader of a queue's event stream: what Node's `QueueEvents` tells its listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bullmq_ref.base import Connection, QueueBase
from bullmq_ref.errors import BullMQError, ConnectionClosed, ConnectionLost
from bullmq_ref.jsjson import loads
from bullmq_ref.wire import flat

_PAUSE = 5.0  # s after an error, as Node


class QueueEvents(QueueBase):
    """Reads the stream from `last_event_id` (None: what comes from now on) and emits each entry as `event(args, id)`
    and as `event:<jobId>(args, id)`; `drained` gets the id alone. `blocking_timeout` in ms.

    Progress and return values are read as JSON; an entry that cannot be read is told of as an `error` and skipped.
    """

    def __init__(
        self,
        name: str,
        opts: Mapping[str, Any] | None = None,
        *,
        connection: Connection = None,
        prefix: str | None = None,
        last_event_id: str | None = None,
        blocking_timeout: int | None = None,
        autorun: bool | None = None,
    ) -> None:
        opts = opts or {}
        prefix = prefix if prefix is not None else opts.get("prefix", "bull")
        connection = connection if connection is not None else opts.get("connection")
        super().__init__(name, connection=connection, prefix=prefix, client_suffix=":qe", blocks=True)
        self._last = last_event_id or opts.get("lastEventId") or "$"
        self._block = blocking_timeout or opts.get("blockingTimeout") or 10_000
        self._placed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        if opts.get("autorun", True) if autorun is None else autorun:
            self.run()

    def run(self) -> None:
        """Start to read. Raises BullMQError when it reads already."""
        if self._task is not None:
            raise BullMQError("Queue Events is already running.")
        self._task = asyncio.create_task(self._read(), name=f"events of {self.keys.qualified}")

    async def ready(self) -> None:
        """Return when Redis has answered; while reading, when no later event can be missed. Raises what Redis answered
        with, if that is an error."""
        await (super().ready() if self._task is None else asyncio.shield(self._placed))

    async def close(self) -> None:
        """Stop reading and close the connection. Always returns."""
        self.closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._fail(ConnectionClosed(f"The reader of {self.keys.events} was closed."))
        await self.client.close(now=True)

    async def disconnect(self) -> None:
        """`close`, which waits for nothing either."""
        await self.close()

    async def _read(self) -> None:
        while not self.closing:
            try:
                await self._take_place()
                reply = await self.client.blocking(
                    self._block / 1000, "XREAD", "BLOCK", self._block, "STREAMS", self.keys.events, self._last
                )
            except BullMQError as error:
                if not isinstance(error, ConnectionLost):
                    self._fail(error)
                    self.emit("error", error)
                    await asyncio.sleep(_PAUSE)
                continue
            for entry, fields in reply[0][1] if reply else ():
                self._last = entry
                self._tell(entry, fields)

    async def _take_place(self) -> None:
        """Know where to read from. `$`, told to XREAD, would mean anew what comes after each call."""
        if self._placed.done() and self._placed.exception() is None:
            return
        found = await self.client.command("XREVRANGE", self.keys.events, "+", "-", "COUNT", 1)
        if self._last == "$":
            self._last = str(found[0][0]) if found else "0-0"
        if self._placed.done():
            self._placed = asyncio.get_running_loop().create_future()
        self._placed.set_result(None)

    def _fail(self, error: BullMQError) -> None:
        """Tell whoever waits for this reader to be ready."""
        if not self._placed.done():
            self._placed.set_exception(error)
            self._placed.exception()  # nobody may be waiting

    def _tell(self, entry: str, fields: Sequence[str]) -> None:
        args: dict[str, Any] = flat(fields)
        event = args.pop("event", "")
        try:
            if event == "progress":
                args["data"] = loads(args.get("data", ""))
            elif event == "completed":
                args["returnvalue"] = loads(args.get("returnvalue", ""))
        except ValueError as error:
            self.emit("error", BullMQError(f"event {entry} ({event}) of {self.keys.events} cannot be read: {error}"))
            return
        if event == "drained":
            self.emit(event, entry)
            return
        self.emit(event, args, entry)
        if args.get("jobId"):
            self.emit(f"{event}:{args['jobId']}", args, entry)
