"""A port is late when its best is worse than the oracle's worst, by more than a bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from compat.judge import Sample, in_time, oracle_trouble, timed
from compat.judge.baseline import signature
from compat.model.cell import Cell
from compat.model.facts import Span
from compat.model.history import History
from compat.model.scenario import Scenario
from compat.model.verdict import CellVerdict

PASSED = CellVerdict(Cell("made/up", "consume", "single"), "pass", 80, made={"end/job": 80})
SPAN: dict[str, Any] = {"name": "pick-up", "from": {"add": "d"}, "to": {"attempt": "d"}, "due": 1050}


@pytest.fixture
def scenario(busy: Scenario) -> Scenario:
    return msgspec.structs.replace(busy, timing=(msgspec.convert(SPAN, Span),))


def samples(oracle: list[float], port: list[float]) -> list[Sample]:
    return [Sample({"pick-up": one}, {"pick-up": other}) for one, other in zip(oracle, port, strict=True)]


@pytest.mark.parametrize(
    ("oracle", "port", "late"),
    [
        ([5], [5], False),
        ([5, 5], [205, 205], False),
        ([5, 5], [206, 206], True),
        ([5, 5], [900, 3], False),
        ([5, 800], [950, 950], False),
        ([900, 900], [5, 5], False),
        ([5], [math.inf], True),
    ],
)
def test_a_port_is_late_when_always_later_than_the_oracle_ever_was(
    scenario: Scenario, oracle: list[float], port: list[float], late: bool
) -> None:
    found = samples(oracle, port)
    assert in_time(scenario, found) is not late
    verdict = timed(scenario, PASSED, found, "encoding")
    assert (verdict.word, len(verdict.differences)) == (("fail", 1) if late else ("pass", 0))


def test_a_span_is_a_check_and_says_its_figures(scenario: Scenario) -> None:
    verdict = timed(scenario, PASSED, samples([5, 12], [980, 950]), "encoding")
    (one,) = verdict.differences
    assert (one.check, one.level) == ("made/up#timing/lateness.pick-up", "event")
    assert one.words == "pick-up: in each of 2 samples the port is late by 950 ms or more, the oracle by 12 ms at most"
    assert (verdict.checks, verdict.made["timing/lateness.pick-up"]) == (81, 1)


def test_a_baseline_knows_a_lateness_again_whatever_its_figures(scenario: Scenario) -> None:
    one, other = (timed(scenario, PASSED, samples([5], [late]), "encoding").differences for late in (900, 950))
    assert one != other and signature(one) == signature(other)


def test_below_the_gate_a_lateness_is_listed_under_a_pass(scenario: Scenario) -> None:
    verdict = timed(scenario, PASSED, samples([5], [900]), "state")
    assert (verdict.word, len(verdict.differences)) == ("pass", 1)


def test_an_oracle_that_never_comes_to_a_moment_makes_the_cell_invalid(
    scenario: Scenario, history: Callable[..., History]
) -> None:
    assert "never came to both moments of the span `pick-up`" in str(oracle_trouble(scenario, history()))
