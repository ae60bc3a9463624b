"""A fault: one thing that goes wrong when it is told to, and is undone for certain."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, ClassVar, Self

from redis.exceptions import RedisError

from compat.faults.catalogue import About
from compat.servers import Node, Server, ServerError

DEADLINE = 20.0  # s for a fact to come true
_POLL = 0.01  # s


class Fault(ABC):
    """`strike` lets it happen and returns when it has; `mend` undoes it and returns when all is as before.

    As a context manager it strikes on entry and mends on exit. Nothing happens by a timer: whoever holds a gate
    decides when. A fault that was struck halfway is mended too; mending twice does nothing.
    """

    about: ClassVar[About]

    def __init__(self) -> None:
        self.struck = False

    async def strike(self) -> None:
        self.struck = True
        await self._strike()

    async def mend(self) -> None:
        if self.struck:
            await self._mend()
            self.struck = False

    @abstractmethod
    async def _strike(self) -> None: ...

    async def _mend(self) -> None:  # noqa: B027 - not every fault leaves something to undo
        ...

    async def __aenter__(self) -> Self:
        try:
            await self.strike()
        except BaseException:
            await self.mend()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.mend()


class NodeFault(Fault):
    """A fault of one node of a server that the harness started itself. Raises `ServerError` for any other."""

    def __init__(self, server: Server, node: Node | None = None) -> None:
        super().__init__()
        server.must_be_own(f"the fault {self.about.name} is done")
        self.server = server
        self.node = node or server.nodes[0]

    async def call(self, *words: str | int, node: Node | None = None) -> Any:
        """A command to the node (or another one)."""
        client = self.server.client(node or self.node)
        return await client.execute_command(*words)  # type: ignore[no-untyped-call]


async def come_true(fact: Callable[[], Awaitable[Any]], what: str) -> None:
    """Wait until `fact` holds; a node that cannot be asked yet does not make it hold. Raises `ServerError`."""
    seen: Any = None
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    if seen := await fact():
                        return
                except (RedisError, OSError) as error:
                    seen = error
                await asyncio.sleep(_POLL)
    except TimeoutError:
        raise ServerError(
            f"{what} did not come true in {DEADLINE:g} s; last seen: {seen!r}",
            expected="it within a few seconds",
            remedy="see whether the machine is overloaded",
        ) from None
