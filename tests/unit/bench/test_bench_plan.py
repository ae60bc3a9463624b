"""Which measurements are made, and in which order."""

from __future__ import annotations

import pytest

from compat.bench.peers import Peer, peer
from compat.bench.plan import runs
from compat.bench.programs.contract import answered
from compat.bench.workloads import BY_ID, WORKLOADS
from compat.drivers.errors import ImplementationError

FAST = Peer("fast", ("true",), warms=True)
SLOW = Peer("slow", ("true",), frozenset({"work"}), share=0.2)


def test_each_round_asks_every_peer_for_every_workload_that_it_can_do() -> None:
    made = list(runs([BY_ID["W1"], BY_ID["W5"]], [FAST, SLOW], jobs=10_000, rounds=2, warm=False))
    assert sorted((run.round, run.workload.id, run.peer.name) for run in made) == [
        (number, workload, name)
        for number in range(2)
        for workload, name in (("W1", "fast"), ("W5", "fast"), ("W5", "slow"))
    ]


def test_warm_runs_take_more_jobs_and_only_of_peers_that_warm_up() -> None:
    made = runs([BY_ID["W5"]], [FAST, SLOW], jobs=10_000, rounds=1, warm=True)
    assert {(run.peer.name, run.warm, run.jobs) for run in made} == {
        ("fast", False, 10_000),
        ("fast", True, 100_000),
        ("slow", False, 2_000),
    }


def test_the_order_of_peers_changes_from_round_to_round() -> None:
    peers = [Peer(str(n), ("true",)) for n in range(6)]
    made = list(runs([BY_ID["W2"]], peers, jobs=100, rounds=2, warm=False))
    orders = [[run.peer.name for run in made if run.round == number] for number in range(2)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_a_small_run_samples_less_but_never_nothing() -> None:
    assert BY_ID["W8"].jobs(10_000) == 300
    assert all(workload.jobs(100) >= 20 for workload in WORKLOADS)


@pytest.mark.parametrize("name", ["nobody", "ref@1", "node@1.0.0", "pypi-bullmq", "saq@../../etc"])
def test_a_peer_that_does_not_exist_is_refused_by_name(name: str) -> None:
    with pytest.raises(ImplementationError, match=name.partition("@")[2] or name):
        peer(name)


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"ops": 1}', "nonsense"])
def test_what_is_no_answer_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        answered(line)
