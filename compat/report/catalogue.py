"""The catalogue: scenarios as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from compat.model.scenario import Scenario
from compat.report.text import number, printable


def catalogue(scenarios: Sequence[Scenario]) -> RenderableType:
    """One row a scenario: id, title, arms, topologies, tags."""
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    grid.add_column("scenario", style="bold", overflow="fold")
    grid.add_column("title", ratio=1, overflow="fold")
    grid.add_column("arms", style="dim", no_wrap=True)
    grid.add_column("on", style="dim", no_wrap=True)
    for scenario in scenarios:
        title = Text(printable(scenario.title))
        if scenario.tags:
            title.append(f"  #{' #'.join(map(printable, scenario.tags))}", style="cyan")
        grid.add_row(
            Text(printable(scenario.id)),
            title,
            " ".join(_ARM_SIGNS[arm] for arm in scenario.arms),
            " ".join(topology[0] for topology in scenario.topologies),
        )
    legend = "arms: s self, p produce, c consume, sh shadow; on: s single Redis, c Cluster"
    return Group(grid, Text(), Text(f"{number(len(scenarios), 'scenario')}; {legend}", style="dim"))


_ARM_SIGNS = {"self": "s", "produce": "p", "consume": "c", "shadow": "sh"}
