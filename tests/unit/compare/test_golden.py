"""A golden holds what an oracle left, line by line the same each time, and knows when it is too old."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import pytest

from compat.compare.difference import inner
from compat.compare.golden import Golden, GoldenError, Recording, digest, read, write
from compat.judge import judge
from compat.model.capture import Key
from compat.model.history import History, Implementation
from compat.model.scenario import Scenario
from compat.normalise import Canonical, Place, canonical
from compat.protocol.values import UNDEFINED

Make = Callable[..., History]
NODE = Implementation("bullmq", "5.62.0", "JavaScript", "5.62.0")


def recorded(scenario: Scenario, history: History) -> Golden:
    made = canonical(scenario, history)
    recordings = (Recording(scenario.id, topology, digest(scenario), made) for topology in ("single", "cluster"))
    return Golden(NODE, {(one.scenario, one.topology): one for one in recordings})  # type: ignore[misc]


def test_what_was_written_is_read_back_with_nothing_changed(busy: Scenario, history: Make) -> None:
    golden = recorded(busy, history())
    lines = list(write(golden))
    again = read(lines, "golden")
    assert len(lines) == 2 and list(write(again)) == lines
    one, other = golden.of(busy, "single"), again.of(busy, "cluster")
    assert isinstance(one, Canonical) and isinstance(other, Canonical)
    assert list(one.values) == list(other.values)
    assert not [place for place in one.values if inner(one.values[place], other.values[place])]


def test_values_that_json_cannot_hold_come_back() -> None:
    values = {Place("run", "x", "", str(n)): v for n, v in enumerate((math.inf, UNDEFINED, b"\xff", 2**60, "\udc80"))}
    golden = Golden(NODE, {("a", "single"): Recording("a", "single", "d", Canonical(values, {}, {}))})
    found = read(list(write(golden)), "golden").recordings["a", "single"].canonical.values
    assert found == values


def test_a_port_is_judged_by_a_golden_as_by_a_live_oracle(
    busy: Scenario, history: Make, with_keys: Callable[[History, dict[str, Key | None]], History]
) -> None:
    golden = read(list(write(recorded(busy, history()))), "golden").of(busy, "single")
    assert isinstance(golden, Canonical)
    port = history("self", "{other}", 1_795_600_000_000)
    assert judge(busy, golden, port).word == "pass"
    wrong = with_keys(history("self"), {"id": Key("string", text="8")})
    assert judge(busy, golden, wrong) == judge(busy, history(), wrong)


def test_a_scenario_that_does_something_else_now_must_be_recorded_again(busy: Scenario, history: Make) -> None:
    golden = recorded(busy, history())
    words = msgspec.structs.replace(busy, title="Other words", why="Other", covers=("T001",))
    assert isinstance(golden.of(words, "single"), Canonical)
    deeds = msgspec.structs.replace(busy, steps=busy.steps[:-1])
    assert "changed" in str(golden.of(deeds, "single"))
    assert "no recording" in str(golden.of(msgspec.structs.replace(busy, id="a/b"), "single"))


@pytest.mark.parametrize("lines", [[], ["{}"], ["[]"], ["rubbish"], ['{"golden":1,"oracle":{}}']])
def test_what_is_no_golden_is_refused_with_its_line(lines: list[str]) -> None:
    with pytest.raises(GoldenError, match="name:1"):
        read(lines, "name")


def test_a_golden_of_another_format_is_refused() -> None:
    with pytest.raises(GoldenError, match="format 2"):
        read(['{"golden":2}'], "name")
