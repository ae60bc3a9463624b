"""Calls: what a scenario's steps ask of queues, flows and jobs, and the labels that their answers give."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, structs, to_builtins

from compat.execute.stage import Stage
from compat.execute.trouble import Trouble
from compat.execute.waiting import Waiting
from compat.model.history import Label
from compat.model.steps import Add, Bulk, Call, Flow, FlowNode, JobRef

_ANSWERING_JOBS = ("worker.getNextJob", "queue.getJob", "queue.upsertJobScheduler")


class Calls:
    """Makes each call by the player whose turn it is, once the workers are at rest."""

    def __init__(self, stage: Stage, waiting: Waiting) -> None:
        self._stage, self._waiting = stage, waiting

    async def add(self, add: Add, raises: str | None) -> None:
        stage = self._stage
        await self._waiting.before_add()
        params = stage.filled({"on": add.on, **_given(add, "name", "data", "opts")})
        outcome = await stage.ask(stage.turn(add.on), "queue.add", params, add.on, raises, add.label)
        if outcome is not None:
            self._note(add.label, add.on, outcome.result)

    async def bulk(self, bulk: Bulk, raises: str | None) -> None:
        stage = self._stage
        await self._waiting.before_add()
        jobs = [stage.filled(_given(job, "name", "data", "opts")) for job in bulk.jobs]
        params = {"on": bulk.on, "jobs": jobs}
        outcome = await stage.ask(stage.turn(bulk.on), "queue.addBulk", params, bulk.on, raises)
        if outcome is not None and isinstance(outcome.result, list):
            for job, view in zip(bulk.jobs, outcome.result, strict=False):
                self._note(job.label, bulk.on, view)

    async def flow(self, flow: Flow, raises: str | None) -> None:
        stage = self._stage
        await self._waiting.before_add()
        nodes = [stage.filled(_node(root)) for root in flow.roots]
        given = {"on": flow.on, **_given(flow, "opts")}
        if flow.tree is not None:
            method, params = "flow.add", {**given, "flow": nodes[0]}
        else:
            method, params = "flow.addBulk", {**given, "flows": nodes}
        outcome = await stage.ask(stage.turn(flow.on), method, params, flow.on, raises, flow.label)
        if outcome is not None:
            answers = outcome.result if isinstance(outcome.result, list) else [outcome.result]
            for root, tree in zip(flow.roots, answers, strict=False):
                self._note_nodes(root, tree)

    async def call(self, call: Call, raises: str | None) -> None:
        stage = self._stage
        await self._waiting.before_add()
        args = stage.filled(call.args)
        if call.job is not None:
            name, job_id = self._job(call.job)
            method, params = f"job.{call.method}", {"on": name, "id": job_id, **args}
        else:
            assert call.on is not None
            name = call.on
            method, params = f"{stage.scenario.objects[name].kind}.{call.method}", {"on": name, **args}
        player = stage.turn(name)
        outcome = await stage.ask(player, method, params, name, raises, call.label)
        if outcome is None:
            return
        if method == "worker.pause":
            stage.paused.add((name, player.side))
        elif method == "worker.resume":
            stage.paused.discard((name, player.side))
        elif method == "worker.getNextJob" and isinstance(outcome.result, dict):
            stage.by_hand.add((stage.base(name), str(outcome.result.get("id"))))
        if method in _ANSWERING_JOBS:
            self._note(call.label, name, outcome.result)

    def _job(self, job: str | JobRef) -> tuple[str, str]:
        """A queue object to reach the job through, and its id."""
        stage = self._stage
        if isinstance(job, JobRef):
            return job.on, stage.filled(job.id)
        label = stage.label(job)
        for name, spec in stage.scenario.objects.items():
            if spec.kind == "queue" and spec.queue_name == label.queue:
                return name, label.id
        raise Trouble("environment", f"no queue object leads to job {job}")

    def _note(self, label: str | None, name: str, view: Any) -> None:
        if label is not None and isinstance(view, dict) and "id" in view:
            self._stage.labels[label] = Label(self._stage.scenario.objects[name].queue_name, str(view["id"]))

    def _note_nodes(self, node: FlowNode, tree: Any) -> None:
        """Note the labels of a flow's nodes, whose jobs stand in the same places of the answer."""
        if not isinstance(tree, dict):
            return
        view = tree.get("job")
        if node.label is not None and isinstance(view, dict) and "id" in view:
            self._stage.labels[node.label] = Label(node.queue, str(view["id"]))
        for child, below in zip(node.children, tree.get("children") or (), strict=False):
            self._note_nodes(child, below)


def _given(value: Add | Any, *names: str) -> dict[str, Any]:
    """The fields of a struct that were given."""
    fields = structs.asdict(value)
    return {name: to_builtins(fields[name]) for name in names if fields[name] is not UNSET}


def _node(node: FlowNode) -> dict[str, Any]:
    """A node of a flow as drivers take it: all but its label."""
    given = {"name": node.name, "queueName": node.queue, **_given(node, "data", "opts")}
    return {**given, "children": [_node(child) for child in node.children]} if node.children else given
