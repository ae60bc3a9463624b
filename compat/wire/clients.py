"""Names of connections: what `getWorkers()` and dashboards find workers and readers of events by, in CLIENT LIST."""

from __future__ import annotations

from base64 import b64encode


def client_name(prefix: str, queue: str, suffix: str = "") -> str:
    """`<prefix>:<base64 of the queue's name><suffix>`."""
    return f"{prefix}:{b64encode(queue.encode('utf-8', 'surrogatepass')).decode()}{suffix}"


def worker_client(prefix: str, queue: str, name: str | None = None) -> str:
    """The name of a worker's blocking connection; `name` is the worker's own."""
    return client_name(prefix, queue, f":w:{name}" if name else "")


def events_client(prefix: str, queue: str) -> str:
    """The name of a connection that reads a queue's events."""
    return client_name(prefix, queue, ":qe")
