"""Guests: objects that another version holds ask nothing of the port."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from compat.model.scenario import Scenario
from compat.plan.needs import needs
from compat.scenarios import everyday, load_text

MIXED = """\
schema: 1
id: skew/mixed
title: A port beside another version
covers: [T152]
tags: [skew]
arms: [self, produce]
objects:
  new: {queue: mail, impl: "node@6.7.0"}
  q: {queue: mail}
  w: {worker: mail, impl: "node@6.7.0"}
program:
  - {do: [{progress: 1}], then: {throw: {type: unrecoverable}}}
steps:
  - add: {on: new, as: j, name: n, opts: {repeat: {every: 1000}}}
  - bulk: {on: new, jobs: [{name: n}]}
  - {call: {job: j, method: getState}}
  - {call: {on: new, method: drain}}
  - call: {on: q, method: pause}
  - advance: 1000
  - start: w
  - stop: w
expect:
  - {counts: {wait: 0}}
"""


def test_only_what_the_sides_do_themselves_is_asked_of_a_port() -> None:
    """(T152)"""
    found = [(need.role, need.title) for need in needs(load_text(MIXED), "single")]
    assert found == [("producer", "clock"), ("producer", "queue"), ("producer", "queue.pause")]


def test_in_a_cluster_a_guest_alone_needs_none_of_the_port() -> None:
    mixed = load_text(MIXED)
    alone = structs.replace(
        mixed, objects={name: structs.replace(spec, impl="node@6.7.0") for name, spec in mixed.objects.items()}
    )
    assert "cluster" in {need.title for need in needs(mixed, "cluster")}
    assert needs(alone, "cluster") == ()


def test_a_scenario_with_the_tag_skew_is_not_run_unasked(variant: Callable[..., Scenario]) -> None:
    usual = variant()
    assert everyday([usual, load_text(MIXED)]) == (usual,)
