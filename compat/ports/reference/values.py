"""Values between the protocol and the library: tagged ones, jobs, errors."""

from __future__ import annotations

from typing import Any

from bullmq_ref import UNDEFINED, Job, JobNode
from bullmq_ref.errors import BullMQError
from bullmq_ref.jsjson import Undefined
from compat.ports import stdio
from compat.ports.stdio import Answer


def decode(value: Any) -> Any:
    """Untagged, with the library's own `undefined`."""
    return _undefined(stdio.decode(value))


def _undefined(value: Any) -> Any:
    if isinstance(value, list):
        return [_undefined(item) for item in value]
    if isinstance(value, dict):
        return {key: _undefined(item) for key, item in value.items()}
    return UNDEFINED if isinstance(value, stdio.Undefined) else value


def shown(answer: Any, jobs: dict[str, Job[Any, Any]]) -> Any:
    """An answer with its jobs shown; they are noted in `jobs`, as the objects that `job.*` acts on from now on."""
    if isinstance(answer, Job):
        jobs[answer.id] = answer
        return view(answer)
    if isinstance(answer, JobNode):
        children = {"children": shown(answer.children, jobs)} if answer.children else {}
        return {"job": shown(answer.job, jobs), **children}
    if isinstance(answer, list):
        return [stdio.UNDEFINED if item is None else shown(item, jobs) for item in answer]
    slots = getattr(answer, "__dataclass_fields__", None)
    return {name: getattr(answer, name) for name in slots} if slots else answer


def view(job: Job[Any, Any]) -> dict[str, Any]:
    """What an answer shows of a job, by Node's names."""
    shown = {
        "id": int(job.id) if job.id.startswith("-") and job.id[1:].isdigit() else job.id,
        "name": job.name,
        "data": job.data,
        "opts": job.options,
        "progress": job.progress,
        "delay": job.delay,
        "priority": job.priority,
        "timestamp": job.timestamp,
        "attemptsMade": job.attempts_made,
        "attemptsStarted": job.attempts_started,
        "stalledCounter": job.stalled_counter,
        "failedReason": job.failed_reason,
        "stacktrace": job.stacktrace,
        "returnvalue": job.returnvalue,
        "finishedOn": job.finished_on,
        "processedOn": job.processed_on,
        "processedBy": job.processed_by,
        "deferredFailure": job.deferred_failure,
        "parentKey": job.parent_key,
        "parent": job.parent,
        "deduplicationId": job.deduplication_id,
        "repeatJobKey": job.repeat_job_key,
    }
    absent = (n for n, v in shown.items() if isinstance(v, Undefined) or (v is None and n not in _NULLS))
    for name in tuple(absent):
        del shown[name]
    return shown


#: What is `null` in Node where other properties are undefined.
_NULLS = frozenset({"data", "progress", "returnvalue", "stacktrace"})


def translate(error: Exception) -> Answer:
    """The answer for what the library raised."""
    if isinstance(error, BullMQError):
        return Answer(str(error), symbol=error.symbol)
    if isinstance(error, KeyError):
        return Answer(f"the parameter {error} is missing", stdio.UNSUPPORTED_OPTION)
    return Answer(f"{type(error).__name__}: {error}")
