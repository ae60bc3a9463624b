"""The table: scenario × arm × topology, a mark for each cell."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from compat.model.cell import Arm, Cell
from compat.model.scenario import TopologyName
from compat.model.verdict import Word
from compat.report.collected import Run
from compat.report.marks import MARKS, WORST, mark
from compat.report.text import printable

_ARMS: tuple[Arm, ...] = ("self", "produce", "consume", "shadow")
_TOPOLOGIES: tuple[TopologyName, ...] = ("single", "cluster")
_BAD: frozenset[Word] = frozenset({"fail", "stale", "flaky", "invalid", "error"})


def table(run: Run, *, utf8: bool = True) -> RenderableType:
    """One row a scenario, one column an arm, in it a mark for each topology; and a legend of the marks used."""
    words: dict[Cell, Counter[Word]] = defaultdict(Counter)
    checks: Counter[str] = Counter()
    for verdict in run.verdicts:
        words[verdict.cell][verdict.word] += 1
        checks[verdict.cell.scenario] += verdict.checks
    arms = [arm for arm in _ARMS if any(cell.arm == arm for cell in words)]
    topologies = [name for name in _TOPOLOGIES if any(cell.topology == name for cell in words)]
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    grid.add_column("scenario", overflow="fold", no_wrap=False)
    for arm in arms:
        grid.add_column(f"{arm}\n{' '.join(name[0] for name in topologies)}" if len(topologies) > 1 else arm)
    grid.add_column("checks", justify="right", style="dim")
    for scenario in run.scenarios:
        rows = {arm: [words.get(Cell(scenario, arm, name), Counter()) for name in topologies] for arm in arms}
        bad = any(word in _BAD for row in rows.values() for seen in row for word in seen)
        grid.add_row(
            Text(printable(scenario), style="bold" if bad else ""),
            *(Text(" ").join(_shown(seen, utf8) for seen in rows[arm]) for arm in arms),
            f"{checks[scenario]:,}",
        )
    used = {word for seen in words.values() for word in seen}
    return Group(grid, Padding(Text("\n").join(_legend(used, topologies, utf8)), (1, 0, 0, 2), expand=False))


def _shown(seen: Counter[Word], utf8: bool) -> Text:
    """A cell's mark; one that ran several times and not always alike also tells how often it came out so."""
    if not seen:
        return Text(" ")
    worst = next(word for word in WORST if word in seen)
    shown = mark(worst, utf8)
    if len(seen) > 1:
        shown.append(f"{seen[worst]}/{seen.total()}")
    return shown


def _legend(used: set[Word], topologies: list[TopologyName], utf8: bool) -> Iterator[Text]:
    for word, (_, _, _, meaning) in MARKS.items():
        if word in used:
            yield Text.assemble(mark(word, utf8), " ", (meaning, "dim"))
    if len(topologies) > 1:
        yield Text("s single Redis, c Cluster", style="dim")
