"""A run, collected: its records by kind, whole or cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from compat.model.run import CellEntry, Footer, Header, Record
from compat.model.verdict import CellVerdict


@dataclass(frozen=True)
class Run:
    """What every report is a function of. `footer` is None for a run that was interrupted."""

    header: Header
    verdicts: tuple[CellVerdict, ...]
    footer: Footer | None = None

    @property
    def words(self) -> Counter[str]:
        """How many cells came out how."""
        return Counter(verdict.word for verdict in self.verdicts)

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
    for record in records:
        match record:
            case Header():
                header = record
            case CellEntry():
                verdicts.append(record.verdict)
            case Footer():
                footer = record
    return Run(header, tuple(verdicts), footer) if header is not None else None
