"""Lateness is what a span took beyond what is due, on the harness's clock."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from compat.compare import lateness
from compat.model.cell import Cell
from compat.model.history import Attempt, History, Label, Outcome
from compat.model.scenario import Scenario

SCENARIO: dict[str, Any] = {
    "schema": 1,
    "id": "made/late",
    "title": "Something is late",
    "covers": ["T036"],
    "objects": {"q": {"queue": "mail"}, "w": {"worker": "mail"}},
    "steps": [
        {"start": "w"},
        {"add": {"on": "q", "as": "j", "name": "n", "opts": {"delay": 1050}}},
        {"call": {"on": "q", "method": "resume", "as": "resumed"}},
        {"stop": {"worker": "w", "force": True}},
    ],
    "expect": [],
}

HISTORY = History(
    cell=Cell("made/late", "self", "single"),
    prefix="p",
    started_ms=0,
    ended_ms=9_000,
    sides={},
    outcomes=(
        Outcome(1, "port", "queue.add", 100, 110, "j", "mail", {"id": "7"}),
        Outcome(2, "port", "queue.resume", 200, 230, "resumed", "mail", None),
        Outcome(3, "port", "worker.close", 400, 900, None, "mail", None),
    ),
    attempts=(
        Attempt("w", "port", "other", "7", 1, "t", 120),
        Attempt("w", "port", "mail", "8", 1, "t", 130),
        Attempt("w", "port", "mail", "7", 1, "t", 1_160),
        Attempt("w", "port", "mail", "7", 2, "t", 1_500),
    ),
    labels={"j": Label("mail", "7")},
)


def took(since: dict[str, Any], until: dict[str, Any], due: int = 0) -> float:
    span = {"name": "it", "from": since, "to": until, "due": due}
    scenario = msgspec.convert(SCENARIO | {"timing": [span]}, Scenario)
    return lateness(scenario, HISTORY)["it"]


@pytest.mark.parametrize(
    ("since", "until", "due", "late"),
    [
        ({"add": "j"}, {"attempt": "j"}, 1050, 10),
        ({"attempt": "j"}, {"attempt": "j", "number": 2}, 0, 340),
        ({"call": "resumed"}, {"attempt": "j"}, 0, 960),
        ({"add": "j"}, {"add": "j"}, 0, 10),
        ({"stop": "w"}, {"stop": "w"}, 0, 500),
        ({"attempt": "j"}, {"attempt": "j", "number": 2}, 400, -60),
    ],
)
def test_a_call_begins_when_it_is_sent_and_ends_when_it_is_answered_an_attempt_when_it_starts(
    since: dict[str, Any], until: dict[str, Any], due: int, late: float
) -> None:
    assert took(since, until, due) == late


def test_a_moment_that_never_came_is_infinitely_late() -> None:
    assert took({"add": "j"}, {"attempt": "j", "number": 3}) == math.inf


def test_a_scenario_without_spans_has_no_lateness() -> None:
    assert lateness(msgspec.convert(SCENARIO, Scenario), HISTORY) == {}
