"""A given server: it belongs to others, the harness is a guest and checks first whether it can be one."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple, TypeVar

from redis.asyncio import Redis
from redis.exceptions import ClusterDownError, RedisError

from compat.model.scenario import TopologyName
from compat.servers.binary import OLDEST, release
from compat.servers.errors import ServerError
from compat.servers.forming import cluster_info
from compat.servers.node import SLOTS, Node, masters, slot_of
from compat.servers.server import Access, Server, connect
from compat.servers.url import Location, parse

T = TypeVar("T")

ANSWER_SECONDS = 10.0
PROBE_MS = "60000"  # the probe's key goes by itself if it may not be deleted

#: What the harness and BullMQ need to be allowed, tried for real on one key of the harness's own.
SCRIPT: Final = """
local key, ttl = KEYS[1], ARGV[1]
redis.call('SET', key, '1', 'PX', ttl) redis.call('DEL', key)
redis.call('XADD', key, '*', 'f', 'v') redis.call('XTRIM', key, 'MAXLEN', '~', 10) redis.call('DEL', key)
redis.call('HSET', key, 'f', '1') redis.call('HINCRBY', key, 'f', 1) redis.call('DEL', key)
redis.call('ZADD', key, 1, 'm') redis.call('ZPOPMIN', key)
redis.call('RPUSH', key, 'e') redis.call('LPOS', key, 'e') redis.call('PEXPIRE', key, ttl)
"""
KEY: Final = "<key>"
COMMANDS: Final[tuple[tuple[str, ...], ...]] = (
    ("SCRIPT", "LOAD", SCRIPT),
    ("EVALSHA", hashlib.sha1(SCRIPT.encode()).hexdigest(), "1", KEY, PROBE_MS),
    ("TYPE", KEY),
    ("PTTL", KEY),
    ("LRANGE", KEY, "0", "-1"),
    ("SCAN", "0", "MATCH", KEY, "COUNT", "1"),
    ("UNLINK", KEY),
    ("BZPOPMIN", KEY, "0.01"),  # before Redis 7.0.8 0.001 meant for ever
    ("XREAD", "COUNT", "1", "STREAMS", KEY, "$"),
    ("CLIENT", "ID"),
    ("CLIENT", "LIST"),
    ("MULTI",),
    ("EXEC",),
)


class Hint(NamedTuple):
    """What an error means, by any of the signs in its text."""

    signs: tuple[str, ...]
    expected: str
    remedy: str


HINTS: Final = (
    Hint(
        ("NOAUTH", "uthentication required", "client already authenticated"),
        "a password",
        "write it into the URL: redis://:password@host",
    ),
    Hint(("WRONGPASS", "invalid username-password", "invalid password"), "the right password", "correct the URL"),
    Hint(("without any password configured",), "no password: none is set there", "leave it out of the URL"),
    Hint(("LOADING", "loading the dataset"), "a server that has loaded its data", "wait, and start again"),
    Hint(("SSL", "certificate", "TLS"), "TLS on both sides or on neither", "see whether it is redis:// or rediss://"),
    Hint(("NOPERM", "no permissions"), "a user who may PING and INFO", "give that user the rights, or another user"),
    Hint(
        ("CLUSTERDOWN", "cluster is down", "slot not served"),
        "a node that sees all slots served",
        "wait, if the Cluster has just formed; else mend it (redis-cli --cluster check)",
    ),
    Hint(
        ("DB index", "SELECT is not allowed"),
        "a database that exists",
        "correct the number at the URL's end; a Cluster has only 0",
    ),
)


@asynccontextmanager
async def given(url: str) -> AsyncIterator[Server]:
    """The server at `redis://`, `rediss://`, `redis+cluster://` or `rediss+cluster://[user:password@]host[:port][/db]`.

    Whether it is a Cluster is seen from its INFO. Raises `ServerError` if it cannot be used: unreachable, no or a wrong
    password, older than 6.2, a replica, a Cluster with slots that nobody serves, or commands that the user may not use.
    What is only risky stands in `Server.warnings`.
    """
    location = parse(url)
    async with await _checked(location) as server:
        yield server


async def _checked(location: Location) -> Server:
    first = Node(location.host, location.port)
    access = location.access
    info = await _info(first, access)
    version, name = _version(info)
    if info.get("cluster_enabled") == 1:
        if access.db:
            raise ServerError(
                f"database {access.db} of a Cluster", expected="database 0", remedy="leave /db out of the URL"
            )
        nodes = await _masters(first, access)
        warnings = [] if len(nodes) > 1 else ["the Cluster has a single master: no key can be on a wrong node"]
        title = f"{name} {version} at {first}, {len(nodes)} masters"
        infos = await asyncio.gather(*(_info(node, access) for node in nodes))
    elif location.cluster:
        raise ServerError(
            f"{first} is no Cluster", expected="cluster_enabled:1", remedy="write redis:// for a single server"
        )
    else:
        nodes, warnings, title, infos = (first,), [], f"{name} {version} at {first}", [info]
    for node, facts in zip(nodes, infos, strict=True):
        _usable(node, facts)
        warnings += _risks(node, facts)
    for node in nodes:
        await _permitted(node, access)
    topology: TopologyName = "cluster" if info.get("cluster_enabled") == 1 else "single"
    return Server(topology, nodes, title, version, own=False, access=access, warnings=tuple(warnings))


async def _info(node: Node, access: Access) -> dict[str, Any]:
    async def ask(client: Redis) -> dict[str, Any]:
        await client.ping()
        return dict(await client.info())

    return await _asked(node, access, ask)


async def _masters(first: Node, access: Access) -> tuple[Node, ...]:
    """The masters of the Cluster and their slots, as `first` sees them."""

    async def ask(client: Redis) -> tuple[dict[str, str], list[Any]]:
        return cluster_info(await _call(client, "CLUSTER", "INFO")), await _call(client, "CLUSTER", "SLOTS")

    info, ranges = await _asked(first, access, ask)
    if info.get("cluster_state") != "ok" or info.get("cluster_slots_ok") != str(SLOTS):
        raise ServerError(
            f"the Cluster at {first} is {info.get('cluster_state')}: {info.get('cluster_slots_ok')} slots are served",
            expected=f"state ok and {SLOTS} slots",
            remedy="mend it (redis-cli --cluster check)",
        )
    return masters(ranges, first.host)


def _version(info: dict[str, Any]) -> tuple[str, str]:
    """Version and name, as the server's own project counts: Valkey goes on telling clients `redis_version:7.2.4`."""
    name = str(info.get("server_name", "redis"))
    return str(info.get(f"{name}_version") or info.get("redis_version", "unknown")), name


