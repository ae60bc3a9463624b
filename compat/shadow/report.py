"""The report of a shadow run: what its rounds came to together, and whether that is good."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from compat.chaos.account import Double, Strike
from compat.compare.laws import BrokenLaw
from compat.compare.levels import at_least
from compat.model.cell import Side
from compat.model.verdict import LEVELS, Level
from compat.shadow.latencies import Latencies
from compat.shadow.plan import SIDES, Plan
from compat.shadow.result import Result
from compat.shadow.twins import Divergence


@dataclass(frozen=True)
class Report:
    """`names` are what the sides call themselves; `stopped` says why the run ended too early, "" if it did not."""

    plan: Plan
    names: Mapping[Side, str]
    server: str
    seconds: float
    results: Sequence[Result] = ()
    stopped: str = ""
    gate: Level = "encoding"
    _latencies: dict[Side, Latencies] = field(default_factory=dict, repr=False)

    @property
    def added(self) -> int:
        return sum(result.account.added for result in self.results)

    @property
    def unknown(self) -> int:
        """Adds that raised: nobody was told whether they were carried out."""
        return sum(result.account.unknown for result in self.results)

    @property
    def completed(self) -> int:
        return sum(result.account.completed for result in self.results)

    @property
    def failed(self) -> int:
        return sum(result.account.failed for result in self.results)

    @property
    def unplanned(self) -> Mapping[str, int]:
        """Reason → jobs that failed though they were not told to."""
        return sum((Counter(result.account.unplanned) for result in self.results), Counter())

    @property
    def lost(self) -> tuple[str, ...]:
        return tuple(words for result in self.results for words in result.account.lost)

    @property
    def ended_twice(self) -> tuple[str, ...]:
        return tuple(words for result in self.results for words in result.account.ended_twice)

    @property
    def doubles(self) -> tuple[Double, ...]:
        return tuple(double for result in self.results for double in result.account.doubles)

    @property
    def strikes(self) -> tuple[Strike, ...]:
        return tuple(strike for result in self.results for strike in result.account.strikes)

    @property
    def broken(self) -> tuple[BrokenLaw, ...]:
        return tuple(broken for result in self.results for broken in result.broken)

    @property
    def refused(self) -> tuple[str, ...]:
        return tuple(words for result in self.results for words in result.refused)

    @property
    def strays(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for result in self.results for key in result.strays))

    @property
    def pairs(self) -> int:
        return sum(result.pairs for result in self.results)

    @property
    def shared(self) -> int:
        return sum(result.shared for result in self.results)

    @property
    def ended(self) -> Mapping[Side, int]:
        """Jobs by the side that recorded their end."""
        return {side: sum(result.ended.get(side, 0) for result in self.results) for side in SIDES}

    @property
    def latencies(self) -> Mapping[Side, Latencies]:
        if not self._latencies:
            for side in SIDES:
                self._latencies[side] = sum((r.latencies[side] for r in self.results), Latencies())
        return self._latencies

    @property
    def divergences(self) -> Mapping[str, Sequence[Divergence]]:
        """By what differs, from the worst level to the mildest."""
        found: dict[str, list[Divergence]] = defaultdict(list)
        for result in self.results:
            for divergence in result.divergences:
                found[divergence.what].append(divergence)
        return dict(sorted(found.items(), key=lambda item: (LEVELS.index(item[1][0].level), item[0])))

    @property
    def good(self) -> bool:
        """Nothing found, twins alike as far as the gate asks, and nothing stuck."""
        alike = not any(at_least(found[0].level, self.gate) for found in self.divergences.values())
        return alike and not self.stopped and all(result.good for result in self.results)
