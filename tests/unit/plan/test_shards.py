"""A plan is cut into parts of about the same length, the same ones everywhere."""

from __future__ import annotations

import pytest

from compat.model.cell import Arm, Cell
from compat.plan import Plan, Shard, digest, sharded

ARMS: tuple[Arm, ...] = ("oracle", "self", "produce")


def plan(scenarios: int) -> Plan:
    cells = tuple(Cell(f"a/{n}", arm, "single") for n in range(scenarios) for arm in ARMS)
    return Plan(cells, {Cell(f"a/{n}", "shadow", "single"): "no" for n in range(scenarios)})


def test_the_shards_hold_every_cell_once() -> None:
    whole = plan(17)
    parts = [sharded(whole, Shard(n, 4), {}) for n in range(1, 5)]
    assert sorted(cell for part in parts for cell in part.cells) == sorted(whole.cells)
    assert sorted(cell for part in parts for cell in part.not_applicable) == sorted(whole.not_applicable)


def test_cells_of_one_oracle_cell_stay_together_and_in_order() -> None:
    part = sharded(plan(9), Shard(2, 3), {})
    assert [cell.arm for cell in part.cells] == list(ARMS) * 3


def test_past_durations_make_shards_equally_long() -> None:
    seconds = {Cell(f"a/{n}", "self", "single"): 8.0 if n == 0 else 1.0 for n in range(9)}
    seconds |= {Cell(f"a/{n}", "produce", "single"): 0.0 for n in range(9)}
    parts = [sharded(plan(9), Shard(n, 2), seconds) for n in (1, 2)]
    assert sorted(len({cell.scenario for cell in part.cells}) for part in parts) == [1, 8]


def test_a_digest_knows_a_plan_by_its_cells() -> None:
    assert digest(plan(3)) == digest(plan(3)) != digest(plan(4))


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/", "-1/2", "1/2/3"])
def test_what_is_no_shard_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="write I/N"):
        Shard.read(text)


def test_a_shard_is_read_as_it_is_written() -> None:
    assert str(Shard.read("2/4")) == "2/4"
