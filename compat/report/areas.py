"""Areas: the folders of the suite, and how many of a run's cells came out how in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from compat.model.verdict import CellVerdict, Word
from compat.report.collected import Run
from compat.report.marks import WORST


class Tally(Struct, frozen=True):
    """How many cells came out how."""

    words: dict[Word, int]

    @classmethod
    def of(cls, verdicts: Iterable[CellVerdict]) -> Tally:
        return cls(dict(Counter(verdict.word for verdict in verdicts)))

    @property
    def applicable(self) -> int:
        return sum(self.words.values()) - self.words.get("not-applicable", 0)

    @property
    def good(self) -> int:
        return self.words.get("pass", 0)

    @property
    def worst(self) -> Word | None:
        """None where there is no cell."""
        return next((word for word in WORST if word in self.words), None)


def area(scenario: str) -> str:
    """`retry` of `retry/fixed`."""
    return scenario.partition("/")[0]


def areas(runs: Iterable[Run]) -> tuple[str, ...]:
    """Sorted, of all runs."""
    return tuple(sorted({area(verdict.cell.scenario) for run in runs for verdict in run.verdicts}))
