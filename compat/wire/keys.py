"""The key grammar: which queue, and which part of it or of a job, a key's name stands for."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

#: Keys that a queue has one of.
QUEUE_KEYS: Final = frozenset(
    {"wait", "paused", "active", "prioritized", "delayed", "waiting-children", "completed", "failed"}
    | {"id", "pc", "meta", "marker", "events", "stalled", "stalled-check", "limiter", "repeat"}
)
#: Keys that a job has one of, besides its hash.
JOB_KEYS: Final = frozenset({"lock", "logs", "dependencies", "processed", "failed", "unsuccessful"})
METRICS: Final = frozenset(
    {"metrics:completed", "metrics:failed", "metrics:completed:data", "metrics:failed:data"},
)
_ITERATION = re.compile(r"repeat:(.*):(\d{13})")
_ID_PIECES = (1, 3)  # Node refuses other custom ids with colons


class Address(Struct, frozen=True):
    """What a key is. `suffix` is a queue's part (`wait`, `de`, `repeat`, `metrics:failed`, …) or `job`.

    For `job`, `id` is the job's and `part` the sub-key, "" for its hash; for `de` and `repeat`, `id` is what follows.
    """

    queue: str
    suffix: str
    id: str = ""
    part: str = ""

    @property
    def job(self) -> str | None:
        return self.id if self.suffix == "job" else None


def parse(prefix: str, key: str) -> Address | None:
    """The address of `key` under `prefix`; None when it is not one of BullMQ's.

    A queue's keys and its job ids share one namespace: what is no known suffix is a job's id, if it could be one.
    """
    if not key.startswith(f"{prefix}:"):
        return None
    queue, colon, rest = key[len(prefix) + 1 :].partition(":")
    if not queue or not colon or not rest:
        return None
    if rest in QUEUE_KEYS or rest in METRICS:
        return Address(queue, rest)
    head, _, tail = rest.partition(":")
    if head == "de" and tail:
        return Address(queue, "de", tail)
    stem, _, last = rest.rpartition(":")
    job, part = (stem, last) if stem and last in JOB_KEYS and _job_id(stem) else (rest, "")
    if _job_id(job):
        return Address(queue, "job", job, part)
    if head == "repeat" and tail:
        return Address(queue, "repeat", tail)
    return None


def iteration(job: str) -> tuple[str, int] | None:
    """The scheduler's id (or a repeatable job's key) and the slot in ms, where `job` is an id that was made of them."""
    found = _ITERATION.fullmatch(job)
    return None if found is None else (found[1], int(found[2]))


def _job_id(text: str) -> bool:
    if _ITERATION.fullmatch(text):
        return True
    pieces = text.split(":")
    return len(pieces) in _ID_PIECES and pieces[0] not in ("repeat", "metrics") and all(pieces)


def _crc16(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc


def slot(key: str) -> int:
    """The Cluster slot of a key: CRC16 of its hash tag, or of all of it where there is none."""
    start = key.find("{")
    if start >= 0:
        end = key.find("}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return _crc16(key.encode("utf-8", "surrogateescape")) % 16384
