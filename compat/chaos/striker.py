"""The striker: lets one fault after the other happen, and writes down when."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from compat.chaos.account import Strike
from compat.chaos.players import PREFIX, QUEUE, Player
from compat.faults import ConnectionReset, ConnectionsKilled, FailedOver, Killed, Proxy, ReplyLost, ScriptsFlushed
from compat.servers import Server

HAPPENS = 5.0  # s that a reply to lose is waited for
#: What stands in every command that adds or finishes a job, and in no other.
WORD = f"{PREFIX}:{QUEUE}:completed".encode()


class Striker:
    """`workers` are those that live; `again` starts one in the place of another that was killed."""

    def __init__(
        self, server: Server, proxy: Proxy | None, workers: list[Player], again: Callable[[Player], Awaitable[Player]]
    ) -> None:
        self._server, self._proxy, self._workers, self._again = server, proxy, workers, again
        self.strikes: list[Strike] = []

    async def strike(self, fault: str, chance: float) -> Strike:
        """Let it happen, and mend it. `chance` (0 to 1) chooses its victim."""
        since = time.time() * 1000
        victim = await self._strike(fault, chance)
        self.strikes.append(Strike(len(self.strikes) + 1, fault, since, time.time() * 1000, victim))
        return self.strikes[-1]

    async def _strike(self, fault: str, chance: float) -> str:
        node = self._server.owner(f"{PREFIX}:{QUEUE}:wait")
        match fault:
            case "worker-killed":
                victim = self._workers[int(chance * len(self._workers))]
                await victim.process.kill()
                self._workers.remove(victim)
                self._workers.append(await self._again(victim))
                return victim.name
            case "node-killed":
                async with Killed(self._server, node):
                    pass
            case "scripts-flushed":
                await ScriptsFlushed(self._server, node).strike()
            case "connections-killed":
                await ConnectionsKilled(self._server, node).strike()
            case "failed-over":
                async with FailedOver(self._server, node):
                    pass
            case "connection-reset":
                assert self._proxy is not None
                await ConnectionReset(self._proxy).strike()
            case "reply-lost":
                assert self._proxy is not None
                async with ReplyLost(self._proxy, WORD) as lost:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(lost.happened.wait(), HAPPENS)
        return ""
