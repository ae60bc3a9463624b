"""How long a failed job waits for its next attempt."""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from bullmq_ref.errors import UnknownBackoffStrategy

#: Called with (attempts made, type, error, job); returns ms, or -1 to fail for good. May be async.
Strategy = Callable[[int, str, BaseException, Any], Any]


async def delay(
    backoff: Mapping[str, Any] | None,
    attempts: int,
    error: BaseException,
    job: Any,
    strategy: Strategy | None = None,
    *,
    longest: int | None = None,
) -> float:
    """The ms before attempt number `attempts` + 1; 0 retries at once, -1 fails the job for good.

    `longest` caps it. Raises UnknownBackoffStrategy for a type that nobody knows, as Node does (and as in Node, the job
    then stays active until it stalls).
    """
    if not backoff:
        return 0
    kind, base, jitter = str(backoff.get("type")), backoff.get("delay") or 0, backoff.get("jitter") or 0
    if kind == "fixed":
        wait = _jittered(base, jitter)
    elif kind == "exponential":
        wait = _jittered(exponential(base, attempts), jitter)
    elif strategy is not None:
        answer = strategy(attempts, kind, error, job)
        wait = await answer if inspect.isawaitable(answer) else answer
    else:
        raise UnknownBackoffStrategy(kind)
    return wait if longest is None else min(wait or 0, longest)


def exponential(base: float, attempts: int) -> int:
    """2^(attempts - 1) times `base`, rounded as JavaScript rounds; never overflows."""
    return math.floor(2.0 ** min(attempts - 1, 900) * base + 0.5)


def _jittered(longest: float, jitter: float) -> float:
    if jitter <= 0:
        return longest
    return math.floor(random.random() * longest * jitter + longest * (1 - jitter))
