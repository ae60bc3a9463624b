"""The jobs that calls answer with, alone, in a list or in the tree of a flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compat.model.history import Outcome

#: Calls that add jobs.
ADDS = ("queue.add", "queue.addBulk", "queue.upsertJobScheduler", "flow.add", "flow.addBulk")


def about(outcome: Outcome, queue: str) -> bool:
    """Whether a call's answer may tell of jobs of a queue: a flow has jobs of many."""
    return outcome.queue == queue or outcome.method.startswith("flow.")


def views(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Every job that a call answered with, alone, in a list or in a tree."""
    todo: list[Any] = [outcome.result]
    while todo:
        answer = todo.pop(0)
        if isinstance(answer, list):
            todo += answer
        elif isinstance(answer, dict) and isinstance(answer.get("job"), dict):
            todo += [answer["job"], answer.get("children")]
        elif isinstance(answer, dict) and "id" in answer:
            yield answer
