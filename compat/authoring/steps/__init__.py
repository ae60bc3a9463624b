"""The steps of a walk, in order: what a driver has to do, each tried for real and looked up in Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from compat.authoring.guide import Guide
from compat.authoring.steps import life, queue, worker

#: None: done. A text: what the driver does not offer.
Step = Callable[[Guide], Awaitable[str | None]]

_ORDER: tuple[Step, ...] = (
    life.initialize, life.capabilities, life.ping, life.unknown_method, life.begin_and_end,
    queue.add, queue.values, queue.refusal, queue.missing_object, queue.close_queue,
    worker.work, worker.fail, worker.gates, worker.actions, worker.ends, worker.close_worker,
    life.clock, life.cluster, life.shutdown,
)  # fmt: skip

#: What the driver has to do, in words (the first line of each step), and the step.
STEPS: tuple[tuple[str, Step], ...] = tuple(((step.__doc__ or "").split("\n")[0].rstrip("."), step) for step in _ORDER)
