"""The step `share`, with real workers of both sides: whoever lets go takes the next job."""

from __future__ import annotations

import itertools
from contextlib import AsyncExitStack
from pathlib import Path

from msgspec import structs

from compat.drivers import Pool
from compat.drivers.implementations import NODE_TARGET
from compat.execute import Options
from compat.execute.cell import CellRun
from compat.execute.ready import ready
from compat.model.cell import Cell, Side
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.model.steps import Share
from compat.scenarios import load, select

ROOT = Path(__file__).resolve().parents[3]


def scenario(share: Share) -> Scenario:
    """`shadow/turns` with another way of sharing."""
    (turns,) = select(load([ROOT / "scenarios" / "shadow" / "turns.yaml"]), (), ())
    steps = [structs.replace(step, share=share) if step.share is not None else step for step in turns.steps]
    return structs.replace(turns, steps=tuple(steps), topologies=("single",))


async def played(*shares: Share) -> list[History]:
    """Each way of sharing, one after the other with the same drivers."""
    histories = []
    async with AsyncExitStack() as stack:
        pool = Pool(bullmq=NODE_TARGET)
        stack.push_async_callback(pool.close)
        options = Options(scenarios=tuple(map(scenario, shares)), topologies=("single",))
        seats, servers = await ready(options, pool, stack)
        for number, share in enumerate(shares):
            cell = Cell("shadow/turns", "shadow", "single")
            run = CellRun(scenario(share), cell, f"share-{number}", servers["single"], pool, seats)
            histories.append(await run.play())
    assert [history.failure for history in histories] == [None] * len(shares)
    return histories


def sides(history: History) -> list[Side]:
    """Who took the third job and those after it: the first two are whose worker came first."""
    return [attempt.side for attempt in history.attempts][2:]


async def test_without_a_seed_the_sides_take_turns() -> None:
    """T154."""
    (history,) = await played(Share("held"))
    taken = sides(history)
    assert len(taken) == 4
    assert all(one != next_ for one, next_ in itertools.pairwise(taken))


async def test_a_seed_gives_the_same_interleaving_again_and_another_one_another() -> None:
    """T154."""
    first, again, *others = map(sides, await played(*(Share("held", seed) for seed in (1, 1, 2, 3, 4, 5))))
    assert first == again
    assert len({tuple(taken) for taken in others}) > 1
