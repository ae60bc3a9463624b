"""The ground on which seeded faults are played: servers, Node, and what Node left in each scenario, once for all."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compat.drivers import Pool
from compat.drivers.implementations import NODE_TARGET
from compat.execute import Options
from compat.execute.players import Seat
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
    """`pool` has Node's drivers; `left` is what Node left, by its cell."""

    servers: Mapping[TopologyName, Server]
    pool: Pool
    node: Seat
    left: dict[Cell, Right] = field(default_factory=dict)

    async def play(self, fault: str, scenario: Scenario) -> CellVerdict:
        """The verdict on a fault in the first arm and on the first topology of a scenario."""
        arm = "self" if "self" in scenario.arms else scenario.arms[0]
        cell = Cell(scenario.id, arm, scenario.topologies[0])
        options = Options((scenario,), (arm,), (cell.topology,), f"{MUTANT} {fault}")
        pool = Pool(bullmq=NODE_TARGET)
        try:
            seats = {"oracle": self.node}
            seats |= {
                side: await seated(pool, command) for side, command in commands(options).items() if side not in seats
            }
            if cell.oracle not in self.left:
                sound = Session(options, _NOTHING, seats, self.servers, self.pool)
                self.left[cell.oracle] = await sound.right(cell.oracle)
            session = Session(options, _NOTHING, seats, self.servers, pool)
            return await session.verdict(cell, self.left[cell.oracle])
        finally:
            await pool.close()
