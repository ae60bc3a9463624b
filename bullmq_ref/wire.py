"""A queue's client and keys together: what every script function is called on."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from bullmq_ref.client import Argument, Client
from bullmq_ref.keys import Keys


@dataclass(frozen=True, slots=True)
class Wire:
    client: Client
    keys: Keys

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Coroutine[Any, Any, Any]:
        """One script: its KEYS and ARGV in BullMQ's order; await it for the reply as Redis gave it."""
        return self.client.script(script, keys, arguments)


def flat(fields: Sequence[str]) -> dict[str, str]:
    """A hash from the flat list that Redis replies with."""
    one_by_one = iter(fields)
    return dict(zip(one_by_one, one_by_one, strict=True))
