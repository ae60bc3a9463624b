"""Spans that can be taken, and tell something."""

from __future__ import annotations

from typing import Any

import pytest

from compat.scenarios import ScenarioError, load_text

HEAD = """schema: 1
id: made/late
title: Something is in time
covers: [T036]
arms: {arms}
objects:
  q: {{queue: mail}}
  w: {{worker: mail}}
program:
  - then: {{return: 1}}
steps:
  - start: w
  - add: {{on: q, as: j, name: n, opts: {{delay: 1050}}}}
  - until: {{state: {{completed: 1, active: 0}}}}
  - stop: w
{more}expect:
  - {{job: j, state: completed}}
timing:
  - {span}
"""
SPAN = "{name: it, from: {add: j}, to: {attempt: j}, due: 1050}"


def complaint(span: str = SPAN, arms: str = "[consume]", more: str = "") -> str:
    try:
        load_text(HEAD.format(span=span, arms=arms, more=more))
    except ScenarioError as error:
        return str(error)
    return ""


def test_a_span_between_moments_that_the_steps_bring_about_is_sound() -> None:
    assert complaint() == ""
    assert complaint("{name: it, from: {stop: w}, to: {stop: w}}") == ""


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ("{name: it, from: {}, to: {attempt: j}}", "exactly one of `add`, `call`, `stop` and `attempt`"),
        ("{name: it, from: {add: j, stop: w}, to: {attempt: j}}", "exactly one of"),
        ("{name: it, from: {add: k}, to: {attempt: j}}", "no step makes the add `k`"),
        ("{name: it, from: {add: j}, to: {attempt: k}}", "no step makes the attempt `k`"),
        ("{name: it, from: {call: j}, to: {attempt: j}}", "no step makes the call `j`"),
        ("{name: it, from: {add: j}, to: {stop: q}}", "no step makes the stop `q`"),
        ("{name: it, from: {add: j}, to: {attempt: j, number: 0}}", "no attempt 0"),
        ("{name: it, from: {add: j}, to: {attempt: j}, bound: 199}", "say 200 or more"),
        ("{name: it, from: {add: j}, to: {attempt: j}, due: 5001}", "0 to 5000 ms"),
        (f"{SPAN}\n  - {SPAN}", "`it` stands here twice"),
        ("{name: it, from: {add: j}, to: {attempt: j}, within: 3}", "no field `within`"),
    ],
)
def test_a_span_that_cannot_be_taken_is_refused_in_words(span: str, words: Any) -> None:
    assert words in complaint(span)


def test_shadow_has_no_oracle_to_be_later_than() -> None:
    assert "no oracle to be later than" in complaint(arms="[shadow]")


def test_a_clock_that_is_moved_tells_no_lateness() -> None:
    assert "tells no lateness" in complaint(more="  - advance: 1000\n")
