"""A history's captures and calls, made comparable: what chance decides is renamed, and nothing is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from compat.model.history import History
from compat.model.scenario import Scenario
from compat.normalise import calls, events, jobs, queues
from compat.normalise.canonical import ANY, RUN, Canonical, Place
from compat.normalise.names import Names
from compat.normalise.scene import Scene

Rule = Callable[[Scene], Iterator[tuple[Place, Any]]]
RunRule = Callable[[Scenario, History, Names], Iterator[tuple[Place, Any]]]

#: Every key of a capture is read by exactly one of these. Each says what it renames, what stays checked, why it may.
RULES: tuple[Rule, ...] = (
    jobs.hashes,
    queues.lists,
    queues.prioritized,
    queues.delayed,
    queues.waiting_children,
    queues.finished,
    events.events,
    jobs.rows,
    jobs.locks,
    jobs.children,
    queues.marker,
    queues.counters,
    queues.meta,
    queues.stalled,
    queues.stalled_check,
    queues.limiter,
    queues.deduplication,
    queues.metrics,
    queues.schedulers,
    queues.lives,
    queues.clients,
    queues.foreign,
)

#: What is told outside Redis.
RUN_RULES: tuple[RunRule, ...] = (calls.outcomes, calls.attempts, calls.notices)

__all__ = ["ANY", "RULES", "RUN", "RUN_RULES", "Canonical", "Place", "canonical"]


def canonical(scenario: Scenario, history: History) -> Canonical:
    """All that a history left behind, as named places with comparable values. Knows nothing of sides."""
    names = Names(scenario, history)
    values: dict[Place, Any] = {}
    rules: dict[Place, str] = {}

    def take(rule: Rule | RunRule, places: Iterator[tuple[Place, Any]]) -> None:
        for place, value in places:
            # What comes to a place that is taken, as a hash's own field `lock` does, hides nothing.
            values[place] = [values[place], value] if place in values else value
            rules[place] = rule.__name__

    for before, capture in zip((None, *history.captures), history.captures, strict=False):
        scene = Scene(scenario, history, capture, names, before)
        for rule in RULES:
            take(rule, rule(scene))
    for run_rule in RUN_RULES:
        take(run_rule, run_rule(scenario, history, names))
    titles = {(label.queue, names(label.id)): f"job {name}" for name, label in history.labels.items()}
    return Canonical(values, titles, rules)
