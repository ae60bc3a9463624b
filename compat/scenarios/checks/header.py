"""The header: what a scenario says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compat.model.cell import ROLES
from compat.model.scenario import Scenario
from compat.scenarios.complaint import Complaint

TASKS = 188
_GROUPS = {"FR": 10, "NFR": 5}
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ID = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)+")


def covers_known_ids(scenario: Scenario) -> Iterator[Complaint]:
    """`covers` names requirements: T001 to T188, FR-1 to FR-10, NFR-1 to NFR-5."""
    if not _ID.fullmatch(scenario.id):
        yield Complaint(("id",), f"`{scenario.id}` is no id; write folder/name in small letters, digits and `-`")
    if not scenario.covers:
        yield Complaint(("covers",), "it is empty; name the requirements this scenario shows, such as T076")
    for index, cited in enumerate(scenario.covers):
        if not is_requirement(cited):
            message = f"`{cited}` is no requirement; there are T001 to T{TASKS}, FR-1 to FR-10 and NFR-1 to NFR-5"
            yield Complaint(("covers", index), message)
        elif cited in scenario.covers[:index]:
            yield Complaint(("covers", index), f"`{cited}` stands here twice; keep one")


def is_requirement(cited: str) -> bool:
    """Whether `cited` is the id of a requirement."""
    if found := re.fullmatch(r"T(\d{3})", cited):
        return 1 <= int(found[1]) <= TASKS
    if found := re.fullmatch(r"(N?FR)-([1-9]\d?)", cited):
        return int(found[2]) <= _GROUPS[found[1]]
    return False


def is_tagged_as_it_says(scenario: Scenario) -> Iterator[Complaint]:
    """The hash tag stands where `tagging` says, and all keys of the scenario share one slot unless it is `none`."""
    for name, spec in scenario.objects.items():
        path = ("objects", name, spec.kind)
        queue = spec.queue_name
        tag = re.search(r"\{(.+?)\}", queue)
        if scenario.tagging == "queue" and tag is None:
            yield Complaint(path, f"`{queue}` has no hash tag, and `tagging: queue` says it has; write `{{{queue}}}`")
        if scenario.tagging != "queue" and tag is not None:
            message = (
                f"`{queue}` has a hash tag, and `tagging: {scenario.tagging}` says it has none; say `tagging: queue`"
            )
            yield Complaint(path, message)
    if scenario.tagging == "none" and set(scenario.topologies) != {"cluster"}:
        message = "a missing hash tag shows on a Cluster only; say `topologies: [cluster]`"
        yield Complaint(("topologies",), message)
    if scenario.tagging == "none" and all(step.raises != "CrossSlot" for step in scenario.steps):
        message = "`none` must fail on a Cluster, and no step says `raises: CrossSlot`"
        yield Complaint(("tagging",), message)


def runs_somewhere(scenario: Scenario) -> Iterator[Complaint]:
    """There are an arm and a topology, each named once, and the port has a part in each arm; a law is broken for a
    reason; a range is a range."""
    for field, values in (("arms", scenario.arms), ("topologies", scenario.topologies)):
        if not values:
            yield Complaint((field,), "it is empty, so nothing would be run; leave it out for the default")
        if len(set(values)) != len(values):
            yield Complaint((field,), f"{', '.join(values)}: one stands here twice; keep one")
    played = {spec.player for spec in scenario.objects.values() if spec.impl is None}
    for arm in scenario.arms:
        if not any("port" in sides for role, sides in ROLES[arm].items() if role in played):
            message = f"in `{arm}` the port plays nothing, for it holds no object there; name the other arms"
            yield Complaint(("arms",), message)
    for law, reason in scenario.laws.excepted.items():
        if not reason.strip():
            yield Complaint(("laws", "except", law), "say why Node breaks this law here")
    for name, (low, high) in scenario.ranges.items():
        if low > high:
            yield Complaint(
                ("ranges", name), f"from {low:g} to {high:g} there is nothing; the smaller bound comes first"
            )
