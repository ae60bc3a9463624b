"""A pool of drivers: processes are kept warm from one cell to the next, and broken ones are replaced."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from compat.drivers.driver import Driver

Command = tuple[str, ...]


class Pool:
    """Drivers by command. A driver serves one cell at a time."""

    def __init__(self, *, bullmq: str, transcripts: Path | None = None) -> None:
        self._bullmq = bullmq
        self._transcripts = transcripts  # a folder: one file a driver, in the order of their starts
        self._idle: dict[Command, list[Driver]] = defaultdict(list)
        self._all: set[Driver] = set()
        self._started = 0
        self._closed = False

    async def take(self, command: Sequence[str]) -> Driver:
        """A driver that is ready for a cell: a warm one, else a new one. Raises `DriverError`."""
        idle = self._idle[tuple(command)]
        while idle:
            driver = idle.pop()
            if driver.broken is None and driver.process.alive:
                return driver
            await self.discard(driver)
        self._started += 1
        file = self._transcripts and self._transcripts / f"{self._started:03}.jsonl"
        driver = await Driver.launch(command, bullmq=self._bullmq, transcript=file)
        self._all.add(driver)
        if self._closed:
            await self.discard(driver)
        return driver

    async def give_back(self, driver: Driver) -> None:
        """Keep `driver` for the next cell, unless it is broken."""
        driver.serve(None, None)
        if driver.broken is None and driver.process.alive and not self._closed:
            self._idle[driver.process.command].append(driver)
        else:
            await self.discard(driver)

    async def discard(self, driver: Driver) -> None:
        """End `driver` at once."""
        self._all.discard(driver)
        await driver.kill()

    async def close(self) -> None:
        """End every driver, politely."""
        self._closed = True
        drivers, self._all = self._all, set()
        self._idle.clear()
        await asyncio.gather(*(driver.close() for driver in drivers))
