"""Faults in the text of BullMQ's scripts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial

from bullmq_ref import lua

from .fault import Fault, put


def mutate(script: str, old: str, new: str) -> None:
    """Have the library load `script` with `new` wherever `old` stood. A place that is not there ends the driver."""
    sound = lua.load

    def load(asked: str) -> lua.Script:
        found = sound(asked)
        if found.name != script:
            return found
        text = found.text.decode()
        if old not in text:
            raise SystemExit(f"{old!r} does not stand in {script}")
        faulty = text.replace(old, new).encode()
        return replace(found, text=faulty, sha=hashlib.sha1(faulty, usedforsecurity=False).hexdigest())

    put(lua, "load", load)
    load(script)


def fault(name: str, script: str, old: str, new: str, story: str, bug: str = "") -> Fault:
    return Fault(name, story, partial(mutate, script, old, new), bug, script)
