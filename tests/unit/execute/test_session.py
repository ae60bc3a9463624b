"""A session ends when it is told to, whatever the cells under way do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from compat.execute.options import Options
from compat.execute.session import Session
from compat.model.cell import Cell
from compat.model.scenario import Scenario
from compat.plan import Plan


class Stubborn(Session):
    """A session whose cells do not hear that they are cancelled: what they wait for comes at the same moment."""

    def begin(self) -> None:
        self.begun = asyncio.Semaphore(0)
        self.started = 0

    async def _one(self, cell: Cell, oracle: Any) -> None:
        self.started += 1
        self.begun.release()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return


async def test_no_cell_is_begun_once_the_session_is_to_end(variant: Callable[..., Scenario]) -> None:
    scenarios = (variant(id="a/a"), variant(id="a/b"))
    cells = [Cell(scenario.id, arm, "single") for scenario in scenarios for arm in ("oracle", "self")]
    nobody = cast("Any", None)
    session = Stubborn(Options(scenarios), Plan(tuple(cells), {}), nobody, {}, nobody)
    session.begin()
    verdicts = session.verdicts(jobs=1)
    first = asyncio.ensure_future(anext(verdicts))
    await session.begun.acquire()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await first
    assert session.started == 1
