"""The answer of every call is compared: whatever part of one is changed, the comparison says so (T163)."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, structs

from compat.compare import compare
from compat.execute import Options, run
from compat.model.history import History, Outcome
from compat.model.run import CellEntry
from compat.model.scenario import Scenario
from compat.protocol.methods import LIFE, METHODS
from compat.protocol.values import decode, encode
from compat.scenarios import pick

ROOT = Path(__file__).resolve().parents[3]

#: Between them these call every method that answers.
SCENARIOS = (
    *("cluster/manage-tagged-queue", "dedup/debounce", "dedup/throttle", "delay/refusals", "events/custom"),
    *(
        "events/trim",
        "flow/by-hand",
        "flow/colon-ids",
        "flow/completed",
        "flow/continue-parent",
        "flow/continue-without-children",
    ),
    *("flow/cut-tie", "flow/dependencies", "flow/listing", "flow/retry-fatal-child", "lock/evicted-job"),
    *("lock/wrong-token", "manage/connections", "manage/counts", "manage/discard", "manage/getters"),
    *("manage/getters-empty", "manage/job-states", "manage/metrics", "manage/older-names", "manage/prometheus"),
    *("manage/waited-for", "priority/change", "progress/missing-job", "queue/open", "queue/reopened"),
    *("rate/full", "rate/queue-limit", "rate/ttl", "repeat/beside-schedulers", "repeat/remove", "scheduler/getters"),
    *("stalled/died-in-processor", "worker/local-pause"),
)
#: Answers that tell a user nothing; drivers are free in them where a scenario does not name the answer.
FREE = {"open", "close", "pause", "resume", "sweep"}
HOUR = 3_600_000  # ms

Played = dict[str, tuple[Scenario, History]]


pytestmark = pytest.mark.xdist_group("answers")  # one worker plays the scenarios, once


@pytest.fixture(scope="module")
def played() -> Played:
    """What Node left in each scenario, played by Node alone."""
    return asyncio.run(_played())


async def _played() -> Played:
    found: Played = {}

    def keep(scenario: Scenario, history: History) -> None:
        found[scenario.id] = (scenario, history)

    scenarios = pick(ROOT / "scenarios", list(SCENARIOS))
    options = Options(scenarios, ("self",), ("single",), "node@5.62.0", keep=keep)
    words = {entry.verdict.word async for entry in run(options) if isinstance(entry, CellEntry)}
    assert words == {"pass"}
    return found


def compared(outcome: Outcome) -> bool:
    return outcome.problem is None and (outcome.label is not None or outcome.method.partition(".")[2] not in FREE)


def wrong(value: Any) -> Iterator[Any]:
    """The value with one thing changed, anywhere in it."""
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + HOUR
        case str():
            yield f"{value}~"
        case dict():
            for key, item in value.items():
                for changed in [[]] if key == "stacktrace" and item else wrong(item):  # traces are counted, not read
                    yield {**value, key: changed}
        case list():
            yield [*value, "more"]
            for number, item in enumerate(value):
                yield [*value[:number], *value[number + 1 :]]
                for changed in wrong(item):
                    yield [*value[:number], changed, *value[number + 1 :]]
        case None:
            yield "something"
        case _:
            return


def test_every_method_is_called_by_a_scenario_here(played: Played) -> None:
    called = {outcome.method for _, history in played.values() for outcome in history.outcomes}
    answering = {name for name in METHODS.keys() - LIFE.keys() if not name.endswith((".open", ".close"))}
    assert answering - called == set()


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_answer_that_is_wrong_anywhere_is_seen(played: Played, name: str) -> None:
    scenario, history = played[name]
    unseen: list[Any] = []
    for number, outcome in enumerate(history.outcomes):
        if not compared(outcome):
            continue
        right = None if outcome.result is UNSET else decode(copy.deepcopy(outcome.result))
        for changed in wrong(right):
            outcomes = list(history.outcomes)
            outcomes[number] = structs.replace(outcome, result=encode(changed))
            other = structs.replace(history, outcomes=tuple(outcomes))
            told = compare(scenario, history, other).differences
            if not any(f"/call.step {outcome.step} {outcome.method}" in one.check for one in told):
                unseen.append((outcome.method, right, changed))
    assert unseen == []
