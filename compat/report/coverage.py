"""Coverage of the scripts: a table on the console, a page of the documentation, and JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from compat.coverage.hits import ScriptHits
from compat.coverage.unreached import UNREACHED, WHOLE


def coverage(found: Sequence[ScriptHits], *, missing: bool) -> RenderableType:
    """A row a script: lines hit, lines that can be, and with `missing` the others."""
    table = Table(box=None, pad_edge=False)
    table.add_column("script")
    for title in ("lines", "hit", "%"):
        table.add_column(title, justify="right")
    table.add_column("not run" if missing else "")
    for script in sorted(found, key=lambda s: (_share(s.hit, s.reachable), s.script)):
        left = spans(script.missed)
        table.add_row(
            script.script,
            str(script.reachable),
            str(script.hit),
            Text(f"{_share(script.hit, script.reachable):.1f}", style="red" if script.missed else "green"),
            left if missing else f"{len(script.missed)} left" if script.missed else "",
        )
    hit, lines = sum(s.hit for s in found), sum(s.reachable for s in found)
    excused = sum(len(s.excused) for s in found)
    parts: list[RenderableType] = [
        table,
        Text(f"{hit:,} of {lines:,} lines in {len(found)} scripts: {_share(hit, lines):.2f} %", style="bold"),
        Text(f"{excused:,} more lines cannot be reached in 5.62.0: compat/coverage/unreached.py says why"),
    ]
    parts += [
        Text(f"stale excuse: {script.script}:{spans(script.stale)} is run, or begins no statement", style="bold red")
        for script in found
        if script.stale
    ]
    return Group(*parts)


_PAGE = """<!-- Made by `bullmq-compat coverage --docs docs`: change scenarios or compat/coverage/unreached.py. -->

# Coverage of BullMQ's Lua

All that is stored is written by the 49 scripts of BullMQ 5.62.0. `bullmq-compat coverage` runs every scenario with
Node on copies of the scripts that tell which of their lines run; lines that begin a statement count. A routine that
several scripts share is counted in each.

On {day}, {scenarios} ran **{hit:,} of the {lines:,} lines that can be reached: {share:.1f} %**.

## By script

| script | lines | run | % | not run |
|---|--:|--:|--:|---|
{scripts}

## Lines that nothing reaches

{excused:,} more lines cannot be reached: no call of Node's API leads there on the servers that the harness brings
along. A line that is run after all is reported as a stale excuse.

{excuses}
"""


def page(found: Sequence[ScriptHits], *, scenarios: int, day: str) -> str:
    """The page `docs/coverage.md`, as Markdown. `day`: when this was measured, `2026-11-24`."""
    rows = [
        f"| `{s.script}` | {s.reachable} | {s.hit} | {_share(s.hit, s.reachable):.1f} | {spans(s.missed)} |"
        for s in sorted(found, key=lambda s: s.script)
        if s.reachable
    ]
    hit, lines = sum(s.hit for s in found), sum(s.reachable for s in found)
    return _PAGE.format(
        day=day,
        scenarios="1 scenario" if scenarios == 1 else f"{scenarios} scenarios",
        hit=hit,
        lines=lines,
        share=_share(hit, lines),
        scripts="\n".join(rows),
        excused=sum(len(s.excused) for s in found),
        excuses=excuse_table(),
    )


def excuse_table() -> str:
    """Every excuse of `compat/coverage/unreached.py`, as a table in Markdown."""
    rows = [
        f"| `{script}` | {'all' if told == WHOLE else told} | {reason} |"
        for script, excuses in sorted(UNREACHED.items())
        for told, reason in excuses.items()
    ]
    return "\n".join(["| script | lines | why |", "|---|---|---|", *rows])


def as_json(found: Iterable[ScriptHits]) -> str:
    """`[{"script", "lines", "missed", "excused"}, …]`."""
    return msgspec.json.encode(list(found)).decode()


def spans(lines: Sequence[int]) -> str:
    """`(1, 2, 3, 7)` → `1-3 7`. Lines that begin no statement lie between, so neighbours are joined up to 2 apart."""
    told: list[list[int]] = []
    for line in lines:
        if told and line - told[-1][1] <= 2:
            told[-1][1] = line
        else:
            told.append([line, line])
    return " ".join(f"{first}-{last}" if last > first else str(first) for first, last in told)


def _share(hit: int, lines: int) -> float:
    return 100 * hit / lines if lines else 100.0
