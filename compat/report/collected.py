"""A run, collected: its records by kind, whole or cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from compat.model.cell import Cell
from compat.model.run import CellEntry, Footer, Header, Record, TraceEntry
from compat.model.verdict import CellVerdict


@dataclass(frozen=True)
class Run:
    """What every report is a function of. `footer` is None for a run that was interrupted."""

    header: Header
    verdicts: tuple[CellVerdict, ...]
    footer: Footer | None = None
    traces: dict[Cell, TraceEntry] = field(default_factory=dict)

    @property
    def words(self) -> Counter[str]:
        """How many cells came out how."""
        return Counter(verdict.word for verdict in self.verdicts)

    @property
    def records(self) -> tuple[Record, ...]:
        """As they are written down."""
        end = () if self.footer is None else (self.footer,)
        return (self.header, *map(CellEntry, self.verdicts), *self.traces.values(), *end)

    @property
    def checks(self) -> int:
        return sum(verdict.checks for verdict in self.verdicts)

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Ids, sorted."""
        return tuple(sorted({verdict.cell.scenario for verdict in self.verdicts}))


def collected(records: Iterable[Record]) -> Run | None:
    """The records of one run, in any number; None before the header came."""
    header: Header | None = None
    footer: Footer | None = None
    verdicts: list[CellVerdict] = []
    traces: dict[Cell, TraceEntry] = {}
    for record in records:
        match record:
            case Header():
                header = record
            case CellEntry():
                verdicts.append(record.verdict)
            case TraceEntry():
                traces[record.cell] = record
            case Footer():
                footer = record
    return Run(header, tuple(verdicts), footer, traces) if header is not None else None
