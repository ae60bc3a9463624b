"""Redis becomes a `Capture`: every key under a prefix, read as one instant."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from compat.model.capture import Capture, Key, KeyType, StreamEntry

_DEADLINE = 5.0  # s for the keys to hold still
_READS: dict[str, Callable[[Pipeline, bytes], object]] = {
    "string": lambda pipe, name: pipe.get(name),
    "list": lambda pipe, name: pipe.lrange(name, 0, -1),
    "set": lambda pipe, name: pipe.smembers(name),
    "zset": lambda pipe, name: pipe.zrange(name, 0, -1, withscores=True),
    "hash": lambda pipe, name: pipe.hgetall(name),
    "stream": lambda pipe, name: pipe.xrange(name),
}


class NeverStill(Exception):
    """Keys came and went for as long as the deadline allowed."""


def text(raw: Any) -> str:
    """Bytes as text that keeps every byte."""
    return raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else str(raw)


def _bytes(raw: bytes | str) -> bytes:
    return raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogateescape")


def glob(prefix: str) -> str:
    """A SCAN pattern for all keys of `prefix`."""
    return "".join("\\" + c if c in "*?[]\\" else c for c in prefix) + ":*"


async def names(client: Redis, prefix: str) -> tuple[bytes, ...]:
    """All key names of `prefix` on one node, sorted."""
    found: set[bytes] = set()
    cursor = 0
    while True:
        cursor, batch = await client.scan(cursor, match=glob(prefix).encode("utf-8", "surrogateescape"), count=1000)
        found.update(map(_bytes, batch))
        if cursor == 0:
            return tuple(sorted(found))


def _key(kind: KeyType, value: Any, ttl: int) -> Key:
    ttl_ms = ttl if ttl >= 0 else None
    match kind:
        case "string":
            return Key(kind, text=text(value), ttl_ms=ttl_ms)
        case "list":
            return Key(kind, items=tuple(map(text, value)), ttl_ms=ttl_ms)
        case "set":
            return Key(kind, items=tuple(sorted(map(text, value))), ttl_ms=ttl_ms)
        case "zset":
            return Key(kind, scores=tuple((text(m), float(s)) for m, s in value), ttl_ms=ttl_ms)
        case "hash":
            return Key(kind, fields=dict(sorted((text(f), text(v)) for f, v in value.items())), ttl_ms=ttl_ms)
        case "stream":
            entries = tuple(
                StreamEntry(text(entry_id), tuple((text(f), text(v)) for f, v in fields.items()))
                for entry_id, fields in value
            )
            return Key(kind, entries=entries, ttl_ms=ttl_ms)


async def _read(client: Redis, prefix: str) -> dict[str, Key] | None:
    """All keys of one node as they stood at one instant, or None when they changed while being listed."""
    listed = await names(client, prefix)
    if not listed:
        return {}
    pipe = client.pipeline(transaction=False)
    for name in listed:
        pipe.type(name)
    kinds = [text(kind) for kind in await pipe.execute()]
    if any(kind not in _READS for kind in kinds):
        return None
    pipe = client.pipeline(transaction=True)
    for name, kind in zip(listed, kinds, strict=True):
        _READS[kind](pipe, name)
        pipe.pttl(name)
    answers = await pipe.execute(raise_on_error=False)
    if any(isinstance(answer, Exception) for answer in answers) or await names(client, prefix) != listed:
        return None
    pairs = zip(answers[::2], answers[1::2], strict=True)
    return {
        text(name): _key(kind, value, ttl)  # type: ignore[arg-type]
        for name, kind, (value, ttl) in zip(listed, kinds, pairs, strict=True)
        if ttl != -2  # expired between listing and reading
    }


async def client_names(clients: Iterable[Redis], prefix: str) -> tuple[str, ...]:
    """The names, sorted, of all connections to the nodes that are named after `prefix`."""
    rows = [row for client in clients for row in await client.client_list()]
    named = (str(row.get("name", "")) for row in rows)
    return tuple(sorted(name for name in named if name.startswith(f"{prefix}:")))


async def capture(
    clients: Iterable[Redis],
    prefix: str,
    *,
    label: str,
    step: int,
    workers_open: int,
    workers_idle: int,
    named: tuple[str, ...] = (),
) -> Capture:
    """Read every key of `prefix` on every node; `named` are the names of connections. Raises `NeverStill` when the keys
    do not hold still in time."""
    keys: dict[str, Key] = {}
    deadline = time.monotonic() + _DEADLINE
    for client in clients:
        while (found := await _read(client, prefix)) is None:
            if time.monotonic() > deadline:
                raise NeverStill(f"the keys of {prefix} did not hold still for {_DEADLINE:.0f} s")
            await asyncio.sleep(0.002)
        keys |= found
    return Capture(label, step, time.time() * 1000, prefix, keys, workers_open, workers_idle, named)
