"""What PyPI's `bullmq` can be asked for: its methods by Node's names, the actions of an attempt and its ends."""

from __future__ import annotations

import importlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

errors: Any = importlib.import_module("bullmq.custom_errors")

Params = dict[str, Any]
Call = Callable[[Any, Params], Any]

# --- the port's methods, where it has them ---------------------------------------------------------------------------


def _range(params: Params) -> Params:
    return {name: params[name] for name in ("start", "end", "asc") if name in params}


def options(params: Params) -> Params:
    return params.get("opts") or {}


QUEUE: dict[str, Call] = {
    "add": lambda q, p: q.add(p["name"], p.get("data"), options(p)),
    "addBulk": lambda q, p: q.addBulk(p["jobs"]),
    "pause": lambda q, p: q.pause(),
    "resume": lambda q, p: q.resume(),
    "isPaused": lambda q, p: q.isPaused(),
    "getJobCounts": lambda q, p: q.getJobCounts(*(p.get("types") or ())),
    "getJobCountByTypes": lambda q, p: q.getJobCountByTypes(*(p.get("types") or ())),
    "getWaitingCount": lambda q, p: q.getWaitingCount(),
    "getDelayedCount": lambda q, p: q.getDelayedCount(),
    "getCompletedCount": lambda q, p: q.getCompletedCount(),
    "getFailedCount": lambda q, p: q.getFailedCount(),
    "getCountsPerPriority": lambda q, p: q.getCountsPerPriority(p["priorities"]),
    "getJob": lambda q, p: q.getJob(p["jobId"]),
    "getJobState": lambda q, p: q.getJobState(p["jobId"]),
    "getJobs": lambda q, p: q.getJobs(p.get("types") or [], **_range(p)),
    "getWaiting": lambda q, p: q.getWaiting(**_range(p)),
    "getActive": lambda q, p: q.getActive(**_range(p)),
    "getDelayed": lambda q, p: q.getDelayed(**_range(p)),
    "getPrioritized": lambda q, p: q.getPrioritized(**_range(p)),
    "getWaitingChildren": lambda q, p: q.getWaitingChildren(**_range(p)),
    "getCompleted": lambda q, p: q.getCompleted(**_range(p)),
    "getFailed": lambda q, p: q.getFailed(**_range(p)),
    "getJobLogs": lambda q, p: q.getJobLogs(p["jobId"], **_range(p)),
    "getWorkersCount": lambda q, p: q.get_workers_count(),
    "remove": lambda q, p: q.remove(p["jobId"], options(p)),
    "drain": lambda q, p: q.drain(bool(p.get("delayed"))),
    "clean": lambda q, p: q.clean(p["grace"], p.get("limit") or 0, p.get("type") or "completed"),
    "obliterate": lambda q, p: q.obliterate(bool(options(p).get("force"))),
    "retryJobs": lambda q, p: q.retryJobs(options(p)),
    "promoteJobs": lambda q, p: q.promoteJobs(options(p)),
    "trimEvents": lambda q, p: q.trimEvents(p["maxLength"]),
    "rateLimit": lambda q, p: q.rateLimit(p["ms"]),
    "getRateLimitTtl": lambda q, p: q.getRateLimitTtl(),  # it takes no `max`
    "removeRateLimitKey": lambda q, p: q.removeRateLimitKey(),
    "removeDeprecatedPriorityKey": lambda q, p: q.removeDeprecatedPriorityKey(),
    "setGlobalConcurrency": lambda q, p: q.setGlobalConcurrency(p["concurrency"]),
    "getGlobalConcurrency": lambda q, p: q.getGlobalConcurrency(),
    "removeGlobalConcurrency": lambda q, p: q.removeGlobalConcurrency(),
    "setGlobalRateLimit": lambda q, p: q.setGlobalRateLimit(p["max"], p["duration"]),
    "getGlobalRateLimit": lambda q, p: q.getGlobalRateLimit(),
    "removeGlobalRateLimit": lambda q, p: q.removeGlobalRateLimit(),
    "getDeduplicationJobId": lambda q, p: q.getDeduplicationJobId(p["id"]),
}

FLOW: dict[str, Call] = {
    "add": lambda f, p: f.add(p["flow"], options(p)),
    "addBulk": lambda f, p: f.addBulk(p["flows"]),
    "getFlow": lambda f, p: f.getFlow(options(p)),
}

