"""A client of one Redis, single or Cluster: commands and scripts go to the node that owns the queue's slot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from redis import exceptions as redis_errors
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection, parse_url

from bullmq_ref import lua
from bullmq_ref.connection import Channel, Turn
from bullmq_ref.errors import BullMQError, ConnectionLost, CrossSlot, Invalid, from_reply
from bullmq_ref.jsjson import utf8
from bullmq_ref.keys import Keys, slot
from bullmq_ref.log import Log

_hiredis_pack: Callable[[tuple[Any, ...]], bytes] | None
try:
    from hiredis import pack_command

    _hiredis_pack = pack_command
except ImportError:  # the pure-Python way is slower, not different
    _hiredis_pack = None

Argument = str | bytes | int
Address = tuple[str, int]

_REDIRECTIONS = 16  # as ioredis
_CLUSTER_PAUSE = 0.1  # s before a command is sent again after CLUSTERDOWN or TRYAGAIN, which have done nothing


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """How to reach Redis. In Cluster `nodes` are addresses to start from. `connect_timeout` is in ms.

    `max_reconnect_attempts` bounds attempts in a row; None: none. `extra` goes to redis-py's connection as it is.
    """

    nodes: tuple[Address, ...] = (("127.0.0.1", 6379),)
    cluster: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0
    tls: bool = False
    connect_timeout: int = 10_000
    max_reconnect_attempts: int | None = None
    path: str | None = None
    extra: Mapping[str, Any] | None = field(default=None, repr=False)  # it may hold secrets too

    @classmethod
    def of(cls, value: RedisOptions | str | Mapping[str, Any] | None) -> RedisOptions:
        """From a URL (`redis://`, `rediss://`, `unix://`), a mapping (`host`, `port`, and these names), or None."""
        if value is None:
            return cls()
        if isinstance(value, RedisOptions):
            return value
        if isinstance(value, str):
            parsed: dict[str, Any] = dict(parse_url(value))
            kind = parsed.pop("connection_class", Connection)
            return cls.of({**parsed, "tls": kind is SSLConnection})
        known = dict(value)
        host, port = known.pop("host", None), known.pop("port", None)
        if host is not None or port is not None:
            known["nodes"] = ((host or "127.0.0.1", int(port or 6379)),)
        known["nodes"] = tuple((str(h), int(p)) for h, p in known.get("nodes", cls.nodes_default()))
        extra = {name: known.pop(name) for name in tuple(known) if name not in cls.__dataclass_fields__}
        return cls(**known, extra={**(known.pop("extra", None) or {}), **extra} or None)

    @staticmethod
    def nodes_default() -> tuple[Address, ...]:
        return (("127.0.0.1", 6379),)

    async def connect(self, address: Address, client_name: str | None) -> Any:
        """A redis-py connection to `address`, logged in and named. Raises redis-py's errors."""
        arguments: dict[str, Any] = {
            "username": self.username,
            "password": self.password,
            "db": self.db,
            "socket_timeout": None,
            "socket_connect_timeout": self.connect_timeout / 1000,
            "decode_responses": True,
            "encoding_errors": "replace",  # as Node reads text that is not UTF-8
            "protocol": 2,
            "client_name": None,
            "driver_info": None,
            **(self.extra or {}),
        }
        if self.path is not None:
            connection: Any = UnixDomainSocketConnection(path=self.path, **arguments)
        else:
            kind = SSLConnection if self.tls else Connection
            connection = kind(host=address[0], port=address[1], **arguments)
        try:
            await connection.connect()
            if client_name is not None:
                await connection.send_command("CLIENT", "SETNAME", client_name)
                with contextlib.suppress(redis_errors.ResponseError):  # a name with a space, or CLIENT is forbidden:
                    await connection.read_response()  # as in Node, it goes without
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection


