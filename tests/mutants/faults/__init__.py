"""Seeded faults, by name."""

from __future__ import annotations

from . import library, lua, talk, wire
from .fault import Fault
from .talk import Talk
from .wire import Wire

FAULTS: dict[str, Fault | Talk | Wire] = {fault.name: fault for fault in (*lua.FAULTS, *library.FAULTS, *talk.FAULTS, *wire.FAULTS)}

__all__ = ["FAULTS", "Fault", "Talk", "Wire"]