JOB: dict[str, Call] = {
    "getState": lambda j, p: j.getState(),
    "isCompleted": lambda j, p: j.isCompleted(),
    "isFailed": lambda j, p: j.isFailed(),
    "isDelayed": lambda j, p: j.isDelayed(),
    "isActive": lambda j, p: j.isActive(),
    "isWaiting": lambda j, p: j.isWaiting(),
    "isWaitingChildren": lambda j, p: j.isWaitingChildren(),
    "updateData": lambda j, p: j.updateData(p["data"]),
    "updateProgress": lambda j, p: j.updateProgress(p["progress"]),
    "log": lambda j, p: j.log(p["row"]),
    "remove": lambda j, p: j.remove(options(p)),
    "retry": lambda j, p: j.retry(p.get("state") or "failed"),
    "promote": lambda j, p: j.promote(),
    "changePriority": lambda j, p: j.changePriority(options(p)),
    "moveToCompleted": lambda j, p: j.moveToCompleted(p.get("returnValue"), p["token"], **_fetch(p)),
    "moveToFailed": lambda j, p: _move_to_failed(j, p),
    "moveToDelayed": lambda j, p: j.moveToDelayed(p["timestamp"], p["token"]),
    "moveToWaitingChildren": lambda j, p: j.moveToWaitingChildren(p["token"], options(p)),
    "getChildrenValues": lambda j, p: j.getChildrenValues(),
    "getDependencies": lambda j, p: j.getDependencies(options(p)),
    "getDependenciesCount": lambda j, p: j.getDependenciesCount(options(p)),
    "removeChildDependency": lambda j, p: j.removeChildDependency(),
    "removeUnprocessedChildren": lambda j, p: j.removeUnprocessedChildren(),
}

WORKER: dict[str, Call] = {
    "pause": lambda w, p: w.pause(bool(p.get("doNotWaitActive"))),
    "resume": lambda w, p: w.resume(),
    "isPaused": lambda w, p: w.paused,
    "isRunning": lambda w, p: w.running,
    "getNextJob": lambda w, p: w.getNextJob(p["token"]),  # it takes no options
    "sweep": lambda w, p: w.runStalledJobsCheck(),
}

#: Names of the port's own.
OWN_NAMES = {"getWorkersCount": "get_workers_count", "sweep": "runStalledJobsCheck"}
ATTRIBUTES = ("isPaused", "isRunning")  # what is no method there


def _fetch(params: Params) -> Params:
    return {"fetchNext": params["fetchNext"]} if "fetchNext" in params else {}


async def _move_to_failed(job: Any, params: Params) -> Any:
    try:
        raise Exception(params.get("message", ""))  # noqa: TRY002 — the stack it stores is that of the raised error
    except Exception as error:
        return await job.moveToFailed(error, params["token"], **_fetch(params))


def offered(calls: dict[str, Call], kind: Any) -> list[str]:
    """Those of `calls` that the port has a name for."""
    return [name for name in calls if name in ATTRIBUTES or hasattr(kind, OWN_NAMES.get(name, name))]


# --- what an attempt does, and how it ends ---------------------------------------------------------------------------


async def _spin(job: Any, ms: int) -> None:
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


ACTIONS: dict[str, Callable[[Any, Any], Awaitable[Any]]] = {
    "progress": lambda job, value: job.updateProgress(value),
    "log": lambda job, row: job.log(row),
    "updateData": lambda job, data: job.updateData(data),
    "spin": _spin,
}


async def _unrecoverable(job: Any, token: str, thrown: Params) -> None:
    raise errors.UnrecoverableError(thrown.get("message", ""))


async def _delayed(job: Any, token: str, thrown: Params) -> None:
    await job.moveToDelayed(round(time.time() * 1000) + (thrown.get("ms") or 0), token)
    raise errors.DelayedError


async def _waiting_children(job: Any, token: str, thrown: Params) -> None:
    await job.moveToWaitingChildren(token, {})
    raise errors.WaitingChildrenError


THROWS: dict[str, Callable[[Any, str, Params], Awaitable[None]]] = {
    "unrecoverable": _unrecoverable,
    "waitingChildren": _waiting_children,
    **({"delayed": _delayed} if hasattr(errors, "DelayedError") else {}),
}
