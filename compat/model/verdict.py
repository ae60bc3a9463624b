"""A verdict: how one cell came out, and each difference that decided it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from compat.model.cell import Cell

#: From worst to mildest: the other side misreads it; state differs; the event stream differs; bytes differ, meaning
#: does not; worth knowing.
Level = Literal["breaks-peer", "state", "event", "encoding", "note"]
LEVELS: tuple[Level, ...] = ("breaks-peer", "state", "event", "encoding", "note")

#: What a side makes of a quirk of the oracle's version: it has it, too, or does better.
Seen = Literal["kept", "mended"]

Word = Literal["pass", "fail", "known", "stale", "flaky", "invalid", "not-applicable", "error"]


class Difference(Struct, frozen=True, omit_defaults=True):
    """One check that came out differently, in words.

    `check` is stable across runs (`retry/fixed#mid/job.failedReason`); `where` is this run's exact place
    (`mail / job j / failedReason`); `oracle` and `port` are the two canonical values, None where absent.
    """

    check: str
    level: Level
    where: str
    oracle: Any
    port: Any
    words: str  # one sentence: what the oracle left, what the port left
    why: str = ""  # why it matters


class CellVerdict(Struct, frozen=True, omit_defaults=True):
    """`checks` counts the places checked, right or not; `reason` says why a cell was not judged by differences.

    `made` names the checks, without the scenario, and how many places each looked at (`{"end/job.data": 2}`); the laws
    of a capture are one (`end/laws`).
    `tries` are all verdicts on a cell that was played again because it was in trouble, in order; else there are none.
    `quirks` says what the port makes of the scenario's.
    """

    cell: Cell
    word: Word
    checks: int = 0
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    hint: str = ""
    seconds: float = 0.0
    stderr: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()  # what was struck in the port's cell, in words, in order
    losses: dict[str, int] = {}  # what faults cost, as the scenario states and the oracle shows it: kind → how many
    made: dict[str, int] = {}
    tries: tuple[CellVerdict, ...] = ()
    quirks: dict[str, Seen] = {}