def _usable(node: Node, info: dict[str, Any]) -> None:
    compatible = str(info.get("redis_version", "0"))
    if release(compatible) < OLDEST:
        raise ServerError(f"{node} is Redis {compatible}", expected="6.2 or later", remedy="give a newer server")
    if info.get("role") != "master":
        raise ServerError(
            f"{node} is a replica (role:{info.get('role')}): it takes no writes",
            expected="a master",
            remedy=f"give its master, {info.get('master_host', '?')}:{info.get('master_port', '?')}",
        )


def _risks(node: Node, info: dict[str, Any]) -> list[str]:
    policy = info.get("maxmemory_policy")
    if policy in (None, "noeviction"):
        return []
    return [f"{node} has maxmemory-policy {policy}: it may evict keys of a queue; BullMQ needs noeviction"]


async def _permitted(node: Node, access: Access) -> None:
    """Try every command in `COMMANDS` on one key of the harness's own, which is deleted again."""
    name = f"bullmq-compat:probe:{uuid.uuid4().hex}"
    key = next(k for i in range(SLOTS * 20) if node.owns(slot_of(k := f"{name}:{i}")))

    async def ask(client: Redis) -> list[str]:
        refused: list[str] = []
        connection = client.client()  # one connection: MULTI and EXEC belong together
        async with connection:
            for command in COMMANDS:
                try:
                    await _call(connection, *(key if word == KEY else word for word in command))
                except ClusterDownError:
                    raise  # nobody refuses anything
                except RedisError as error:
                    refused.append(
                        f"{' '.join(command[:2]) if command[0] in ('CLIENT', 'SCRIPT') else command[0]} ({error})"
                    )
        return refused

    refused = await _asked(node, access, ask)
    if refused:
        user = access.username or "default"
        raise ServerError(
            f"{node} refuses user {user} what the test needs: {'; '.join(refused)}",
            expected="scripts, keys of any name, and CLIENT LIST",
            remedy=f"ACL SETUSER {user} ~* &* +@all -@dangerous +client +info, or give another user",
        )


async def _asked(node: Node, access: Access, ask: Callable[[Redis], Awaitable[T]]) -> T:
    """What `ask` learns from a node, or the error that tells why it learnt nothing."""
    client = connect(node, access)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await ask(client)
    except (RedisError, OSError, TimeoutError, ssl.SSLError) as error:
        raise _refusal(node, access, error) from None
    finally:
        await client.aclose()


async def _call(client: Redis, *words: str) -> Any:
    return await client.execute_command(*words)  # type: ignore[no-untyped-call]


def _refusal(node: Node, access: Access, error: Exception) -> ServerError:
    """An error of a client in words, without the password."""
    said = str(error) or type(error).__name__
    if access.password:
        said = said.replace(access.password, "***")
    for hint in HINTS:
        if any(sign in said for sign in hint.signs):
            return ServerError(f"{node} says: {said}", expected=hint.expected, remedy=hint.remedy)
    if isinstance(error, TimeoutError):
        said = f"no answer in {ANSWER_SECONDS:g} s"
    return ServerError(
        f"{node} cannot be reached: {said}",
        expected="a Redis that answers",
        remedy="see whether it runs, and whether host, port and TLS in the URL are right",
    )
