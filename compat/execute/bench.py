"""A bench: servers and drivers that stay ready, for cells that are asked for one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from compat.drivers import Pool
from compat.drivers.implementations import NODE_TARGET
from compat.execute.options import Options
from compat.execute.ready import ready, spared
from compat.execute.session import Right, Session
from compat.model.cell import Cell
from compat.model.verdict import CellVerdict
from compat.plan import Plan, cells


class Bench:
    """Judges cells, one at a time; what an oracle cell came to is kept for all its arms."""

    def __init__(self, session: Session, plan: Plan) -> None:
        self._session, self._plan = session, plan
        self._right: dict[Cell, Right] = {}

    async def verdict(self, cell: Cell) -> CellVerdict:
        if (reason := self._plan.not_applicable.get(cell)) is not None:
            return self._session.known(CellVerdict(cell, "not-applicable", reason=reason))
        if self._session.is_timed(cell):
            return await self._session.verdict(cell)
        if cell.oracle not in self._right:
            self._right[cell.oracle] = await self._session.right(cell.oracle)
        return await self._session.verdict(cell, self._right[cell.oracle])


@asynccontextmanager
async def bench(options: Options) -> AsyncIterator[Bench]:
    """Everything ready for the cells of `options`. Raises `Unusable`."""
    async with AsyncExitStack() as stack:
        pool = Pool(bullmq=NODE_TARGET, transcripts=options.transcripts)
        stack.push_async_callback(pool.close)
        seats, servers = await ready(options, pool, stack)
        offered, spares = seats["port"].welcome.capabilities, spared(options, servers)
        plan = cells(options.scenarios, options.arms, tuple(servers), offered, spares)
        yield Bench(Session(options, plan, seats, servers, pool), plan)
