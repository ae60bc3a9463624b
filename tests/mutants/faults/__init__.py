"""Seeded faults, by name."""

from __future__ import annotations

from . import historical, library, lua_adding, lua_managing, lua_working, talk, wire
from .fault import Fault, Place, put, uproot
from .talk import Talk
from .wire import Wire

_PLACES = (lua_adding, lua_working, lua_managing, library, historical, talk, wire)

FAULTS: dict[str, Fault | Talk | Wire] = {fault.name: fault for place in _PLACES for fault in place.FAULTS}

__all__ = ["FAULTS", "Fault", "Place", "Talk", "Wire", "put", "uproot"]
