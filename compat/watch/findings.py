"""A finding: what the watch saw that must not be, where, and why it matters."""

from __future__ import annotations

from msgspec import Struct


class Finding(Struct, frozen=True):
    """`subject` is what it is about (a job's id, a field, a key): with `law` it tells a finding from another one."""

    law: str
    subject: str
    words: str
    why: str
    at_ms: int = 0  # this machine's clock, when it was told
