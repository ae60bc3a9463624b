"""Reach: where Redis is, how one gets in, and whether what answers there can be used."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from redis import exceptions as redis_errors
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection, parse_url

from bullmq_ref.errors import BullMQError, CommandFailed, Invalid

Address = tuple[str, int]

_OLDEST, _RECOMMENDED = "5.0.0", "6.2.0"  # as Node's RedisConnection


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """How to reach Redis. In Cluster `nodes` are addresses to start from.

    `connect_timeout`, in ms, is for all of it: the address, TLS, the login, the first answer. `reply_timeout`, in ms
    (None: none): a connection on which a reply stays out for longer, or half as long again, is broken off and made
    anew; commands that block are exempt. `max_reconnect_attempts` bounds attempts in a row; None: none.
    `skip_version_check` asks nothing about version and eviction policy. `extra` goes to redis-py's connection as it is.
    """

    nodes: tuple[Address, ...] = (("127.0.0.1", 6379),)
    cluster: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0
    tls: bool = False
    connect_timeout: int = 10_000
    reply_timeout: int | None = 30_000
    max_reconnect_attempts: int | None = None
    path: str | None = None
    skip_version_check: bool = False
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
        """Where Redis is looked for when nothing is said."""
        return (("127.0.0.1", 6379),)

    async def connect(self, address: Address, client_name: str | None) -> Reached:
        """Connect, log in, give the connection its name, and see whether it is ready: not while Redis loads its data.

        Raises redis-py's errors, TimeoutError, and CommandFailed for a server that is too old.
        """
        arguments: dict[str, Any] = {
            "username": self.username,
            "password": self.password,
            "db": self.db,
            "socket_timeout": None,
            "socket_connect_timeout": self.connect_timeout / 1000,
            "decode_responses": True,
            "encoding_errors": "replace",  # as Node reads text that is not UTF-8
            "protocol": 2,
            "driver_info": None,
            **(self.extra or {}),
        }
        if self.path is not None:
            connection: Any = UnixDomainSocketConnection(path=self.path, **arguments)
        else:
            kind = SSLConnection if self.tls else Connection
            connection = kind(host=address[0], port=address[1], **arguments)
        try:
            async with asyncio.timeout(self.connect_timeout / 1000):
                await connection.connect()
                return Reached(connection, await self._introduce(connection, client_name))
        except TimeoutError:
            await connection.disconnect(nowait=True)
            raise TimeoutError(f"no answer within {self.connect_timeout} ms") from None
        except BaseException:
            await connection.disconnect(nowait=True)
            raise

    async def _introduce(self, connection: Any, client_name: str | None) -> Server:
        """Name the connection and ask about the server. A user who may do neither is served nevertheless, as by Node's
        Redis client."""
        if client_name:
            await connection.send_command("CLIENT", "SETNAME", client_name)
        await connection.send_command("INFO")
        if client_name:
            await _answer(connection)
        server = Server.of(await _answer(connection) or "")
        if server.loading:
            raise redis_errors.BusyLoadingError("Redis is loading the dataset in memory")
        if not self.skip_version_check:
            server.check()
        return server


@dataclass(frozen=True, slots=True)
class Reached:
    """A redis-py connection that is ready, and what is at its other end."""

    connection: Any
    server: Server


@dataclass(frozen=True, slots=True)
class Server:
    """What INFO told. Empty where the user may not ask."""

    version: str = ""
    policy: str = "noeviction"
    loading: bool = False

    @classmethod
    def of(cls, info: str) -> Server:
        facts = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
        policy = facts.get("maxmemory_policy", "noeviction")
        return cls(facts.get("redis_version", ""), policy, facts.get("loading", "0") not in ("", "0"))

    def check(self) -> None:
        """Raise CommandFailed, with Node's text, for a Redis before 5.0."""
        if self.version and numbers(self.version) < numbers(_OLDEST):
            raise CommandFailed(
                f"Redis version needs to be greater or equal than {_OLDEST} Current: {self.version}",
            )

    def warnings(self) -> list[str]:
        """What will go well only for a while, in Node's words."""
        found = []
        if self.policy != "noeviction":
            found.append(f'IMPORTANT! Eviction policy is {self.policy}. It should be "noeviction"')
        if self.version and numbers(self.version) < numbers(_RECOMMENDED):
            found.append(
                f"It is highly recommended to use a minimum Redis version of {_RECOMMENDED} Current: {self.version}"
            )
        return found


def numbers(version: str) -> tuple[int, ...]:
    """`"7.0.15"` as numbers that compare."""
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


def check_options(value: object) -> RedisOptions:
    """`RedisOptions.of`, with an error that says what was expected (and shows no password)."""
    try:
        return RedisOptions.of(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, BullMQError):
        # the cause is not told: it may quote a piece of a URL, and so of a password
        seen = f"a mapping with {', '.join(map(str, value))}" if isinstance(value, Mapping) else type(value).__name__
        raise Invalid(
            f"connection: expected a URL, RedisOptions or a mapping with host and port, got {seen} (a URL begins with "
            "redis://, rediss:// or unix://, and what is special in its password is percent-encoded)",
            field="connection",
        ) from None


async def _answer(connection: Any) -> Any:
    """A reply, or None when the user may not have it. Raises BusyLoadingError as it is."""
    try:
        return await connection.read_response(disconnect_on_error=False)
    except redis_errors.ResponseError:
        return None
