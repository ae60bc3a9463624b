"""What an attempt does when the harness says so, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bullmq_ref import (
    DelayedError,
    Job,
    RateLimitError,
    UnrecoverableError,
    WaitingChildrenError,
    WaitingError,
    clock,
)
from bullmq_ref.errors import BullMQError
from compat.ports.reference.calls import Params


async def _spin(ms: int) -> None:
    """Block the thread, on purpose."""
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


async def _gate(*_: Any) -> None:
    raise AssertionError("gates are asked of the harness")


ACTIONS: dict[str, Callable[[Job[Any, Any], str, Any], Awaitable[Any]]] = {
    "progress": lambda job, token, value: job.update_progress(value),
    "log": lambda job, token, value: job.log(value),
    "updateData": lambda job, token, value: job.update_data(value),
    "extendLock": lambda job, token, value: job.extend_lock(token, value),
    "spin": lambda job, token, value: _spin(value),
    "gate": _gate,
}


async def _unrecoverable(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    raise UnrecoverableError(*([thrown["message"]] if "message" in thrown else []))


async def _delayed(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    await job.move_to_delayed(clock.now() + (thrown.get("ms") or 0), token)
    raise DelayedError


async def _waiting(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    await job.move_to_wait(token)
    raise WaitingError


async def _waiting_children(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    await job.move_to_waiting_children(token)
    raise WaitingChildrenError


async def _rate_limit(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    await worker.rate_limit(thrown["ms"])
    raise RateLimitError


THROWS: dict[str, Callable[[Any, Job[Any, Any], str, Params], Awaitable[None]]] = {
    "unrecoverable": _unrecoverable,
    "delayed": _delayed,
    "waiting": _waiting,
    "waitingChildren": _waiting_children,
    "rateLimit": _rate_limit,
}


def strategy_of(delays: Mapping[str, list[int]]) -> Callable[..., float]:
    """`{"<type>": [delay of the first retry in ms, of the second, …]}` as a custom strategy."""

    def strategy(attempts: int, kind: str, _error: BaseException, _job: Any) -> float:
        listed = delays.get(kind)
        if listed is None:
            raise BullMQError(f"Unknown backoff strategy {kind}.")
        return listed[min(attempts, len(listed)) - 1]

    return strategy


def _repeating(steps: Mapping[str, int]) -> Callable[..., float | None]:
    """`{"<pattern>": ms}` as a strategy: the slots of a pattern are the multiples of so many ms."""

    def strategy(millis: float, repeat: Mapping[str, Any], _name: str) -> float | None:
        step = steps.get(repeat.get("pattern") or "")
        return None if step is None else millis // step * step + step

    return strategy


#: Strategies that a scenario writes as data, by Node's name in `settings`.
STRATEGIES: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "backoffStrategy": strategy_of,
    "repeatStrategy": _repeating,
}
