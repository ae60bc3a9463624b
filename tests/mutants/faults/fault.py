"""A seeded fault: what a port does wrong, and how it is planted in the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """`story` says what the port does; `plant` makes the reference do it, in this process, before it serves.

    `bug` names where a real port did so: an issue of taskforcesh/bullmq, or a port and its version. `script` is the one
    whose text is changed; "" where the fault lies elsewhere.
    """

    name: str
    story: str
    plant: Callable[[], None]
    bug: str = ""
    script: str = ""
