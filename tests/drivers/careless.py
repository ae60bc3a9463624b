"""The reference's driver with one of two slips: it logs in as nobody (`anonymous`) or closes nothing (`leaking`)."""

import asyncio
import sys

from compat.ports.reference.driver import Driver

SLIP = sys.argv[1]
left = []


class Careless(Driver):
    async def begin(self, params: dict) -> None:
        if SLIP == "anonymous":
            params = {**params, "redis": {**params["redis"], "username": None, "password": None}}
        await super().begin(params)

    async def close(self, params: dict) -> None:
        if SLIP != "leaking":
            await super().close(params)

    async def end(self, params: dict) -> None:
        if SLIP == "leaking":
            left.append(self._entries)
            self._entries = {}
        await super().end(params)


asyncio.run(Careless().peer.run())