def packed_command(arguments: Sequence[Argument]) -> bytes:
    """A command in RESP. Text is UTF-8, lone surrogates U+FFFD."""
    if _hiredis_pack is not None:
        try:
            return _hiredis_pack(tuple(arguments))
        except UnicodeEncodeError:
            pass
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        raw = argument if isinstance(argument, bytes) else utf8(str(argument))
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


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
        log: Log | None = None,
        turned: Callable[[int, Turn], None] | None = None,
    ) -> None:
        self.options = options
        self._keys = keys
        self._log, self._turned = log, turned
        self._client_name = client_name
        tied = keys.slot  # commands of one key are served without a tag, as in Node; scripts need one slot
        self._slot = slot(keys.meta) if tied is None else tied
        self._torn = options.cluster and tied is None
        self._home: Address | None = None  # the slot's owner, once known
        self._channel = self._open(None)
        self._visited: dict[Address, Channel] = {}  # other nodes that a redirection led to
        self._sent: set[tuple[Channel, int, str]] = set()  # scripts whose text a connection has carried already

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
        return self._channel.connected

    @property
    def reconnect_attempts(self) -> int:
        return self._channel.attempts

    def submit(self, *arguments: Argument) -> Coroutine[Any, Any, Any]:
        """One command on the queue's own keys, given at once; await the result for its reply.

        Raises CommandFailed, ConnectionLost, OutcomeUnknown.
        """
        packed = packed_command(arguments)
        return self._reply(packed, self._channel.send(packed))

    async def command(self, *arguments: Argument) -> Any:
        """`submit`, and wait for the reply."""
        return await self.submit(*arguments)

    async def script(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """One script. Its text travels with the first call of a connection, its SHA-1 with the others; NOSCRIPT sends
        the text again. Raises as `command`."""
        script = lua.load(name)
        self.check_slot()
        channel = self._channel
        known = (channel, channel.generation if channel.connected else channel.generation + 1, script.sha)
        if known in self._sent:
            packed = packed_command(["EVALSHA", script.sha, script.keys, *keys, *arguments])
        else:
            packed = packed_command(["EVAL", script.text, script.keys, *keys, *arguments])
            self._sent.add(known)
        try:
            return await channel.send(packed)
        except redis_errors.NoScriptError:
            packed = packed_command(["EVAL", script.text, script.keys, *keys, *arguments])
            return await self._reply(packed, channel.send(packed))
        except redis_errors.RedisError as error:
            text = ["EVAL", script.text, script.keys, *keys, *arguments]
            return await self._recover(packed_command(text), error)

    async def scripts(self, *calls: tuple[str, Sequence[str], Sequence[Argument]]) -> list[Any]:
        """Scripts (name, KEYS, ARGV) in one MULTI … EXEC: the replies, in order, with errors in their places. The text
        of each script travels once in every transaction: a SCRIPT FLUSH cannot tear it. Raises as `transaction`."""
        self.check_slot()
        commands: list[list[Argument]] = []
        told: set[str] = set()
        for name, keys, arguments in calls:
            script = lua.load(name)
            head: list[Argument] = ["EVALSHA", script.sha] if name in told else ["EVAL", script.text]
            commands.append([*head, script.keys, *keys, *arguments])
            told.add(name)
        return await self.transaction(*commands)

    async def transaction(self, *commands: Sequence[Argument]) -> list[Any]:
        """MULTI … EXEC: the replies, in order."""
        packed = b"".join([packed_command(["MULTI"]), *map(packed_command, commands)])
        channel = self._channel
        queued = [channel.send(packed), *(channel.send(b"") for _ in commands), channel.send(packed_command(["EXEC"]))]
        replies = await asyncio.gather(*queued, return_exceptions=True)
        if isinstance(replies[-1], redis_errors.RedisError):
            moved = next((r for r in replies if isinstance(r, redis_errors.MovedError)), None)
            if moved is not None:
                self._go(moved.host, moved.port)
                return await self.transaction(*commands)
            raise from_reply(replies[-1]) from None
        if isinstance(replies[-1], BaseException):
            raise replies[-1]
        answers: list[Any] = replies[-1]
        return answers

    def open(self) -> None:
        """Start to connect, so that CLIENT LIST shows the connection; a command does this too."""
        self._channel.open()

    async def drop(self) -> None:
        """Break the connection, so that a blocking command ends; the next command connects again."""
        await self._channel.drop()

    async def close(self, *, now: bool = False) -> None:
        """Close. Replies under way are waited for unless `now`. Always returns."""
        for channel in (self._channel, *self._visited.values()):
            await channel.close(now=now)

    def renamed(self, client_name: str) -> Client:
        """Another client of the same queue: a connection of its own, for commands that block."""
        return Client(self.options, self._keys, client_name=client_name, log=self._log, turned=self._turned)

    # --- Cluster -----------------------------------------------------------------------------------------------------

    def _open(self, address: Address | None) -> Channel:
        async def connect() -> Any:
            return await self.options.connect(address or await self._owner(), self._client_name)

        first = self.options.path or "{}:{}".format(*self.options.nodes[0])
        name = "{}:{}".format(*address) if address else first
        attempts = self.options.max_reconnect_attempts
        return Channel(connect, name=name, max_attempts=attempts, log=self._log, turned=self._turned)

    async def _owner(self) -> Address:
        """Where the queue's slot lives now: the one address given, or what any node of the Cluster says."""
        if not self.options.cluster:
            return self.options.nodes[0]
        candidates = dict.fromkeys([*([self._home] if self._home else []), *self.options.nodes])
        failures: list[str] = []
        for address in candidates:
            try:
                connection = await replace(self.options, db=0).connect(address, None)
            except (redis_errors.RedisError, OSError) as error:
                failures.append(f"{address[0]}:{address[1]}: {error}")
                continue
            try:
                await connection.send_command("CLUSTER", "SLOTS")
                ranges = await connection.read_response()
            except redis_errors.RedisError as error:
                failures.append(f"{address[0]}:{address[1]}: {error}")
                continue
            finally:
                await connection.disconnect()
            for first, last, master, *_ in ranges:
                if first <= self._slot <= last:
                    self._home = (master[0] or address[0], int(master[1]))
                    return self._home
            failures.append(f"{address[0]}:{address[1]}: nobody owns slot {self._slot}")
        raise ConnectionLost(f"No node of the Cluster told who owns slot {self._slot}: {'; '.join(failures)}")

    def _go(self, host: str, port: int) -> Channel:
        """The channel to a node that a redirection named. The node that left stays open until `close`."""
        address = (host, port)
        if address == self._home:
            return self._channel
        channel = self._visited.pop(address, None) or self._open(address)
        if self._home is not None:
            self._visited[self._home] = self._channel
        self._home, self._channel = address, channel
        return channel

    async def _recover(self, packed: bytes, error: redis_errors.RedisError) -> Any:
        """Follow MOVED and ASK and wait out CLUSTERDOWN and TRYAGAIN: each says that nothing was done."""
        for _ in range(_REDIRECTIONS):
            try:
                if isinstance(error, redis_errors.AskError):
                    aside = self._visited.setdefault((error.host, error.port), self._open((error.host, error.port)))
                    asking = aside.send(packed_command(["ASKING"]))
                    reply = aside.send(packed)
                    await asking
                    return await reply
                if isinstance(error, redis_errors.MovedError):
                    return await self._go(error.host, error.port).send(packed)
                if not isinstance(error, redis_errors.ClusterDownError | redis_errors.TryAgainError):
                    break
                await asyncio.sleep(_CLUSTER_PAUSE)
                return await self._channel.send(packed)
            except redis_errors.RedisError as next_error:
                error = next_error
        raise from_reply(error) from None

    async def _reply(self, packed: bytes, future: asyncio.Future[Any]) -> Any:
        try:
            return await future
        except redis_errors.RedisError as error:
            return await self._recover(packed, error)


def check_options(value: object) -> RedisOptions:
    """`RedisOptions.of`, with an error that says what was expected (and shows no password)."""
    try:
        return RedisOptions.of(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, BullMQError) as error:
        seen = f"a mapping with {', '.join(map(str, value))}" if isinstance(value, Mapping) else type(value).__name__
        raise Invalid(
            f"connection: expected a URL, RedisOptions or a mapping with host and port, got {seen}", field="connection"
        ) from error
