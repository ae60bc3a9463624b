"""The reference's driver, which tells of its workers' events without saying that it can."""

import asyncio

from compat.ports.reference.driver import Driver


class Modest(Driver):
    async def initialize(self, params: dict) -> dict:
        welcome = await super().initialize(params)
        welcome["capabilities"]["worker"].remove("event")
        return welcome


asyncio.run(Modest().peer.run())
