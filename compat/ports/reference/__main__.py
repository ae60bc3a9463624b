"""Starts the driver."""

from __future__ import annotations

import asyncio

from compat.ports.reference.driver import Driver


async def main() -> None:
    driver = Driver()
    try:
        await driver.peer.run()
    finally:
        await driver.end({})


if __name__ == "__main__":
    asyncio.run(main())
