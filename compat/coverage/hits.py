"""Lines hit: what the servers' logs say of the scripts, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from compat.coverage.unreached import excuses

_NOTE = re.compile(r"\blines (\d+) (\d+)$")


class ScriptHits(Struct, frozen=True):
    """One script: how many lines begin a statement, and which of them no scenario ran.

    `excused`: with the reason. `stale`: excused lines that were run, or begin no statement.
    """

    script: str
    lines: int
    missed: tuple[int, ...]
    excused: Mapping[int, str]
    stale: tuple[int, ...] = ()

    @property
    def reachable(self) -> int:
        return self.lines - len(self.excused)

    @property
    def hit(self) -> int:
        return self.lines - len(self.missed) - len(self.excused)


def hits(lines: Mapping[str, tuple[int, ...]], notes: Iterable[str]) -> tuple[ScriptHits, ...]:
    """What was hit of scripts `{name: lines}`, by the notes of their instrumented copies, numbered in that order.

    An excused line that was hit after all counts as hit: its excuse is stale.
    """
    seen: dict[int, set[int]] = {}
    for note in notes:
        if (match := _NOTE.search(note)) is not None:
            seen.setdefault(int(match[1]), set()).add(int(match[2]))
    return tuple(_of(script, all_lines, seen.get(number, set())) for number, (script, all_lines) in _numbered(lines))


def _of(script: str, lines: tuple[int, ...], seen: set[int]) -> ScriptHits:
    excused: dict[int, str] = {}
    stale: list[int] = []
    for span, reason, found in excuses(script, lines):
        excused |= {line: reason for line in found if line not in seen}
        stale += [line for line in found if line in seen] or ([] if found else [int(span.partition("-")[0])])
    return ScriptHits(
        script=script,
        lines=len(lines),
        missed=tuple(line for line in lines if line not in seen and line not in excused),
        excused=excused,
        stale=tuple(stale),
    )


def _numbered(lines: Mapping[str, tuple[int, ...]]) -> list[tuple[int, tuple[str, tuple[int, ...]]]]:
    return list(enumerate(lines.items()))
