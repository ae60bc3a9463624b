"""What comes back on a connection: bytes become replies, each for the one who has waited longest."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis
from redis import exceptions as redis_errors
from redis.asyncio.connection import DefaultParser

#: Errors that are answers to a command. Any other (a login that is no longer good, say) ends the connection.
_ANSWERS = (redis_errors.ResponseError, redis_errors.BusyLoadingError)

_LETTING_GO = 0.5  # s that a server has to close its end as well


class Replies(asyncio.Protocol):
    """Takes a connection over once redis-py has made it and logged in. `transport` is what to write to; the replies
    resolve the futures in `waiting`, in order, without a task or a coroutine for each. `refused` hears of the errors
    among them, `came` of each batch.

    `ended` resolves when the connection is no more, or is to be left: to the reason, or None when that was meant.
    """

    def __init__(
        self,
        connection: Any,
        waiting: deque[asyncio.Future[Any]],
        refused: Callable[[Exception], None],
        came: Callable[[], None],
    ) -> None:
        # redis-py has no public way to its transport: this is the one private name of it that the library uses
        self.transport = cast(asyncio.Transport, connection._writer.transport)
        self.ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._connection = connection
        self._waiting, self._refused, self._came = waiting, refused, came
        self._reader = hiredis.Reader(replyError=DefaultParser.parse_error, encoding="utf-8", errors="replace")
        self._gone = asyncio.Event()
        self._before = self.transport.get_protocol()  # redis-py's: it has to hear of the end to close
        self.transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Resolve all that is complete."""
        reader, waiting = self._reader, self._waiting
        reader.feed(data)
        try:
            while not self.ended.done() and (reply := reader.gets()) is not False:
                if isinstance(reply, Exception):
                    if not isinstance(reply, _ANSWERS):
                        raise reply
                    future = waiting.popleft()
                    if not future.done():
                        future.set_exception(reply)
                    self._refused(reply)
                else:
                    future = waiting.popleft()
                    if not future.done():
                        future.set_result(reply)
            self._came()
        except (redis_errors.RedisError, hiredis.HiredisError, IndexError) as error:
            self.end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self.end(exc or redis_errors.ConnectionError("Connection closed by server."))
        self._before.connection_lost(exc)

    def end(self, reason: Exception | None) -> None:
        """Take no more replies: the connection is lost, or (None) is to be left."""
        if not self.ended.done():
            self.ended.set_result(reason)

    async def hang_up(self) -> None:
        """Say goodbye, and close once the server has let go, or at once where it cannot be told or does not answer.

        Redis 6.2 may still give a marker to a blocked client that has gone, until it has seen so; Node waits as well.
        """
        if not self.transport.is_closing() and self.transport.can_write_eof():
            self.transport.write_eof()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LETTING_GO):
                    await self._gone.wait()
        self.transport.abort()
        with contextlib.suppress(redis_errors.RedisError, OSError):
            await self._connection.disconnect()
