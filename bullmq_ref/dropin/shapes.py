"""Shapes: what PyPI's `bullmq` takes, made into what this library takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection

from bullmq_ref.options import Limits
from bullmq_ref.reach import RedisOptions

Listener = Callable[..., object]

#: Bounds that PyPI's package does not have either.
LIMITS = Limits.node()

#: What a redis-py client takes for itself; a connection of this library does it in its own way.
_CLIENTS_OWN = frozenset(
    {
        "connection_pool", "decode_responses", "encoding", "encoding_errors", "health_check_interval",
        "max_connections", "protocol", "retry", "retry_on_error", "retry_on_timeout", "single_connection_client",
        "auto_close_connection_pool", "client_name", "socket_timeout",
    }
)  # fmt: skip


def connection(given: Any) -> RedisOptions:
    """From a URL, a mapping of redis-py's arguments, or a redis-py client, whose address is used (not its pool)."""
    if isinstance(given, RedisCluster):
        found = given.get_nodes() or given.nodes_manager.startup_nodes.values()
        arguments = given.connection_kwargs
        return RedisOptions(
            nodes=tuple((str(node.host), int(node.port)) for node in found),
            cluster=True,
            username=arguments.get("username"),
            password=arguments.get("password"),
            tls=issubclass(arguments.get("connection_class", object), SSLConnection),
        )
    if isinstance(given, Redis):
        pool = given.connection_pool
        kind = pool.connection_class
        arguments = dict(pool.connection_kwargs)
        if issubclass(kind, UnixDomainSocketConnection):
            arguments.pop("host", None)
        return _of({**arguments, "ssl": issubclass(kind, SSLConnection)})
    if isinstance(given, Mapping):
        return _of(given)
    return RedisOptions.of(given or None)


def _of(given: Mapping[str, Any]) -> RedisOptions:
    known = {key: value for key, value in given.items() if key not in _CLIENTS_OWN and value is not None}
    if "ssl" in known:
        known["tls"] = bool(known.pop("ssl"))
    if "unix_socket_path" in known:
        known["path"] = known.pop("unix_socket_path")
    timeout = known.pop("socket_connect_timeout", None)
    if timeout is not None:
        known["connect_timeout"] = int(timeout * 1000)  # redis-py counts seconds
    return RedisOptions.of(known)


class Emitter:
    """Local events, as PyPI's package has them: `on` gives the listener back, `emit` takes anything."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}

    def on(self, event_name: str, function: Listener) -> Listener:
        """Call `function` with each such event from now on."""
        self._listeners.setdefault(event_name, []).append(function)
        return function

    def off(self, event_name: str, function: Listener) -> None:
        """Stop calling `function`. Raises ValueError when it was not called."""
        self._listeners.get(event_name, []).remove(function)

    def emit(self, event_name: str, *args: Any, **kwargs: Any) -> None:
        """Call the listeners of an event."""
        for listener in tuple(self._listeners.get(event_name, ())):
            listener(*args, **kwargs)
