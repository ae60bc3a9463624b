"""The protocol's methods as calls on objects that have Python's names for them: what `reference` offers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from bullmq_ref import RepeatableJob
from bullmq_ref.options import camel

Params = dict[str, Any]
Call = Callable[[Any, Params], Awaitable[Any]]


class Error(Exception):
    """What a scenario throws: its stack trace begins like JavaScript's."""


def options(params: Params) -> dict[str, Any]:
    return params.get("opts") or {}


def given(params: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """Keyword arguments for those of Node's parameters that were given: `ours="theirs"`."""
    return {ours: params[theirs] for ours, theirs in names.items() if params.get(theirs) is not None}


def _same(params: Params, name: str) -> dict[str, Any]:
    return {name: params[name]} if name in params else {}


def span(params: Params) -> dict[str, Any]:
    return given(params, start="start", end="end", ascending="asc")


QUEUE: dict[str, Call] = {
    "add": lambda q, p: q.add(p["name"], options=p.get("opts"), **_same(p, "data")),
    "addBulk": lambda q, p: q.add_bulk(p["jobs"]),
    "pause": lambda q, p: q.pause(),
    "resume": lambda q, p: q.resume(),
    "isPaused": lambda q, p: q.is_paused(),
    "isMaxed": lambda q, p: q.is_maxed(),
    "count": lambda q, p: q.count(),
    "getJobCounts": lambda q, p: q.get_job_counts(*_list(p.get("types"))),
    "getJobCountByTypes": lambda q, p: q.get_job_count_by_types(*_list(p.get("types"))),
    "getWaitingCount": lambda q, p: q.get_waiting_count(),
    "getActiveCount": lambda q, p: q.get_active_count(),
    "getDelayedCount": lambda q, p: q.get_delayed_count(),
    "getPrioritizedCount": lambda q, p: q.get_prioritized_count(),
    "getCompletedCount": lambda q, p: q.get_completed_count(),
    "getFailedCount": lambda q, p: q.get_failed_count(),
    "getCountsPerPriority": lambda q, p: q.get_counts_per_priority(p["priorities"]),
    "getJob": lambda q, p: q.get_job(p["jobId"]),
    "getJobState": lambda q, p: q.get_job_state(p["jobId"]),
    "getJobs": lambda q, p: q.get_jobs(_list(p.get("types")), **span(p)),
    "getRanges": lambda q, p: q.get_ranges(_list(p.get("types")), **span(p)),
    "getWaiting": lambda q, p: q.get_waiting(**span(p)),
    "getActive": lambda q, p: q.get_active(**span(p)),
    "getDelayed": lambda q, p: q.get_delayed(**span(p)),
    "getPrioritized": lambda q, p: q.get_prioritized(**span(p)),
    "getCompleted": lambda q, p: q.get_completed(**span(p)),
    "getFailed": lambda q, p: q.get_failed(**span(p)),
    "getJobLogs": lambda q, p: q.get_job_logs(p["jobId"], **span(p)),
    "addJobLog": lambda q, p: q.add_job_log(p["jobId"], p["row"], p.get("keepLogs")),
    "updateJobProgress": lambda q, p: q.update_job_progress(p["jobId"], p["progress"]),
    "getVersion": lambda q, p: q.get_version(),
    "getMetrics": lambda q, p: q.get_metrics(p["type"], **span(p)),
    "exportPrometheusMetrics": lambda q, p: q.export_prometheus_metrics(p.get("globalVariables")),
    "getWorkers": lambda q, p: _names(q.get_workers()),
    "getWorkersCount": lambda q, p: q.get_workers_count(),
    "getQueueEvents": lambda q, p: _names(q.get_queue_events()),
    "remove": lambda q, p: q.remove(p["jobId"], **given(options(p), remove_children="removeChildren")),
    "drain": lambda q, p: q.drain(delayed=bool(p.get("delayed"))),
    "clean": lambda q, p: q.clean(p["grace"], p.get("limit") or 0, **given(p, state="type")),
    "obliterate": lambda q, p: q.obliterate(**given(options(p), force="force", count="count")),
    "retryJobs": lambda q, p: q.retry_jobs(**given(options(p), state="state", count="count", timestamp="timestamp")),
    "promoteJobs": lambda q, p: q.promote_jobs(**given(options(p), count="count")),
    "trimEvents": lambda q, p: q.trim_events(p["maxLength"]),
    "rateLimit": lambda q, p: q.rate_limit(p["ms"]),
    "getRateLimitTtl": lambda q, p: q.get_rate_limit_ttl(p.get("max")),
    "removeRateLimitKey": lambda q, p: q.remove_rate_limit_key(),
    "setGlobalConcurrency": lambda q, p: q.set_global_concurrency(p["concurrency"]),
    "getGlobalConcurrency": lambda q, p: q.get_global_concurrency(),
    "removeGlobalConcurrency": lambda q, p: q.remove_global_concurrency(),
    "setGlobalRateLimit": lambda q, p: q.set_global_rate_limit(p["max"], p["duration"]),
    "getGlobalRateLimit": lambda q, p: q.get_global_rate_limit(),
    "removeGlobalRateLimit": lambda q, p: q.remove_global_rate_limit(),
    "removeDeduplicationKey": lambda q, p: q.remove_deduplication_key(p["id"]),
    "getDeduplicationJobId": lambda q, p: q.get_deduplication_job_id(p["id"]),
    "removeDebounceKey": lambda q, p: q.remove_debounce_key(p["id"]),
    "getDebounceJobId": lambda q, p: q.get_debounce_job_id(p["id"]),
    "removeDeprecatedPriorityKey": lambda q, p: q.remove_deprecated_priority_key(),
    "upsertJobScheduler": lambda q, p: q.upsert_job_scheduler(p["id"], p["repeat"], p.get("template")),
    "removeJobScheduler": lambda q, p: q.remove_job_scheduler(p["id"]),
    "getJobScheduler": lambda q, p: _named(q.get_job_scheduler(p["id"])),
    "getJobSchedulers": lambda q, p: _named(q.get_job_schedulers(**span(p))),
    "getJobSchedulersCount": lambda q, p: q.get_job_schedulers_count(),
    "getRepeatableJobs": lambda q, p: _named(q.get_repeatable_jobs(**span(p))),
    "removeRepeatable": lambda q, p: q.remove_repeatable(p["name"], p["repeat"], p.get("jobId")),
    "removeRepeatableByKey": lambda q, p: q.remove_repeatable_by_key(p["key"]),
}

JOB: dict[str, Call] = {
    "getState": lambda j, p: j.get_state(),
    "isCompleted": lambda j, p: j.is_completed(),
    "isFailed": lambda j, p: j.is_failed(),
    "isDelayed": lambda j, p: j.is_delayed(),
    "isActive": lambda j, p: j.is_active(),
    "isWaiting": lambda j, p: j.is_waiting(),
    "updateData": lambda j, p: j.update_data(p["data"]),
    "updateProgress": lambda j, p: j.update_progress(p["progress"]),
    "log": lambda j, p: j.log(p["row"]),
    "clearLogs": lambda j, p: j.clear_logs(p.get("keepLogs")),
    "remove": lambda j, p: j.remove(**given(options(p), remove_children="removeChildren")),
    "retry": lambda j, p: j.retry(**given(p, state="state")),
    "promote": lambda j, p: j.promote(),
    "changeDelay": lambda j, p: j.change_delay(p["delay"]),
    "changePriority": lambda j, p: j.change_priority(**given(options(p), priority="priority", lifo="lifo")),
    "discard": lambda j, p: _at_once(j.discard),
    "waitUntilFinished": lambda j, p: j.wait_until_finished(p["events"], p.get("ttl")),
    "extendLock": lambda j, p: j.extend_lock(p["token"], p["duration"]),
    "moveToCompleted": lambda j, p: j.move_to_completed(
        p["returnValue"], p["token"], **given(p, fetch_next="fetchNext")
    ),
    "moveToFailed": lambda j, p: j.move_to_failed(
        Error(p.get("message", "")), p["token"], **given(p, fetch_next="fetchNext")
    ),
    "moveToDelayed": lambda j, p: j.move_to_delayed(p["timestamp"], p.get("token")),
    "moveToWait": lambda j, p: j.move_to_wait(p.get("token")),
}


async def _at_once(function: Callable[[], Any]) -> Any:
    return function()


WORKER: dict[str, Call] = {
    "pause": lambda w, p: w.pause(do_not_wait_active=bool(p.get("doNotWaitActive"))),
    "resume": lambda w, p: _at_once(w.resume),
    "isPaused": lambda w, p: _at_once(w.is_paused),
    "isRunning": lambda w, p: _at_once(w.is_running),
    "getNextJob": lambda w, p: w.get_next_job(p["token"], **given(options(p), block="block")),
    "sweep": lambda w, p: _quietly(w.sweep()),
}


PRODUCER: dict[str, Call] = {
    "publishEvent": lambda e, p: _publish(e, dict(p["event"]), **given(p, max_events="maxEvents"))
}


async def _publish(producer: Any, event: dict[str, Any], **given: Any) -> None:
    await producer.publish_event(event.pop("eventName"), event, **given)


async def _names(clients: Awaitable[list[dict[str, str]]]) -> list[dict[str, str]]:
    return [{"name": client["name"], "rawname": client["rawname"]} for client in await clients]


async def _named(work: Awaitable[Any]) -> Any:
    """Records with Node's names; of a scheduler's, what it does not have is absent."""
    answer = await work
    return [_record(item) for item in answer] if isinstance(answer, list) else _record(answer)


def _record(value: Any) -> Any:
    if not is_dataclass(value):
        return value
    named = {camel(f.name): _record(getattr(value, f.name)) for f in fields(value)}
    return named if isinstance(value, RepeatableJob) else {k: v for k, v in named.items() if v is not None}


async def _quietly(work: Awaitable[Any]) -> None:
    await work


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
