"""A canonical history: named places with comparable values, the same for two histories that mean the same."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

RUN = "run"  # the scope of what is not in a capture: calls, attempts, notices

ANY = "<any>"  # a value of the right form that chance decides


class Place(Struct, frozen=True):
    """One thing to compare. `scope` is a capture's label or `run`; `what` is stable across runs (`job.failedReason`);
    `queue` and `subject` (a job's canonical id, an object's name, a step) tell places of one class apart."""

    scope: str
    what: str
    queue: str = ""
    subject: str = ""


class Canonical(Struct, frozen=True):
    """`values`: place → canonical value, in the order in which things happened.

    `titles`: (queue, canonical job id) → what people call that job (`job j`). `rules`: place → the rule that made it.
    """

    values: dict[Place, Any]
    titles: dict[tuple[str, str], str]
    rules: dict[Place, str]
