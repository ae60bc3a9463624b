"""The protocol's methods about parents and children, as calls on the library's objects."""

from __future__ import annotations

import re
from typing import Any

from bullmq_ref import Dependencies, Page
from compat.ports.reference.calls import Call, Params, given, options, span

FLOW: dict[str, Call] = {
    "add": lambda f, p: f.add(p["flow"], **given(options(p), queues_options="queuesOptions")),
    "addBulk": lambda f, p: f.add_bulk(p["flows"]),
    "getFlow": lambda f, p: f.get_flow(
        p["opts"]["id"],
        p["opts"]["queueName"],
        **given(p["opts"], prefix="prefix", depth="depth", max_children="maxChildren"),
    ),
}

QUEUE: dict[str, Call] = {
    "getWaitingChildren": lambda q, p: q.get_waiting_children(**span(p)),
    "getWaitingChildrenCount": lambda q, p: q.get_waiting_children_count(),
    "getDependencies": lambda q, p: q.get_dependencies(
        p["parentId"], **given(p, kind="type", start="start", end="end")
    ),
}

JOB: dict[str, Call] = {
    "isWaitingChildren": lambda j, p: j.is_waiting_children(),
    "moveToWaitingChildren": lambda j, p: j.move_to_waiting_children(p["token"], **given(options(p), child="child")),
    "getChildrenValues": lambda j, p: j.get_children_values(),
    "getIgnoredChildrenFailures": lambda j, p: j.get_ignored_children_failures(),
    "getFailedChildrenValues": lambda j, p: j.get_ignored_children_failures(),
    "getDependencies": lambda j, p: _dependencies(j, options(p)),
    "getDependenciesCount": lambda j, p: j.get_dependencies_count(*(kind for kind, on in options(p).items() if on)),
    "removeChildDependency": lambda j, p: j.remove_child_dependency(),
    "removeUnprocessedChildren": lambda j, p: j.remove_unprocessed_children(),
}


async def _dependencies(job: Any, asked: Params) -> dict[str, Any]:
    found: Dependencies = await job.get_dependencies(**{kind: Page(**page) for kind, page in asked.items()})
    shown = {_camel(name): getattr(found, name) for name in Dependencies.__dataclass_fields__}
    return {name: value for name, value in shown.items() if value is not None}


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda letter: letter[1].upper(), name)
