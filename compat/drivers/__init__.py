"""Processes that speak the driver protocol: launched, called, answered, ended."""

from compat.drivers.driver import Driver
from compat.drivers.errors import CallRaised, DriverError, ImplementationError
from compat.drivers.implementations import command_for
from compat.drivers.pool import Pool

__all__ = ["CallRaised", "Driver", "DriverError", "ImplementationError", "Pool", "command_for"]
