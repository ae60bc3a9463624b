"""Plans: cells in a fixed order, and those that do not apply, with the reason."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from compat.model.cell import Cell
from compat.model.scenario import Scenario
from compat.plan import cells
from compat.protocol.messages import Capabilities

Variant = Callable[..., Scenario]

NODE = {"name": "n", "queueName": "mail"}
OBJECTS = {"q": {"queue": "mail"}, "w": {"worker": "mail"}, "f": {"flow": "mail"}}

ALL = Capabilities(
    queue=("add", "addBulk", "pause"),
    job=("promote",),
    worker=("sweep", "pause", "event"),
    processor=("progress", "gate", "die", "unrecoverable", "extendLock"),
    events=("open", "close", "event"),
    flow=("add", "addBulk", "getFlow"),
    clock=True,
    cluster=True,
)


def test_each_oracle_cell_stands_once_before_the_arms_it_serves(busy: Scenario) -> None:
    plan = cells([busy], ["self", "produce", "consume", "shadow"], ["single", "cluster"], ALL)
    assert plan.not_applicable == {}
    assert [(cell.arm, cell.topology) for cell in plan.cells] == [
        *(("oracle", "single"), ("self", "single"), ("produce", "single"), ("consume", "single")),
        *(("oracle", "cluster"), ("self", "cluster"), ("produce", "cluster"), ("consume", "cluster")),
    ]


def test_arms_and_topologies_are_those_that_both_the_scenario_and_the_caller_name(variant: Variant) -> None:
    scenario = variant(arms=["shadow", "self"], topologies=["single"])
    plan = cells([scenario], ["shadow", "consume"], ["cluster", "single"], ALL)
    assert plan.cells == (Cell("made/up", "oracle", "single"), Cell("made/up", "shadow", "single"))


def test_a_cell_does_not_apply_when_a_fault_of_it_cannot_be_struck_here(variant: Variant) -> None:
    steps = [{"fault": {"kind": "loading"}}, {"mend": "loading"}]
    scenario = variant(steps=steps, arms=["self"], topologies=["single"])
    plan = cells([scenario], ["self"], ["single"], ALL, {"loading": "containers start as they were made"})
    assert plan.cells == ()
    assert set(plan.not_applicable.values()) == {"loading: containers start as they were made"}
    assert cells([scenario], ["self"], ["single"], ALL, {"slot-moved": "no"}).not_applicable == {}


@pytest.mark.parametrize(
    ("step", "lack", "arms"),
    [
        ({"bulk": {"on": "q", "jobs": []}}, {"queue": ("add",)}, {"self", "produce"}),
        ({"call": {"on": "q", "method": "pause"}}, {"queue": ("add",)}, {"self", "produce"}),
        ({"flow": {"on": "f", "tree": NODE}}, {"flow": ("addBulk",)}, {"self", "produce"}),
        ({"flow": {"on": "f", "trees": [NODE]}}, {"flow": ("add",)}, {"self", "produce"}),
        ({"call": {"on": "f", "method": "getFlow"}}, {"flow": ("add",)}, {"self", "produce"}),
        ({"call": {"on": "w", "method": "pause"}}, {"worker": ("sweep",)}, {"self", "consume"}),
        ({"call": {"job": "j", "method": "promote"}}, {"job": ()}, {"self", "produce"}),
        ({"sweep": "w"}, {"worker": ("pause",)}, {"self", "consume"}),
        ({"advance": 1}, {"clock": False}, {"self", "produce", "consume"}),
        ({"fault": {"kind": "clock-stepped", "of": "w", "ms": 1}}, {"clock": False}, {"self", "consume"}),
        ({"until": {"notice": "active"}}, {"worker": ("sweep",)}, {"self", "consume"}),
    ],
)
def test_a_cell_does_not_apply_where_the_port_plays_a_role_it_cannot(
    variant: Variant, step: dict[str, object], lack: dict[str, object], arms: set[str]
) -> None:
    base = [{"add": {"on": "q", "as": "j", "name": "n"}}]
    plan = cells(
        [variant(objects=OBJECTS, steps=[*base, step])],
        ["self", "produce", "consume"],
        ["single"],
        msgspec.structs.replace(ALL, **lack),
    )
    assert {cell.arm for cell in plan.not_applicable} == arms
    assert all(reason.startswith("the port does not offer ") for reason in plan.not_applicable.values())
    assert {cell.arm for cell in plan.cells} - {"oracle"} == {"self", "produce", "consume"} - arms


@pytest.mark.parametrize(
    ("rule", "need"),
    [
        ({"do": [{"progress": 1}], "then": {"return": 1}}, "processor.progress"),
        ({"do": [{"extendLock": 1}], "then": {"return": 1}}, "processor.extendLock"),
        ({"then": {"throw": {"type": "unrecoverable"}}}, "processor.unrecoverable"),
        ({"then": {"die": True}}, "processor.die"),
    ],
)
def test_what_the_program_does_is_asked_of_the_worker(variant: Variant, rule: dict[str, object], need: str) -> None:
    none = msgspec.structs.replace(ALL, processor=())
    plan = cells([variant(program=[rule])], ["produce", "consume"], ["single"], none)
    assert plan.not_applicable == {Cell("made/up", "consume", "single"): f"the port does not offer {need}"}


def test_a_plain_error_and_a_return_are_taken_for_granted(variant: Variant) -> None:
    none = msgspec.structs.replace(ALL, processor=())
    scenario = variant(program=[{"then": {"throw": "boom"}}, {"then": {"throw": {"message": "boom"}}}])
    assert cells([scenario], ["consume"], ["single"], none).not_applicable == {}


def test_without_cluster_support_no_cell_on_a_cluster_applies(busy: Scenario) -> None:
    """T112."""
    plan = cells([busy], ["self"], ["single", "cluster"], msgspec.structs.replace(ALL, cluster=False))
    assert plan.not_applicable == {Cell("made/up", "self", "cluster"): "the port does not offer cluster"}
    assert [cell.topology for cell in plan.cells] == ["single", "single"]


def test_a_driver_without_workers_can_still_produce(busy: Scenario) -> None:
    plan = cells([busy], ["self", "produce"], ["single"], msgspec.structs.replace(ALL, worker=()))
    assert [cell.arm for cell in plan.cells] == ["oracle", "produce"]
    assert plan.not_applicable == {Cell("made/up", "self", "single"): "the port does not offer worker"}


def test_the_methods_of_a_flows_job_are_asked_of_who_holds_its_queue(variant: Variant) -> None:
    tree = {**NODE, "children": [{"name": "n", "queueName": "post", "as": "j"}]}
    objects = {"f": {"flow": "mail"}, "q": {"queue": "mail"}, "p": {"queue": "post", "role": "worker"}}
    steps = [{"flow": {"on": "f", "tree": tree}}, {"call": {"job": "j", "method": "promote"}}]
    plan = cells(
        [variant(objects=objects, program=[], steps=steps)],
        ["produce", "consume"],
        ["single"],
        msgspec.structs.replace(ALL, job=()),
    )
    assert plan.not_applicable == {Cell("made/up", "consume", "single"): "the port does not offer job.promote"}
