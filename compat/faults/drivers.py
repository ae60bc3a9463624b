"""Faults of a driver: killed, frozen, its clock stepped."""

from __future__ import annotations

from compat.drivers import Driver
from compat.faults import catalogue
from compat.faults.fault import Fault


class DriverFault(Fault):
    def __init__(self, driver: Driver) -> None:
        super().__init__()
        self.driver = driver


class DriverKilled(DriverFault):
    """SIGKILL, once: what a crash looks like to Redis. Whoever owns the driver starts another one."""

    about = catalogue.DRIVER_KILLED

    async def _strike(self) -> None:
        await self.driver.kill()


class DriverFrozen(DriverFault):
    """SIGSTOP: its locks run out and its connections stay. SIGCONT mends it."""

    about = catalogue.DRIVER_FROZEN

    async def _strike(self) -> None:
        self.driver.process.freeze()

    async def _mend(self) -> None:
        self.driver.process.thaw()


class ClockStepped(DriverFault):
    """The driver's clock is `ms` ahead of what it was (`before`, ms) from now on; the mending sets it back."""

    about = catalogue.CLOCK_STEPPED

    def __init__(self, driver: Driver, ms: int, before: int = 0) -> None:
        super().__init__(driver)
        self.ms, self.before = ms, before

    async def _strike(self) -> None:
        await self.driver.call("clock.set", {"offsetMs": self.before + self.ms})

    async def _mend(self) -> None:
        await self.driver.call("clock.set", {"offsetMs": self.before})
