"""Lateness: by how much the spans of one history went beyond what is due."""

from __future__ import annotations

import math
from typing import Literal

from compat.model.facts import Instant
from compat.model.history import History, Outcome
from compat.model.scenario import Scenario
from compat.model.steps import Stop

#: Span → ms beyond what is due; infinite where one of its moments never came.
Lateness = dict[str, float]


def lateness(scenario: Scenario, history: History) -> Lateness:
    """What each span of `scenario.timing` took, beyond its `due`, on the harness's clock."""
    found: Lateness = {}
    for span in scenario.timing:
        since = _moment(scenario, history, span.since, "sent")
        until = _moment(scenario, history, span.until, "answered")
        found[span.name] = math.inf if since is None or until is None else until - since - span.due
    return found


def _moment(scenario: Scenario, history: History, instant: Instant, end: Literal["sent", "answered"]) -> float | None:
    """When it was, in ms since the epoch; None if it never was."""
    if instant.attempt is not None:
        label = history.labels.get(instant.attempt)
        began = [a.at_ms for a in history.attempts if label is not None and (a.queue, a.job) == (label.queue, label.id)]
        return began[instant.number - 1] if len(began) >= instant.number else None
    for outcome in history.outcomes:
        if _is(scenario, instant, outcome):
            return outcome.sent_ms if end == "sent" else outcome.answered_ms
    return None


def _is(scenario: Scenario, instant: Instant, outcome: Outcome) -> bool:
    if instant.stop is None:
        return outcome.label is not None and outcome.label in (instant.add, instant.call)
    stop = scenario.steps[outcome.step].stop if 0 <= outcome.step < len(scenario.steps) else None
    return instant.stop == (stop.worker if isinstance(stop, Stop) else stop)
