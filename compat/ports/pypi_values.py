"""How PyPI's `bullmq` spells what the protocol names: values, jobs, errors, connections, and the time.

It is run by the Python that has the port installed, and imports nothing of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from compat.ports.stdio import Answer, Undefined
from compat.ports.stdio import decode as untagged

#: Properties of a job by Node's names, where the port has another.
OWN_PROPERTIES = {"deduplicationId": "deduplication_id"}
PROPERTIES = (
    *("id", "name", "data", "opts", "progress", "delay", "priority", "timestamp", "attemptsMade", "attemptsStarted"),
    *("stalledCounter", "failedReason", "stacktrace", "returnvalue", "finishedOn", "processedOn", "processedBy"),
    *("deferredFailure", "parentKey", "parent", "deduplicationId", "repeatJobKey"),
)

#: The port's texts, which are Node's: what varies is `.*`.
SYMBOLS = {
    "Missing key for job": "JobNotExist",
    "Missing lock for job": "JobLockNotExist",
    "Job .* is not in the .* state": "JobNotInState",
    "Job .* has pending dependencies": "JobPendingChildren",
    "Missing key for parent job": "ParentJobNotExist",
    "Lock mismatch for job": "JobLockMismatch",
    "The parent job .* cannot be replaced": "ParentJobCannotBeReplaced",
    "Cannot complete job .* because it has at least one failed child": "JobHasFailedChildren",
    "The following options cannot be used together": "ExclusiveParentOptions",
    "Cannot obliterate non-paused queue": "ObliterateNotPaused",
    "Cannot obliterate queue with active jobs": "ObliterateActiveJobs",
    "Job .* could not be removed because it is locked": "JobLocked",
    "Worker is already running": "WorkerAlreadyRunning",
    "Unknown backoff strategy": "UnknownBackoffStrategy",
    ".*(CROSSSLOT|hash to the same slot|belong to the same slot)": "CrossSlot",
}

_time = time.time


def plain(value: Any) -> Any:
    """Untagged; Python has no `undefined`: where it stands alone it is None, in an object it is left out."""
    return _defined(untagged(value))


def _defined(value: Any) -> Any:
    if isinstance(value, list):
        return [_defined(item) for item in value]
    if isinstance(value, dict):
        return {key: _defined(item) for key, item in value.items() if not isinstance(item, Undefined)}
    return None if isinstance(value, Undefined) else value


def client_of(thing: Any) -> Any:
    """The client through which an object speaks; a flow producer of version 3 keeps it in its backend."""
    client = getattr(thing, "client", None)
    return thing.backend.conn if client is None else client


def connections_of(thing: Any) -> list[Any]:
    """What an object has to close."""
    held = [getattr(thing, name, None) for name in ("redisConnection", "blockingRedisConnection")]
    backend = getattr(thing, "backend", None)
    return [one for one in held if one is not None] or ([backend.connection] if backend is not None else [])


def view(job: Any) -> dict[str, Any]:
    """What an answer shows of a job."""
    return {name: getattr(job, OWN_PROPERTIES.get(name, name), None) for name in PROPERTIES}


def strategy(delays: dict[str, list[int]]) -> Callable[..., int]:
    """`{"<type>": [delay of the first retry in ms, of the second, …]}` as the port's `backoffStrategy`."""
    return lambda attempts_made, kind, *_: delays[kind][min(attempts_made, len(delays[kind])) - 1]


def translate(error: Exception) -> Answer:
    """What the port raised, with its symbol if it has one."""
    text = str(error)
    for pattern, symbol in SYMBOLS.items():
        if re.match(pattern, text, re.DOTALL):
            return Answer(text, symbol=symbol)
    of_redis = type(error).__module__.startswith("redis.") and type(error).__name__ == "ResponseError"
    return Answer(text or repr(error), symbol="ScriptError" if of_redis else "unclassified")


def set_offset(ms: float) -> None:
    """Move the wall clock that the port reads, `time.time`, by `ms` from the real one."""
    time.time = _time if ms == 0 else lambda: _time() + ms / 1000
