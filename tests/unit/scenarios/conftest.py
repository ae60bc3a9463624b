"""A scenario that is right in every way, to be spoiled by the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

GOOD = """\
schema: 1
id: retry/fixed
title: A failing job is tried again
why: a job that is not tried again is lost
covers: [T076]
objects:
  q: {queue: mail}
  w: {worker: mail}
program:
  - when: {job: j, attempt: 1}
    gate: first
    then: {throw: boom}
  - then: {return: 1}
steps:
  - add: {on: q, as: j, name: n, data: {a: 1}, opts: {attempts: 2}}
  - start: w
  - until: {gate: first}
  - capture: mid
  - release: first
  - until: {state: {completed: 1, active: 0}}
  - stop: w
expect:
  - {job: j, state: completed}
"""


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def spoiled() -> Callable[[str, str], str]:
    """The good scenario with one text replaced by another."""

    def replace(old: str, new: str) -> str:
        assert GOOD.count(old) >= 1, f"{old!r} is not in the good scenario"
        return GOOD.replace(old, new, 1)

    return replace


@pytest.fixture
def complaint() -> Callable[[str], Any]:
    """The first complaint about a text."""
    from compat.scenarios import ScenarioError, load_text

    def first(text: str) -> Any:
        with pytest.raises(ScenarioError) as raised:
            load_text(text, "s.yaml")
        return raised.value.complaints[0]

    return first
