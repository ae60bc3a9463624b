"""Which measurements are made, and in which order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compat.bench.peers import Peer
from compat.bench.workloads import Workload


@dataclass(frozen=True)
class Run:
    """One measurement to be made: `jobs` operations a queue; `warm`: enough of them for a JIT to be done."""

    workload: Workload
    peer: Peer
    jobs: int
    warm: bool
    round: int


def runs(
    workloads: Sequence[Workload], peers: Sequence[Peer], *, jobs: int, rounds: int, warm: bool, seed: int = 0
) -> Iterator[Run]:
    """Round by round, workload by workload, the peers in an order that changes: what drifts meets them all alike."""
    order = random.Random(seed)
    for number in range(rounds):
        for workload in workloads:
            able = [peer for peer in peers if peer.can(workload.asks["kind"])]
            chosen = [
                Run(workload, peer, workload.jobs(jobs, share=peer.share), warm=False, round=number) for peer in able
            ]
            if warm and workload.warm is not None:
                chosen += [
                    Run(workload, peer, workload.jobs(jobs, warm=True), warm=True, round=number)
                    for peer in able
                    if peer.warms
                ]
            order.shuffle(chosen)
            yield from chosen
