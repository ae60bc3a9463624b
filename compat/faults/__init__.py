"""Faults: what goes wrong with Redis, connections and drivers when a test says so; always undone."""

from compat.faults.catalogue import ATOMIC, CATALOGUE, NOT_IN_CONTAINERS, SLOW, About, Need
from compat.faults.cluster import FailedOver, MasterLost, SlotFault, SlotMoved, SlotTorn, SlotUnserved
from compat.faults.connections import ConnectionReset, HalfOpen, InWait, ReplyLost, ScriptsFlushedWithin
from compat.faults.drivers import ClockStepped, DriverFrozen, DriverKilled
from compat.faults.fault import Fault, NodeFault
from compat.faults.nodes import Frozen, Killed, Loading
from compat.faults.proxy import Proxy
from compat.faults.settings import ConnectionsKilled, LocksEvicted, MemoryFull, ReadOnly, ScriptsFlushed

__all__ = [
    "ATOMIC",
    "CATALOGUE",
    "NOT_IN_CONTAINERS",
    "SLOW",
    "About",
    "ClockStepped",
    "ConnectionReset",
    "ConnectionsKilled",
    "DriverFrozen",
    "DriverKilled",
    "FailedOver",
    "Fault",
    "Frozen",
    "HalfOpen",
    "InWait",
    "Killed",
    "Loading",
    "LocksEvicted",
    "MasterLost",
    "MemoryFull",
    "Need",
    "NodeFault",
    "Proxy",
    "ReadOnly",
    "ReplyLost",
    "ScriptsFlushed",
    "ScriptsFlushedWithin",
    "SlotFault",
    "SlotMoved",
    "SlotTorn",
    "SlotUnserved",
]
