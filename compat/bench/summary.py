"""What many measurements say together: medians over the rounds, and ratios within a round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from compat.bench.records import Record


class Summary:
    """Figures by peer and workload. A ratio is the median of the rounds' ratios: what slows a whole round cancels."""

    def __init__(self, records: Iterable[Record], peers: Sequence[str]) -> None:
        """`peers` are told of in this order."""
        self._records: dict[tuple[str, str, bool], dict[int, Record]] = {}
        for record in records:
            self._records.setdefault((record.workload, record.peer, record.warm), {})[record.round] = record
        met = {peer for _, peer, _ in self._records}
        self.peers = tuple(peer for peer in peers if peer in met)

    @property
    def workloads(self) -> Sequence[str]:
        return tuple(dict.fromkeys(workload for workload, _, _ in self._records))

    @property
    def noisy(self) -> int:
        """Measurements that others disturbed, twice."""
        return sum(record.noisy for rounds in self._records.values() for record in rounds.values())

    def figure(self, peer: str, workload: str, name: str, *, warm: bool = False) -> float | None:
        """The median over the rounds; None when there is no such measurement."""
        rounds = self._records.get((workload, peer, warm), {}).values()
        values = [value for record in rounds if (value := record.figure(name)) is not None]
        return median(values) if values else None

    def ratio(
        self,
        peer: str,
        workload: str,
        name: str,
        beside: str,
        *,
        warm: bool = False,
        beside_workload: str | None = None,
    ) -> float | None:
        """`peer`'s figure for one of `beside`'s."""
        ours = self._records.get((workload, peer, warm), {})
        theirs = self._records.get((beside_workload or workload, beside, warm), {})
        ratios: list[float] = []
        for number in ours.keys() & theirs.keys():
            ours_now, theirs_now = ours[number].figure(name), theirs[number].figure(name)
            if ours_now is not None and theirs_now:
                ratios.append(ours_now / theirs_now)
        return median(ratios) if ratios else None
