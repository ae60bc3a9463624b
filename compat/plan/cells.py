"""The plan of a run: cells to play, in order, and cells that do not apply, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from compat.model.cell import Arm, Cell
from compat.model.scenario import Scenario, TopologyName
from compat.plan.needs import missing
from compat.protocol.messages import Capabilities


class Plan(Struct, frozen=True):
    """`cells` holds each oracle cell directly before the arms that are compared with it."""

    cells: tuple[Cell, ...]
    not_applicable: dict[Cell, str]


def cells(
    scenarios: Sequence[Scenario],
    arms: Sequence[Arm],
    topologies: Sequence[TopologyName],
    capabilities: Capabilities,
    spared: Mapping[str, str] | None = None,
) -> Plan:
    """The cells of a run: by scenario, then topology, then arm, each in the order given.

    A cell is planned when its scenario allows the arm and the topology. It does not apply when the port lacks something
    for a role that it plays there, or when a fault cannot be struck on the servers of this run: `spared` holds such
    kinds, with the reason. An oracle cell is planned once, and only where an arm needs it.
    """
    spared = spared or {}
    planned: list[Cell] = []
    not_applicable: dict[Cell, str] = {}
    for scenario in scenarios:
        kinds = [step.fault.kind for step in scenario.steps if step.fault is not None]
        unstruck = next((f"{kind}: {spared[kind]}" for kind in kinds if kind in spared), None)
        for topology in topologies:
            if topology not in scenario.topologies:
                continue
            playable: list[Cell] = []
            for arm in arms:
                if arm not in scenario.arms:
                    continue
                cell = Cell(scenario.id, arm, topology)
                lacks = missing(scenario, arm, topology, capabilities)
                if unstruck is not None:
                    not_applicable[cell] = unstruck
                elif lacks:
                    titles = list(dict.fromkeys(need.title for need in lacks))
                    not_applicable[cell] = f"the port does not offer {', '.join(titles)}"
                else:
                    playable.append(cell)
            if playable:
                planned += [playable[0].oracle, *playable]
    return Plan(tuple(planned), not_applicable)
