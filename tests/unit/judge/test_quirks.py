"""A quirk of the oracle's version is accepted, and so is doing without it: each as it is told, and nothing beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from compat.judge import judge, oracle_trouble
from compat.model.capture import Key
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.model.verdict import CellVerdict
from compat.normalise import canonical

Make = Callable[..., History]
Variant = Callable[..., Scenario]
Replace = Callable[[History, dict[str, Key | None]], History]

COUNTER = {"id": Key("string", text="8")}
QUIRK: dict[str, Any] = {
    "name": "counts-short",
    "reason": "Node counts one too few.",
    "mended": "5.99.0 (#1)",
    "places": ["end/id", "end/expect/1"],
    "expect": [{"key": "id", "is": "8"}],
}


@pytest.fixture
def quirky(variant: Variant) -> Scenario:
    return variant(expect=[{"key": "id", "is": "7"}], quirks=[QUIRK])


def noted(verdict: CellVerdict) -> dict[str, str]:
    return {one.check.partition("#")[2]: one.level for one in verdict.differences}


def test_a_port_with_the_oracles_quirk_passes_and_is_said_to_have_it(quirky: Scenario, history: Make) -> None:
    verdict = judge(quirky, history(), history("self"))
    assert (verdict.word, verdict.quirks) == ("pass", {"counts-short": "kept"})


def test_a_port_that_does_better_passes_and_its_differences_are_notes_that_name_the_quirk(
    quirky: Scenario, history: Make, with_keys: Replace
) -> None:
    verdict = judge(quirky, history(), with_keys(history("self"), COUNTER))
    assert (verdict.word, verdict.quirks) == ("pass", {"counts-short": "mended"})
    assert noted(verdict) == {"end/id": "note", "end/expect/1": "note"}
    assert "Quirk counts-short: Node counts one too few. Mended in 5.99.0 (#1)." in verdict.differences[0].why


def test_what_is_neither_the_quirk_nor_its_mending_fails(quirky: Scenario, history: Make, with_keys: Replace) -> None:
    verdict = judge(quirky, history(), with_keys(history("self"), {"id": Key("string", text="9")}))
    assert (verdict.word, verdict.quirks) == ("fail", {"counts-short": "kept"})


def test_a_port_that_does_better_may_not_differ_at_another_place(
    quirky: Scenario, history: Make, with_keys: Replace
) -> None:
    verdict = judge(quirky, history(), with_keys(history("self"), {**COUNTER, "marker": None}))
    assert verdict.word == "fail"
    assert noted(verdict)["end/marker"] == "breaks-peer"


def test_an_oracle_of_a_later_version_may_do_better_and_the_port_either(
    quirky: Scenario, history: Make, with_keys: Replace
) -> None:
    later = with_keys(history(), COUNTER)
    who = msgspec.structs.replace(later.sides["oracle"], bullmq="6.7.0")
    later = msgspec.structs.replace(later, sides={"oracle": who})
    assert oracle_trouble(quirky, later) is None
    assert judge(quirky, later, history("self")).word == "pass"
    assert judge(quirky, later, with_keys(history("self"), COUNTER)).word == "pass"


def test_a_quirk_that_the_target_itself_does_not_have_makes_the_scenario_invalid(
    quirky: Scenario, history: Make, with_keys: Replace
) -> None:
    """Else facts that hold on both sides would excuse what they do not tell of."""
    assert "does not have the quirk counts-short" in (oracle_trouble(quirky, with_keys(history(), COUNTER)) or "")


def test_a_golden_counts_as_the_target(quirky: Scenario, history: Make, with_keys: Replace) -> None:
    golden = canonical(quirky, history())
    assert judge(quirky, golden, with_keys(history("self"), COUNTER)).word == "pass"


def test_in_shadow_a_side_that_does_better_passes_by_its_facts(
    quirky: Scenario, history: Make, with_keys: Replace
) -> None:
    other = with_keys(history("shadow"), COUNTER)
    at_work = msgspec.structs.replace(other.captures[-1], workers_open=1)  # it has job 6 in hand
    other = msgspec.structs.replace(other, captures=(*other.captures[:-1], at_work))
    assert judge(quirky, history(), other).word == "pass"
