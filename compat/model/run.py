"""A run's record: a header, an entry a cell, traces of cells in trouble, a footer. Every report is a function of it."""

from __future__ import annotations

from msgspec import Struct

from compat.model.cell import Cell, Side
from compat.model.history import Implementation
from compat.model.verdict import CellVerdict, Level


class Header(Struct, frozen=True, tag="header", tag_field="record", omit_defaults=True):
    """`cells` are this record's own; `planned` those of the whole run, of which a shard (`2/4`) plays some.

    `plan` is a digest of the whole run's cells: equal for the shards of one run. `titles` and `limits` are for readers.
    """

    started: str  # ISO 8601, UTC
    harness: str  # version
    oracle: Implementation
    port: Implementation
    servers: dict[str, str]  # topology → what serves it, e.g. "valkey 9.1.2, embedded, 3 masters"
    scenarios: int
    cells: int
    gate: Level
    jobs: int
    shard: str = ""
    planned: int = 0
    plan: str = ""
    golden: str = ""  # the file of recorded results that stood for the oracle
    titles: dict[str, str] = {}  # scenario → what is true afterwards
    limits: tuple[str, ...] = ()  # what a green run does not claim
    unheard: tuple[str, ...] = ()  # what this port's driver leaves uncompared, in words


class CellEntry(Struct, frozen=True, tag="cell", tag_field="record"):
    verdict: CellVerdict


class ScriptCall(Struct, frozen=True, omit_defaults=True):
    """One call of a script, or one command on its own, as MONITOR saw it.

    `script` is BullMQ's name of it, the first digits of its SHA-1 where it is none of BullMQ's, or the command's name.
    Packed arguments are decoded. `at_ms` counts from the first call of the trace.
    """

    at_ms: float
    side: Side
    script: str
    keys: tuple[str, ...] = ()
    args: tuple[str, ...] = ()


class TraceEntry(Struct, frozen=True, tag="trace", tag_field="record"):
    """What both sides sent in a marked re-run of a cell in trouble: the oracle's cell, and the port's."""

    cell: Cell
    word: str  # how the re-run came out
    oracle: tuple[ScriptCall, ...]
    port: tuple[ScriptCall, ...]
    cut: int = 0  # calls left out


class Footer(Struct, frozen=True, tag="footer", tag_field="record"):
    scenarios: int
    cells: int
    checks: int
    verdicts: dict[str, int]  # word → cells
    differences: dict[str, int]  # level → differences
    seconds: float
    startup_seconds: float
    exit_code: int
    slowest: tuple[tuple[str, float], ...] = ()  # cell id, seconds
    median_cell_seconds: float = 0.0


Record = Header | CellEntry | TraceEntry | Footer
