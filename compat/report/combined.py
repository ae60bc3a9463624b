"""The shards of one run, put together; refused when they are not all of one run."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from msgspec import structs

from compat.model.cell import Cell
from compat.model.run import Footer, Header
from compat.model.verdict import CellVerdict, Level
from compat.plan.shards import Shard
from compat.report.collected import Run
from compat.report.text import listed

SLOWEST = 10
#: What must be the same in all shards of a run, and how it is called.
_SAME = {
    "harness": "harness",
    "gate": "gate",
    "servers": "servers",
    "plan": "set of cells",
    "planned": "number of cells",
}


class CombineError(Exception):
    """These are not the shards of one run, each once; the text says which file, and what was expected."""


def combined(runs: Mapping[str, Run], judged: Callable[[Iterable[CellVerdict], Level], int]) -> Run:
    """One run of all shards' cells. `runs` is by file; `judged` gives the exit code. Raises `CombineError`.

    Its seconds are those of the slowest shard.
    """
    (first_name, first), *others = runs.items()
    for name, run in others:
        for what, one, other in _versions(first.header, run.header):
            if one != other:
                raise CombineError(f"{name} is of another run: its {what} is {other}, that of {first_name} is {one}")
    _complete(runs)
    cells: dict[Cell, str] = {}
    for name, run in runs.items():
        for cell in {verdict.cell for verdict in run.verdicts}:
            if (before := cells.setdefault(cell, name)) != name:
                raise CombineError(f"{cell.id} stands in {before} and in {name}")
    verdicts = tuple(sorted((v for run in runs.values() for v in run.verdicts), key=lambda verdict: verdict.cell))
    if len(verdicts) != first.header.planned:
        raise CombineError(f"{len(verdicts)} cells stand in these files, {first.header.planned} were planned")
    header = structs.replace(
        first.header,
        started=min(run.header.started for run in runs.values()),
        scenarios=len({cell.scenario for cell in cells}),
        cells=len(verdicts),
        shard="",
        titles={name: title for run in runs.values() for name, title in run.header.titles.items()},
    )
    footers = [run.footer for run in runs.values() if run.footer is not None]
    times = sorted(((v.cell.id, v.seconds) for v in verdicts if v.seconds), key=lambda pair: -pair[1])
    footer = Footer(
        scenarios=header.scenarios,
        cells=len(verdicts),
        checks=sum(verdict.checks for verdict in verdicts),
        verdicts=dict(sorted(Counter(verdict.word for verdict in verdicts).items())),
        differences=dict(sorted(Counter(d.level for verdict in verdicts for d in verdict.differences).items())),
        seconds=max(footer.seconds for footer in footers),
        startup_seconds=max(footer.startup_seconds for footer in footers),
        exit_code=judged(verdicts, header.gate),
        slowest=tuple(times[:SLOWEST]),
        median_cell_seconds=round(statistics.median(s for _, s in times), 4) if times else 0.0,
    )
    traces = {cell: trace for run in runs.values() for cell, trace in run.traces.items()}
    return Run(header, verdicts, footer, traces)


def _versions(one: Header, other: Header) -> Iterable[tuple[str, object, object]]:
    for field, words in _SAME.items():
        yield words, getattr(one, field), getattr(other, field)
    for side in ("oracle", "port"):
        here, there = getattr(one, side), getattr(other, side)
        yield side, f"{here.name} {here.version}", f"{there.name} {there.version}"


def _complete(runs: Mapping[str, Run]) -> None:
    by_shard: dict[str, str] = {}
    for name, run in runs.items():
        shard = run.header.shard
        if not shard:
            raise CombineError(f"{name} is no shard, but a whole run")
        try:
            Shard.read(shard)
        except ValueError as error:
            raise CombineError(f"{name}: {error}") from None
        if shard in by_shard:
            raise CombineError(f"{by_shard[shard]} and {name} are both shard {shard}")
        if run.footer is None:
            raise CombineError(f"{name} has no footer: the run was interrupted")
        by_shard[shard] = name
    sizes = {shard.partition("/")[2] for shard in by_shard}
    if len(sizes) > 1:
        raise CombineError(f"shards of several divisions are mixed: {listed(sorted(by_shard))}")
    (size,) = sizes
    if missing := [f"{n}/{size}" for n in range(1, int(size) + 1) if f"{n}/{size}" not in by_shard]:
        raise CombineError(f"missing: shard {listed(missing)}")
