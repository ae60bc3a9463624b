"""A run's record: one header, one entry a cell, one footer; every report is a function of it."""

from __future__ import annotations

from msgspec import Struct

from compat.model.history import Implementation
from compat.model.verdict import CellVerdict, Level


class Header(Struct, frozen=True, tag="header", tag_field="record"):
    started: str  # ISO 8601, UTC
    harness: str  # version
    oracle: Implementation
    port: Implementation
    servers: dict[str, str]  # topology → what serves it, e.g. "valkey 9.1.2, embedded, 3 masters"
    scenarios: int
    cells: int
    gate: Level
    jobs: int


class CellEntry(Struct, frozen=True, tag="cell", tag_field="record"):
    verdict: CellVerdict


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


Record = Header | CellEntry | Footer
