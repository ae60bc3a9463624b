"""Lint of faults: where they may be struck, when, with what, and that they are mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from compat.faults import CATALOGUE
from compat.model.steps import FaultKind
from compat.scenarios import load_text
from compat.scenarios.checks import faults

First = Callable[[str], Any]

GOOD = """\
schema: 1
id: fault/made-up
title: A reply is lost
why: it happens
covers: [T123]
needs: [own-server]
topologies: [single]
objects:
  q: {queue: mail}
  w: {worker: mail}
program:
  - {when: {attempt: 1}, gate: first, then: {return: 1}}
  - then: {return: 1}
steps:
  - start: w
  - add: {on: q, as: j, name: n}
  - until: {gate: first}
  - fault: {kind: reply-lost, of: q, word: ":marker"}
  - {add: {on: q, as: k, name: n}, later: answer}
  - mend: reply-lost
  - await: answer
  - release: first
  - until: {state: {completed: 3, active: 0}}
  - stop: w
expect:
  - {job: j, state: completed}
losses:
  - {kind: doubled, why: sent again, shown: {counts: {completed: 3}}}
"""


def test_a_scenario_with_a_fault_is_sound() -> None:
    scenario = load_text(GOOD)
    assert [step.verb for step in scenario.steps[3:7]] == ["fault", "add", "mend", "await"]


@pytest.mark.parametrize(
    ("old", "new", "line", "part"),
    [
        ("needs: [own-server]\n", "", 17, "say `needs: [own-server]`"),
        ("kind: reply-lost, of: q, ", "kind: failed-over, as: reply-lost, ", 18, "say `topologies: [cluster]`"),
        ('kind: reply-lost, of: q, word: ":marker"', "kind: scripts-flushed-within, of: q", 18, "needs `before`"),
        (', word: ":marker"', ', word: ":marker", before: 2', 18, "takes no `before`; scripts-flushed-within does"),
        ("kind: reply-lost, of: q, ", "kind: slot-torn, as: reply-lost, ", 18, "say `topologies: [cluster]`"),
        (', word: ":marker"', "", 18, "`reply-lost` needs `word`"),
        (', word: ":marker"', ', word: ":marker", ms: 5', 18, "takes no `ms`; clock-stepped does"),
        ("of: q,", "of: x,", 18, "no object `x`"),
        ("  - start: w", "  - fault: {kind: driver-frozen, of: w}\n  - start: w", 15, "`w` is not open here"),
        ("  - until: {gate: first}\n", "  - until: {gate: first}\n  - sweep: w\n", 19, "`sweep` waits for nothing"),
        ("  - mend: reply-lost\n", "", 23, "`reply-lost` is never mended"),
        ("- mend: reply-lost", "- mend: reply-los", 20, "did you mean `reply-lost`?"),
        ("  - {add", "  - fault: {kind: reply-lost, of: w, word: a}\n  - {add", 19, "struck already"),
        ("- await: answer", "- await: anser", 21, "did you mean `answer`?"),
        ("  - await: answer\n", "", 19, "nobody waits for its end"),
        ("  - mend: reply-lost", "  - {mend: reply-lost, later: x}", 20, "no call that could be left for later"),
        ("{completed: 3, active: 0}}", "{completed: 3, active: 0}, errors: {OOM: 1}, of: v}", 23, "no object `v`"),
        ("{completed: 3, active: 0}}", "{completed: 3, active: 0}, errors: {oom: 1}}", 23, "say `OOM`, or `script`"),
        ("why: sent again", "why: ' '", 28, "say why no client can prevent it"),
        ("{counts: {completed: 3}}", "{counts: {complete: 3}}", 28, "did you mean `completed`?"),
    ],
)
def test_a_mistake_about_a_fault_is_named_with_its_line(
    complaint: First, old: str, new: str, line: int, part: str
) -> None:
    assert GOOD.count(old) == 1
    found = complaint(GOOD.replace(old, new))
    assert part in found.message, str(found)
    assert found.line == line, str(found)


def test_a_loss_needs_a_fault(complaint: First) -> None:
    text = GOOD.replace('  - fault: {kind: reply-lost, of: q, word: ":marker"}\n', "")
    assert "no step does harm" in complaint(text.replace("  - mend: reply-lost\n", "")).message


def test_the_format_knows_the_faults_of_the_catalogue_but_the_one_that_a_step_of_its_own_strikes() -> None:
    kinds = get_args(FaultKind)
    assert set(kinds) == set(CATALOGUE) - {"driver-killed"}
    assert set(faults._AT_ONCE) == {name for name in kinds if CATALOGUE[name].at_once}
    clusters = {name for name in kinds if {"cluster", "replicas"} & set(CATALOGUE[name].needs)}
    assert clusters == {name for name, only in faults._ONLY.items() if only == "cluster"}
    assert {name for name, only in faults._ONLY.items() if only == "single"} == {"read-only"}
