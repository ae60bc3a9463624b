"""A capture: every key under a cell's prefix, as it stood at one instant."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

KeyType = Literal["string", "list", "set", "zset", "hash", "stream"]


class StreamEntry(Struct, frozen=True, array_like=True):
    id: str
    fields: tuple[tuple[str, str], ...]  # in the order written


class Key(Struct, frozen=True):
    """One key. Text is UTF-8 decoded with `surrogateescape`, so every byte survives.

    Exactly the field of the key's type is filled: `text` (string), `items` (list head to tail; set sorted),
    `scores` (sorted set, by score), `fields` (hash, sorted by field), `entries` (stream).
    """

    type: KeyType
    text: str = ""
    items: tuple[str, ...] = ()
    scores: tuple[tuple[str, float], ...] = ()
    fields: dict[str, str] = {}
    entries: tuple[StreamEntry, ...] = ()
    ttl_ms: int | None = None  # None: no expiry


class Capture(Struct, frozen=True):
    """All keys under `prefix` at `at_ms` (the harness's clock), read in one MULTI/EXEC.

    `workers_open` counts workers open at the time; `idle` of them were seen blocked on their marker with no slot held.
    `races` of a queue (`marker`'s base member, `pc`, `stalled`) are exact only when every open worker is idle.
    """

    label: str
    step: int
    at_ms: float
    prefix: str
    keys: dict[str, Key]
    workers_open: int = 0
    workers_idle: int = 0
    clients: tuple[str, ...] = ()  # names, sorted, of connections that are named after the prefix (CLIENT LIST)

    @property
    def exact(self) -> bool:
        return self.workers_open == self.workers_idle
