"""A client of one Redis, single or Cluster: commands and scripts go to the node that owns the queue's slot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from hiredis import pack_command
from redis import exceptions as redis_errors

from bullmq_ref import lua
from bullmq_ref.connection import Channel, Turn
from bullmq_ref.errors import CrossSlot, OutcomeUnknown, from_reply
from bullmq_ref.jsjson import utf8
from bullmq_ref.keys import Keys, slot
from bullmq_ref.log import Log
from bullmq_ref.reach import RedisOptions
from bullmq_ref.routes import REDIRECTIONS, Routes, is_ask

Argument = str | bytes | int

#: A script that was given to a channel, its KEYS and ARGV, and the future of its reply.
Given = tuple[lua.Script, Sequence[str], Sequence[Argument], Channel, asyncio.Future[Any]]

_REDIRECTIONS = 16  # as ioredis
_WATCHDOG = 1.0  # s that a blocking command may come late before its connection is dropped, as Node's worker


def packed_command(arguments: Sequence[Argument]) -> bytes:
    """A command in RESP. Text is UTF-8, lone surrogates U+FFFD."""
    try:
        packed: bytes = pack_command(tuple(arguments))  # type: ignore[arg-type]  # its stub says one argument
        return packed
    except UnicodeEncodeError:
        pass
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        raw = argument if isinstance(argument, bytes) else utf8(str(argument))
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


def _body(packed: bytes) -> bytes:
    """A packed command without how many arguments it has."""
    return packed[packed.index(b"\n") + 1 :]


_ASKING = packed_command(["ASKING"])


class Client:
    """The connection of one queue object. Commands are sent in the order in which they are given.

    In Cluster, scripts raise `CrossSlot` when the queue's keys span slots.
    """

    def __init__(
        self,
        options: RedisOptions,
        keys: Keys,
        *,
        client_name: str | None = None,
        blocking: bool = False,
        log: Log | None = None,
        turned: Callable[[int, Turn], None] | None = None,
    ) -> None:
        self.options = options
        self._keys = keys
        self._log, self._turned = log, turned
        self._heads: dict[tuple[str, tuple[str, ...], int], bytes] = {}  # of commands: by SHA-1, KEYS, number of ARGV
        tied = keys.slot  # commands of one key are served without a tag, as in Node; scripts need one slot
        self._torn = options.cluster and tied is None
        home = slot(keys.meta) if tied is None else tied
        self._routes = Routes(options, home, client_name, blocking=blocking, log=log, turned=turned)

    def check_slot(self) -> None:
        """Raise CrossSlot, saying what to do, when this is a Cluster and the queue's keys span slots."""
        if self._torn:
            keys = self._keys
            raise CrossSlot(
                f"CROSSSLOT The keys of queue {keys.name!r} span Cluster slots: expected a hash tag in the prefix or "
                f'the name, got {keys.base!r}. Use the prefix "{{{keys.prefix}}}" (one slot for all its queues), '
                f'or name the queue "{{{keys.name}}}".'
            )

    @property
    def connected(self) -> bool:
        return self._routes.home.connected

    @property
    def reconnect_attempts(self) -> int:
        return self._routes.home.attempts

    def submit(self, *arguments: Argument) -> Coroutine[Any, Any, Any]:
        """One command on the queue's own keys, given at once; await the result for its reply.

        Raises CommandFailed, ConnectionLost, OutcomeUnknown.
        """
        packed = packed_command(arguments)
        return self._reply(packed, self._routes.home.send(packed))

    async def command(self, *arguments: Argument) -> Any:
        """`submit`, and wait for the reply."""
        return await self.submit(*arguments)

    def script(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Coroutine[Any, Any, Any]:
        """One script, given at once; await the result for its reply. Its text travels with the first call of a
        connection, its SHA-1 with the others; NOSCRIPT sends the text again. Raises as `command`.

        `keys` that are a tuple are the same in every call, and packed once. KEYS and ARGV follow each other in a
        command, so KEYS that differ from call to call may stand before the `arguments`.
        """
        return self._script_reply(*self._give(name, keys, arguments))

    async def each(self, calls: Iterable[tuple[str, Sequence[str], Sequence[Argument]]]) -> list[Any]:
        """Scripts (name, KEYS, ARGV) given at once, each for itself: the replies, in order, with errors in their
        places."""
        given = [self._give(*call) for call in calls]
        replies: list[Any] = []
        try:
            for one in given:
                try:
                    replies.append(await self._script_reply(*one))
                except Exception as error:
                    replies.append(error)
        finally:
            for *_, future in given:
                future.cancel()  # nobody waits any more, if the caller was cancelled
        return replies

    def _give(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Given:
        script = lua.load(name)
        self.check_slot()
        channel = self._routes.home
        if script.sha in channel.known:
            packed = self._evalsha(script, keys, arguments)
        else:
            packed = packed_command(["EVAL", script.text, script.keys, *keys, *arguments])
            channel.known.add(script.sha)
        return script, keys, arguments, channel, channel.send(packed)

    def _evalsha(self, script: lua.Script, keys: Sequence[str], arguments: Sequence[Argument]) -> bytes:
        if not isinstance(keys, tuple):
            return packed_command(["EVALSHA", script.sha, script.keys, *keys, *arguments])
        call = (script.sha, keys, len(arguments))
        head = self._heads.get(call)
        if head is None:
            start = packed_command(["EVALSHA", script.sha, script.keys, *keys])
            head = self._heads[call] = b"*%d\r\n%b" % (3 + len(keys) + len(arguments), _body(start))
        return head + _body(packed_command(arguments))

    async def _script_reply(
        self,
        script: lua.Script,
        keys: Sequence[str],
        arguments: Sequence[Argument],
        channel: Channel,
        future: asyncio.Future[Any],
    ) -> Any:
        try:
            return await future
        except redis_errors.RedisError as error:
            packed = packed_command(["EVAL", script.text, script.keys, *keys, *arguments])
            if isinstance(error, redis_errors.NoScriptError):
                return await self._reply(packed, channel.send(packed))
            return await self._recover(packed, 1, error)

    async def scripts(self, *calls: tuple[str, Sequence[str], Sequence[Argument]]) -> list[Any]:
        """Scripts (name, KEYS, ARGV) in one MULTI … EXEC: the replies, in order, with errors in their places. The text
        of each script travels once in every transaction: a SCRIPT FLUSH cannot tear it. Raises as `command`."""
        self.check_slot()
        commands: list[list[Argument]] = []
        told: set[str] = set()
        for name, keys, arguments in calls:
            script = lua.load(name)
            head: list[Argument] = ["EVALSHA", script.sha] if name in told else ["EVAL", script.text]
            commands.append([*head, script.keys, *keys, *arguments])
            told.add(name)
        return await self._transaction(*commands)

    async def transaction(self, *commands: Sequence[Argument]) -> list[Any]:
        """MULTI … EXEC: the replies, in order. Raises as `command`, for a command within it, too."""
        replies = await self._transaction(*commands)
        for reply in replies:
            if isinstance(reply, redis_errors.RedisError):
                raise from_reply(reply)
        return replies

    async def _transaction(self, *commands: Sequence[Argument]) -> list[Any]:
        packed = b"".join(map(packed_command, (["MULTI"], *commands, ["EXEC"])))
        replies = len(commands) + 2
        reply = await self._outcome(self._routes.home.send_together(packed, replies))
        if isinstance(reply, redis_errors.RedisError):
            reply = await self._recover(packed, replies, reply)
        answers: list[Any] = reply
        return answers

    async def blocking(self, seconds: float, *arguments: Argument) -> Any:
        """A command that blocks for `seconds` at most, on a client made by `renamed`. When its reply is more than 1 s
        late the connection is dropped, for one that does not answer is no connection; and when the caller is cancelled,
        for what comes is for those who still wait. Raises as `command`."""
        try:
            async with asyncio.timeout(seconds + _WATCHDOG):
                return await self.submit(*arguments)
        except asyncio.CancelledError:
            if self.connected:
                await self.drop()
            raise
        except TimeoutError:
            if self.connected:
                await self.drop()
            raise OutcomeUnknown(f"{arguments[0]!r} was not answered within {seconds + _WATCHDOG:g} s") from None

    def open(self) -> None:
        """Start to connect, so that CLIENT LIST shows the connection; a command does this too."""
        self._routes.home.open()

    async def drop(self) -> None:
        """Break the connection, so that a blocking command ends; the next command connects again."""
        await self._routes.home.drop()

    async def close(self, *, now: bool = False) -> None:
        """Close. Replies under way are waited for (2 s at most) unless `now`. Always returns."""
        await self._routes.close(now=now)

    def renamed(self, client_name: str) -> Client:
        """Another client of the same queue: a connection of its own, for commands that block."""
        return Client(
            self.options, self._keys, client_name=client_name, blocking=True, log=self._log, turned=self._turned
        )

    # --- when nothing was done ---------------------------------------------------------------------------------------

    async def _reply(self, packed: bytes, future: asyncio.Future[Any]) -> Any:
        try:
            return await future
        except redis_errors.RedisError as error:
            return await self._recover(packed, 1, error)

    async def _recover(self, packed: bytes, replies: int, error: redis_errors.RedisError) -> Any:
        """Follow MOVED and ASK and wait out CLUSTERDOWN and TRYAGAIN, 16 of them at most; the last of the `replies`."""
        for _ in range(_REDIRECTIONS):
            channel = await self._routes.way(error)
            if is_ask(error):
                futures = channel.send_together(_ASKING + packed, replies + 1)
            else:
                futures = channel.send_together(packed, replies)
            reply = await self._outcome(futures)
            if not isinstance(reply, redis_errors.RedisError):
                return reply
            error = reply
        raise from_reply(error) from None

    @staticmethod
    async def _outcome(futures: Sequence[asyncio.Future[Any]]) -> Any:
        """The last reply; instead of it the redirection, returned, that kept any of them from being carried out."""
        replies = await asyncio.gather(*futures, return_exceptions=True)
        reply = next((each for each in replies if isinstance(each, REDIRECTIONS)), replies[-1])
        if isinstance(reply, BaseException) and not isinstance(reply, redis_errors.RedisError):
            raise reply
        return reply
