"""Faults: what goes wrong with Redis, connections and drivers when a test says so; always undone."""

from compat.faults.catalogue import CATALOGUE, About, Need
from compat.faults.cluster import FailedOver, MasterLost, SlotFault, SlotMoved, SlotTorn, SlotUnserved
from compat.faults.drivers import ClockStepped, DriverFrozen, DriverKilled
from compat.faults.fault import Fault, NodeFault
from compat.faults.nodes import Frozen, Killed, Loading
from compat.faults.proxy import ConnectionReset, HalfOpen, Proxy, ReplyLost
from compat.faults.settings import ConnectionsKilled, LocksEvicted, MemoryFull, ReadOnly, ScriptsFlushed

__all__ = [
    "CATALOGUE",
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
    "SlotFault",
    "SlotMoved",
    "SlotTorn",
    "SlotUnserved",
]
