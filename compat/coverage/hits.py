"""Lines hit: what the servers' logs say of the scripts, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from compat.coverage.unreached import UNREACHED

_NOTE = re.compile(r"\blines (\d+) (\d+)$")


class ScriptHits(Struct, frozen=True):
    """One script: how many lines begin a statement, and which of them no scenario ran. `excused`: with a reason."""

    script: str
    lines: int
    missed: tuple[int, ...]
    excused: Mapping[int, str]

    @property
    def reachable(self) -> int:
        return self.lines - len(self.excused)

    @property
    def hit(self) -> int:
        return self.lines - len(self.missed) - len(self.excused)


def hits(lines: Mapping[str, tuple[int, ...]], notes: Iterable[str]) -> tuple[ScriptHits, ...]:
    """What was hit of scripts `{name: lines}`, by the notes of their instrumented copies, numbered in that order.

    An excused line that was hit after all counts as hit: its excuse is stale, and `stale` tells.
    """
    seen: dict[int, set[int]] = {}
    for note in notes:
        if (match := _NOTE.search(note)) is not None:
            seen.setdefault(int(match[1]), set()).add(int(match[2]))
    return tuple(_of(script, all_lines, seen.get(number, set())) for number, (script, all_lines) in _numbered(lines))


def stale(found: Iterable[ScriptHits]) -> dict[str, tuple[int, ...]]:
    """Excuses for lines that were hit, or that begin no statement: script → lines."""
    told: dict[str, tuple[int, ...]] = {}
    for script in found:
        wrong = tuple(line for line in UNREACHED.get(script.script, {}) if line not in script.excused)
        if wrong:
            told[script.script] = wrong
    return told


def _of(script: str, lines: tuple[int, ...], seen: set[int]) -> ScriptHits:
    left = [line for line in lines if line not in seen]
    excuses = UNREACHED.get(script, {})
    return ScriptHits(
        script=script,
        lines=len(lines),
        missed=tuple(line for line in left if line not in excuses),
        excused={line: excuses[line] for line in left if line in excuses},
    )


def _numbered(lines: Mapping[str, tuple[int, ...]]) -> list[tuple[int, tuple[str, tuple[int, ...]]]]:
    return list(enumerate(lines.items()))
