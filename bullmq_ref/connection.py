"""One connection that many callers share: commands go out in the order they are given, replies come back in order."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Literal

from redis import exceptions as redis_errors

from bullmq_ref.errors import CommandFailed, ConnectionClosed, ConnectionLost, OutcomeUnknown
from bullmq_ref.log import Log

_CHUNK = 4  # commands written at once: enough to share a write, few enough that Redis and we work at the same time
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0  # s between attempts to connect
_FAREWELL = 2.0  # s that replies under way are waited for when closing

#: What befalls a connection: `reconnecting` is an attempt after it was lost or could not be made, `closed` is meant.
Turn = Literal["connected", "lost", "reconnecting", "closed"]

_numbers = itertools.count(1)

#: Makes a redis-py connection, already connected: it does the addresses, AUTH, TLS and CLIENT SETNAME.
Connect = Callable[[], Awaitable[Any]]


def pauses() -> Iterator[float]:
    """Seconds to wait between attempts to connect: 100 ms doubling to 30 s, each 20 % more or less."""
    pause = _FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.8, 1.2)
        pause = min(pause * 2, _LONGEST_PAUSE)


class Channel:
    """A connection that comes back by itself. Commands given while it is away wait; those whose reply was lost raise
    `OutcomeUnknown` and are never sent again.

    `max_attempts` bounds the attempts to connect in a row (None: no bound); past it, waiting commands raise
    `ConnectionLost`, and the next command starts anew. A refused login fails them at once. `turned` is called with the
    connection's number and each of its turns.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        name: str = "redis",
        max_attempts: int | None = None,
        log: Log | None = None,
        turned: Callable[[int, Turn], None] | None = None,
    ) -> None:
        self._connect = connect
        self._name = name
        self._log = log or Log(None)
        self._turned = turned
        self._number = next(_numbers)
        self._away = False
        self._max_attempts = max_attempts
        self._loop = asyncio.get_running_loop()
        self._connection: Any = None
        self._task: asyncio.Task[None] | None = None
        self._unsent: list[tuple[bytes, asyncio.Future[Any]]] = []
        self._in_flight: deque[asyncio.Future[Any]] = deque()
        self._flush_due = False
        self._closed = False
        self.attempts = 0  # attempts to connect since the last success
        self.generation = 0  # how often it has connected: what a server forgets with a connection hangs on it

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def open(self) -> None:
        """Start to connect, if it does not yet; a command does this too."""
        if self._task is None and not self._closed:
            self._task = self._loop.create_task(self._live(), name=f"connection {self._name}")

    def send(self, packed: bytes) -> asyncio.Future[Any]:
        """Give a packed command; the future resolves to its reply, or raises redis-py's error for an error reply."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._closed:
            future.set_exception(ConnectionClosed(f"The connection to {self._name} was closed."))
            return future
        self._unsent.append((packed, future))
        if self._connection is None:
            self.open()
        elif len(self._unsent) >= _CHUNK:
            self._flush()
        elif not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)
        return future

    async def close(self, *, now: bool = False) -> None:
        """Close for good. Replies under way are waited for (2 s at most) unless `now`. Always returns."""
        if self._closed:
            return
        if self._connection is not None and not now:
            self._flush()
            if self._in_flight:
                await asyncio.wait(tuple(self._in_flight), timeout=_FAREWELL)
        self._closed = True
        self._turn("closed")
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._fail(ConnectionClosed(f"The connection to {self._name} was closed."))

    async def drop(self) -> None:
        """Break the connection, whatever is under way (a blocking command, say); the next command connects again."""
        task, self._task, self._connection = self._task, None, None
        self._fail(ConnectionClosed(f"The connection to {self._name} was dropped."))
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # --- the connection's life ---------------------------------------------------------------------------------------

    async def _live(self) -> None:
        """Connect, receive until the connection is lost, connect again while commands wait."""
        try:
            while (connection := await self._establish()) is not None:
                try:
                    await self._receive(connection)
                finally:
                    if self._connection is connection:
                        self._connection = None
                    with contextlib.suppress(redis_errors.RedisError, OSError):
                        await connection.disconnect()
                if not self._unsent:
                    break  # nobody waits: the next command connects
        except Exception as error:
            self._log.exception("the connection to %s broke in an unexpected way", self._name)
            self._fail(OutcomeUnknown(f"The connection to {self._name} broke in an unexpected way: {error!r}"))
        finally:
            if asyncio.current_task() is self._task:
                self._task = None

    async def _establish(self) -> Any:
        """Connect, however long it takes, and send what has been waiting. None when it was given up."""
        for pause in pauses():
            if self._away:
                self._turn("reconnecting")
            try:
                connection = await self._connect()
            except (redis_errors.AuthenticationError, redis_errors.ResponseError) as error:
                self._fail(CommandFailed(f"{self._name} refused the connection: {error}"))
                return None
            except (redis_errors.RedisError, ConnectionLost, OSError) as error:
                self.attempts += 1
                self._turn("lost")
                self._log.warning("cannot connect to %s (attempt %d): %s", self._name, self.attempts, error)
                if self._max_attempts is not None and self.attempts >= self._max_attempts:
                    attempts, self.attempts = self.attempts, 0
                    self._fail(ConnectionLost(f"Gave up connecting to {self._name} after {attempts} attempts: {error}"))
                    return None
                await asyncio.sleep(pause)
            else:
                self._connection = connection
                self.attempts = 0
                self.generation += 1
                self._turn("connected")
                self._flush()
                return connection
        return None

    def _flush(self) -> None:
        self._flush_due = False
        if self._connection is None or not self._unsent:
            return
        unsent, self._unsent = self._unsent, []
        self._in_flight.extend(future for _, future in unsent)
        # redis-py's own send would wait for each command by itself; the writer takes them together and in order
        self._connection._writer.write(b"".join([packed for packed, _ in unsent]))

    async def _receive(self, connection: Any) -> None:
        """Resolve futures in order until the connection is lost."""
        in_flight = self._in_flight
        try:
            while True:
                try:
                    reply = await connection.read_response(disconnect_on_error=False)
                except (redis_errors.ResponseError, redis_errors.BusyLoadingError) as error:
                    future = in_flight.popleft()
                    if not future.done():
                        future.set_exception(error)
                else:
                    future = in_flight.popleft()
                    if not future.done():
                        future.set_result(reply)
        except (redis_errors.RedisError, OSError, IndexError) as error:
            self._turn("lost")
            self._log.warning("lost the connection to %s: %s", self._name, error)
            self._in_flight = deque()
            self._connection = None
            lost = f"The connection to {self._name} broke before the reply: the command may have been carried out."
            _reject(in_flight, OutcomeUnknown(lost))

    def _turn(self, turn: Turn) -> None:
        self._away = turn in ("lost", "reconnecting")
        if self._turned is not None:
            self._turned(self._number, turn)

    def _fail(self, error: ConnectionLost | CommandFailed) -> None:
        unsent, self._unsent = self._unsent, []
        in_flight, self._in_flight = self._in_flight, deque()
        _reject((*in_flight, *(future for _, future in unsent)), error)


def _reject(futures: Iterable[asyncio.Future[Any]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
