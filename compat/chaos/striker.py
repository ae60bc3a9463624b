"""The striker: lets one fault after the other happen, and writes down when."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from compat.chaos.account import Strike
from compat.faults import ConnectionReset, ConnectionsKilled, FailedOver, Killed, Proxy, ReplyLost, ScriptsFlushed
from compat.servers import Server

HAPPENS = 5.0  # s that a reply to lose is waited for


class Victim(Protocol):
    """A worker's process."""

    @property
    def name(self) -> str: ...
    async def kill(self) -> None:
        """SIGKILL."""


V = TypeVar("V", bound=Victim)


class Striker(Generic[V]):
    """Strikes at the queue at `base` (`<prefix>:<queue>`). `workers` are those that live; `again` starts one in the
    place of another that was killed."""

    def __init__(
        self,
        server: Server,
        proxy: Proxy | None,
        base: str,
        workers: list[V],
        again: Callable[[V], Awaitable[V]],
    ) -> None:
        self._server, self._proxy, self._base, self._workers, self._again = server, proxy, base, workers, again
        self.strikes: list[Strike] = []

    async def strike(self, fault: str, chance: float) -> Strike:
        """Let it happen, and mend it. `chance` (0 to 1) chooses its victim."""
        since = time.time() * 1000
        victim = await self._strike(fault, chance)
        self.strikes.append(Strike(len(self.strikes) + 1, fault, since, time.time() * 1000, victim))
        return self.strikes[-1]

    async def _strike(self, fault: str, chance: float) -> str:
        node = self._server.owner(f"{self._base}:wait")
        match fault:
            case "worker-killed":
                victim = self._workers[int(chance * len(self._workers))]
                await victim.kill()
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
                # This key stands in every command that adds or finishes a job, and in no other.
                async with ReplyLost(self._proxy, f"{self._base}:completed".encode()) as lost:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(HAPPENS):
                            await lost.happened.wait()
        return ""
