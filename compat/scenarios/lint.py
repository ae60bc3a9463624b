"""Lint: what a scenario that has the right shape may still get wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from compat.model.scenario import Scenario
from compat.scenarios.checks import facts, faults, header, names, order, quirks, shape, timing, waits
from compat.scenarios.complaint import Complaint

Check = Callable[[Scenario], Iterator[Complaint]]

#: A scenario of broken shape is not looked at further: what comes after relies on it.
SHAPE: tuple[Check, ...] = (shape.one_kind, shape.one_verb, shape.one_end, shape.one_action, shape.one_target)

MEANING: tuple[Check, ...] = (
    header.covers_known_ids,
    header.is_tagged_as_it_says,
    header.runs_somewhere,
    names.objects_are_known,
    names.jobs_are_known,
    names.gates_are_known,
    names.methods_are_known,
    names.symbols_are_known,
    names.queues_are_said,
    order.objects_live_once,
    order.gates_hold_what_is_released,
    order.labels_are_known_in_time,
    order.jobs_end_one_by_one,
    waits.waits_name_a_fact,
    waits.waits_are_no_coin_toss,
    faults.faults_have_a_place,
    faults.faults_strike_at_a_known_moment,
    faults.faults_are_mended_once,
    faults.later_calls_are_awaited,
    faults.losses_come_from_faults,
    timing.spans_are_sound,
    facts.there_is_a_fact,
    facts.facts_say_something,
    facts.facts_name_what_is_there,
    quirks.quirks_are_told_whole,
    quirks.may_raise_belongs_to_a_quirk,
)


def lint(scenario: Scenario) -> tuple[Complaint, ...]:
    """Everything wrong with `scenario`, in the order of the checks; empty when it can be run."""
    broken = tuple(complaint for check in SHAPE for complaint in check(scenario))
    return broken or tuple(complaint for check in MEANING for complaint in check(scenario))
