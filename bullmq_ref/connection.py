"""One connection that many callers share: commands go out in the order they are given, replies come back in order."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal

from redis import exceptions as redis_errors

from bullmq_ref.errors import CommandFailed, ConnectionClosed, ConnectionLost, OutcomeUnknown
from bullmq_ref.log import Log
from bullmq_ref.replies import Replies

#: Commands that share a write: few enough that Redis and we work at the same time, and up to a quarter of what Redis
#: has to do already.
_LEAST_CHUNK, _SHARE = 4, 4
_HIGH_WATER, _LOW_WATER = 65536, 16384  # bytes unwritten: past the first nothing is added until the second
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0  # s between attempts to connect
_DEMOTED_PAUSE = 1.0  # s until the next look whether a server that was made a replica is a master again
_FAREWELL = 2.0  # s that replies under way are waited for when closing

#: What befalls a connection: `reconnecting` is an attempt after it was lost or could not be made, `closed` is meant.
Turn = Literal["connected", "lost", "reconnecting", "closed"]

_numbers = itertools.count(1)

#: Makes a redis-py connection, already connected: it does the addresses, AUTH, TLS and CLIENT SETNAME.
Connect = Callable[[], Awaitable[Any]]


def pause_after(attempts: int) -> float:
    """Seconds to wait after so many attempts to connect: 100 ms doubling to 30 s, each 20 % more or less."""
    return min(_FIRST_PAUSE * 2.0 ** min(attempts - 1, 20), _LONGEST_PAUSE) * random.uniform(0.8, 1.2)


class Channel:
    """A connection that comes back by itself. Commands given while it is away wait; those whose reply was lost raise
    `OutcomeUnknown` and are never sent again. A caller that was cancelled before its command was sent has sent none.

    `max_attempts` bounds the attempts to connect in a row (None: no bound); past it, waiting commands raise
    `ConnectionLost`, and the next command starts anew. A refused login fails them at once. After `patience` seconds
    without a reply that is due (None: for ever) the connection is taken for dead: a half-open one says nothing itself.
    `turned` is called with the connection's number and each of its turns.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        name: str = "redis",
        max_attempts: int | None = None,
        patience: float | None = None,
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
        self._replies: Replies | None = None  # there while it is connected
        self._task: asyncio.Task[None] | None = None
        #: A command of several parts holds several futures: its bytes stand with the first, none with the others.
        self._unsent: list[tuple[bytes, asyncio.Future[Any]]] = []
        self._in_flight: deque[asyncio.Future[Any]] = deque()
        self._chunk = _LEAST_CHUNK
        self._flush_due = False
        self._clogged = False  # Redis does not read as fast as we write
        self._demoted = False  # Redis is a replica now: this connection is left once its replies have come
        self._held = False  # either
        self._closed = False
        self._not_before = 0.0  # loop time of the next attempt to connect
        self._watch = Watch(self._loop, patience, self._in_flight, self._break)
        self.attempts = 0  # attempts to connect since the last success
        self.known: set[str] = set()  # scripts whose text this connection has carried

    @property
    def connected(self) -> bool:
        return self._replies is not None

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
        if self._replies is None:
            self.open()
        elif not self._in_flight or len(self._unsent) >= self._chunk:
            self._flush()
        elif not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)
        return future

    def send_together(self, packed: bytes, replies: int) -> list[asyncio.Future[Any]]:
        """Give several commands that no break of the connection may tear apart; a future for each of their replies."""
        first = self._loop.create_future()
        futures = [first, *(self._loop.create_future() for _ in range(replies - 1))]
        if self._closed:
            for future in futures:
                future.set_exception(ConnectionClosed(f"The connection to {self._name} was closed."))
            return futures
        self._unsent += zip([packed, *[b""] * (replies - 1)], futures, strict=True)
        if self._replies is None:
            self.open()
        else:
            self._flush()
        return futures

    async def close(self, *, now: bool = False) -> None:
        """Close for good. Replies under way are waited for (2 s at most) unless `now`. Always returns."""
        if self._closed:
            return
        if self._replies is not None and not now:
            self._flush()
            if pending := (*self._in_flight, *(future for _, future in self._unsent)):
                await asyncio.wait(pending, timeout=_FAREWELL)
        self._closed = True
        self._turn("closed")
        await self._end()
        self._fail(ConnectionClosed(f"The connection to {self._name} was closed."))

    async def drop(self) -> None:
        """Break the connection, whatever is under way (a blocking command, say); the next command connects again."""
        self._forget_connection()
        self._fail(ConnectionClosed(f"The connection to {self._name} was dropped."))
        await self._end()

    async def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # --- the connection's life ---------------------------------------------------------------------------------------

    async def _live(self) -> None:
        """Connect, receive until the connection is lost, connect again while commands wait."""
        try:
            while (replies := await self._establish()) is not None:
                try:
                    await self._follow(replies)
                finally:
                    if self._replies is replies:
                        self._forget_connection()
                    await replies.hang_up()
                if not self._unsent:
                    break  # nobody waits: the next command connects
        except Exception as error:
            self._log.exception("the connection to %s broke in an unexpected way", self._name)
            self._fail(OutcomeUnknown(f"The connection to {self._name} broke in an unexpected way: {error!r}"))
        finally:
            if asyncio.current_task() is self._task:
                self._task = None

    async def _establish(self) -> Replies | None:
        """Connect, however long it takes, and send what has been waiting. None when it was given up."""
        while True:
            if (pause := self._not_before - self._loop.time()) > 0:
                await asyncio.sleep(pause)
            if self._away:
                self._turn("reconnecting")
            try:
                connection = await self._connect()
            except (redis_errors.AuthenticationError, redis_errors.ResponseError, CommandFailed) as error:
                self._note_failure()
                self._fail(CommandFailed(f"{self._name} refused the connection: {error}"))
                return None
            except (redis_errors.RedisError, ConnectionLost, OSError) as error:
                self._note_failure()
                self._log.warning("cannot connect to %s (attempt %d): %s", self._name, self.attempts, error)
                if self._max_attempts is not None and self.attempts >= self._max_attempts:
                    attempts, self.attempts = self.attempts, 0
                    self._fail(ConnectionLost(f"Gave up connecting to {self._name} after {attempts} attempts: {error}"))
                    return None
            else:
                self._replies = replies = Replies(connection, self._in_flight, self._refused, self._came)
                self.attempts = 0
                self._turn("connected")
                self._watch.start()
                self._forget_cancelled()
                self._flush()
                return replies

    def _turn(self, turn: Turn) -> None:
        self._away = turn in ("lost", "reconnecting")
        if self._turned is not None:
            self._turned(self._number, turn)

    def _note_failure(self) -> None:
        self._turn("lost")
        self.attempts += 1
        self._not_before = self._loop.time() + pause_after(self.attempts)

    def _forget_connection(self) -> None:
        if self._replies is not None:
            self._replies.end(None)
        self._replies = None
        self._clogged = self._demoted = self._held = False
        self.known.clear()
        self._watch.stop()

    def _forget_cancelled(self) -> None:
        """Callers who have stopped waiting before their command was sent do not want it sent."""
        wanted, kept = True, []
        for packed, future in self._unsent:
            if packed:
                wanted = not future.cancelled()
            if wanted:
                kept.append((packed, future))
        self._unsent = kept

    def _flush(self) -> None:
        self._flush_due = False
        if self._replies is None or self._replies.ended.done() or self._held:
            return
        transport = self._replies.transport
        while unsent := self._unsent:
            if len(unsent) <= _LEAST_CHUNK:
                self._unsent = []
            else:
                at = _fill(unsent)
                unsent, self._unsent = unsent[:at], unsent[at:]
            self._in_flight.extend([future for _, future in unsent])
            self._chunk = max(_LEAST_CHUNK, len(self._in_flight) // _SHARE)
            transport.write(b"".join([packed for packed, _ in unsent]))
            if transport.get_write_buffer_size() > _HIGH_WATER:
                self._clogged = self._held = True
                return

    def _refused(self, error: Exception) -> None:
        """Redis has answered a command with an error."""
        if isinstance(error, redis_errors.ReadOnlyError):
            self._demoted = self._held = True
            self._not_before = self._loop.time() + _DEMOTED_PAUSE

    def _came(self) -> None:
        """Replies have come: what held the commands back may be over, or this connection may be left."""
        replies = self._replies
        if not self._held or replies is None:
            return
        if self._demoted:
            if not self._in_flight:
                replies.end(None)
        elif not self._in_flight or replies.transport.get_write_buffer_size() <= _LOW_WATER:
            self._clogged = self._held = False
            self._flush()

    def _break(self) -> None:
        """A reply that was due has not come: the connection is dead, whatever TCP believes."""
        self._log.warning("%s has not answered for too long: the connection is broken off", self._name)
        if self._replies is not None:
            self._replies.transport.abort()

    async def _follow(self, replies: Replies) -> None:
        """Return when the connection has ended; commands whose replies are lost with it are told."""
        error = await replies.ended
        if error is not None:
            self._turn("lost")
            self._log.warning("lost the connection to %s: %s", self._name, error)
            lost = f"The connection to {self._name} broke before the reply: the command may have been carried out."
            _reject(self._taken(), OutcomeUnknown(lost))

    def _taken(self) -> list[asyncio.Future[Any]]:
        """What is in flight, and is not any more."""
        taken = list(self._in_flight)
        self._in_flight.clear()
        return taken

    def _fail(self, error: ConnectionLost | CommandFailed) -> None:
        unsent, self._unsent = self._unsent, []
        _reject((*self._taken(), *(future for _, future in unsent)), error)


class Watch:
    """Sees to it that the first of `in_flight` does not stay the first for more than `patience` s, one and a half of
    it at most; calls `dead` if it does. A timer for each connection, none for a command."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        patience: float | None,
        in_flight: deque[asyncio.Future[Any]],
        dead: Callable[[], None],
    ) -> None:
        self._loop, self._patience, self._in_flight, self._dead = loop, patience, in_flight, dead
        self._timer: asyncio.TimerHandle | None = None
        self._first: asyncio.Future[Any] | None = None
        self._looks = 0

    def start(self) -> None:
        if self._patience is not None:
            self._timer = self._loop.call_later(self._patience / 2, self._look, self._patience / 2)

    def stop(self) -> None:
        self._first = None
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, pause: float) -> None:
        first = self._in_flight[0] if self._in_flight else None
        self._looks = self._looks + 1 if first is self._first and first is not None else 0
        self._first = first
        if self._looks >= 2:
            self._dead()
        else:
            self._timer = self._loop.call_later(pause, self._look, pause)


def _fill(unsent: list[tuple[bytes, asyncio.Future[Any]]]) -> int:
    """How many of the first commands are written at once: up to the high water, and what stays together stays."""
    size = 0
    for at, (packed, _) in enumerate(unsent):
        if packed and size > _HIGH_WATER:
            return at
        size += len(packed)
    return len(unsent)


def _reject(futures: Iterable[asyncio.Future[Any]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
