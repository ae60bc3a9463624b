"""The reference's driver, spoiled in one way: `quotes` (reasons of failures), `twice` (the processor), `idle`, or it
`dies` with its fifth job."""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from compat.ports.reference.driver import Driver

HOW = sys.argv[1]


class Spoiled(Driver):
    async def open_worker(self, params):
        await super().open_worker({**params, "processor": HOW != "idle"})

    async def _play(self, entry, job, token):
        if HOW == "dies" and len(entry.jobs) == 5:
            os._exit(1)
        try:
            if HOW == "twice":
                await super()._play(entry, job, token)
            return await super()._play(entry, job, token)
        except Exception as error:
            if HOW == "quotes":
                raise type(error)(f'"{error}"') from None
            raise


async def main():
    driver = Spoiled()
    try:
        await driver.peer.run()
    finally:
        await driver.end({})


asyncio.run(main())
