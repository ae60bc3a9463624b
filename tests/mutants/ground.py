"""The ground on which seeded faults are played: servers, drivers, and what Node left in each scenario, once for all."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compat.drivers import Pool
from compat.execute import Options
from compat.execute.ready import commands, seated
from compat.execute.session import Right, Session
from compat.model.cell import Cell
from compat.model.scenario import Scenario, TopologyName
from compat.model.verdict import CellVerdict
from compat.plan import Plan
from compat.servers import Server

MUTANT = f"cmd:{sys.executable} {Path(__file__).with_name('mutant.py')}"
_NOTHING = Plan((), {})


@dataclass(frozen=True)
class Ground:
    """`left` is what Node left, by its cell. Drivers stay from one fault to the next: the port's has the one that the
    file `told` names."""

    servers: Mapping[TopologyName, Server]
    pool: Pool
    told: Path
    left: dict[Cell, Right] = field(default_factory=dict)

    async def play(self, fault: str, scenario: Scenario) -> CellVerdict:
        """The verdict on a fault in the first arm and on the first topology of a scenario."""
        self.told.write_text(fault)
        arm = "self" if "self" in scenario.arms else scenario.arms[0]
        cell = Cell(scenario.id, arm, scenario.topologies[0])
        options = Options((scenario,), (arm,), (cell.topology,), f"{MUTANT} --told {self.told}")
        seats = {side: await seated(self.pool, command) for side, command in commands(options).items()}
        session = Session(options, _NOTHING, seats, self.servers, self.pool)
        if session.is_timed(cell):
            return await session.verdict(cell)
        if cell.oracle not in self.left:
            self.left[cell.oracle] = await session.right(cell.oracle)
        return await session.verdict(cell, self.left[cell.oracle])
