"""The names of a queue's keys, and the Cluster slot that each lives in."""

from __future__ import annotations

import binascii
from base64 import b64encode

from bullmq_ref.errors import Invalid
from bullmq_ref.jsjson import utf8

SLOTS = 16384


class Keys:
    """Every key of one queue: `keys.wait`, `keys.job("7")`, … `base` is `<prefix>:<queue>:`, with its last colon.

    Raises Invalid (`QueueNameMissing`, `QueueNameColon`) with Node's texts.
    """

    def __init__(self, name: str, prefix: str = "bull") -> None:
        if not name:
            raise Invalid("Queue name must be provided", symbol="QueueNameMissing", field="name")
        if ":" in name:
            raise Invalid("Queue name cannot contain :", symbol="QueueNameColon", field="name")
        self.name, self.prefix = name, prefix
        self.qualified = f"{prefix}:{name}"
        self.base = base = f"{self.qualified}:"
        self.active = f"{base}active"
        self.completed = f"{base}completed"
        self.delayed = f"{base}delayed"
        self.events = f"{base}events"
        self.failed = f"{base}failed"
        self.id = f"{base}id"
        self.limiter = f"{base}limiter"
        self.marker = f"{base}marker"
        self.meta = f"{base}meta"
        self.paused = f"{base}paused"
        self.pc = f"{base}pc"
        self.prioritized = f"{base}prioritized"
        self.repeat = f"{base}repeat"
        self.stalled = f"{base}stalled"
        self.stalled_check = f"{base}stalled-check"
        self.wait = f"{base}wait"
        self.waiting_children = f"{base}waiting-children"

    def job(self, job_id: str, part: str = "") -> str:
        """A job's hash, or its `lock`, `logs`, `dependencies`, `processed`, `failed`, `unsuccessful`."""
        return f"{self.base}{job_id}:{part}" if part else f"{self.base}{job_id}"

    def state(self, name: str) -> str:
        """The key of a state by its name in Redis (`wait`, `waiting-children`, …)."""
        return f"{self.base}{name}"

    def metrics(self, kind: str) -> str:
        """The metrics hash of `completed` or `failed`."""
        return f"{self.base}metrics:{kind}"

    def deduplication(self, deduplication_id: str) -> str:
        return f"{self.base}de:{deduplication_id}"

    def client_name(self, suffix: str = "") -> str:
        """What CLIENT LIST shows: Node's `getWorkers()` finds workers by it."""
        return f"{self.prefix}:{b64encode(utf8(self.name)).decode()}{suffix}"

    @property
    def slot(self) -> int | None:
        """The one Cluster slot of all the queue's keys, or None when they span slots (no hash tag)."""
        start = self.base.find("{")
        end = self.base.find("}", start + 1)
        return slot(self.base) if start >= 0 and end > start + 1 else None


def slot(key: str) -> int:
    """The Cluster slot of a key."""
    raw = utf8(key)
    start = raw.find(b"{")
    if start >= 0 and (end := raw.find(b"}", start + 1)) > start + 1:
        raw = raw[start + 1 : end]
    return binascii.crc_hqx(raw, 0) % SLOTS
