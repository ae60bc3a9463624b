"""Faults of a port's own code, planted between harness and driver: what it is asked, answers and tells is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]


def same(message: Message) -> Message:
    return message


@dataclass(frozen=True)
class Talk:
    """`ask` changes a call on its way to the driver, `answer` (with the call's method) its result on the way back,
    `tell` a notification; None drops it. `story` and `bug` as in `Fault`."""

    name: str
    story: str
    ask: Callable[[Message], Message] = same
    answer: Callable[[str, Any], Any] = lambda method, result: result
    tell: Callable[[Message], Message | None] = same
    bug: str = ""


# --- what the port does with its options -----------------------------------------------------------------------------


def _without(path: tuple[str, ...], methods: tuple[str, ...]) -> Callable[[Message], Message]:
    """Calls of these methods lose the option at `path` below their parameters."""

    def ask(message: Message) -> Message:
        if message.get("method") in methods:
            for place in _places(message["params"], path[:-1]):
                if isinstance(place, dict):
                    place.pop(path[-1], None)
        return message

    return ask


def _places(value: Any, path: tuple[str, ...]) -> list[Any]:
    if not path:
        return [value]
    if path[0] == "*":
        return [found for item in value or () for found in _places(item, path[1:])]
    return _places(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []


def _ignores(name: str, *path: str, of: str = "queue.add", story: str = "", bug: str = "") -> Talk:
    return Talk(name, story or f"the option `{path[-1]}` is ignored", ask=_without(path, (of,)), bug=bug)


def _elsewhere(name: str, method: str, other: str, story: str, bug: str = "") -> Talk:
    """Calls of one method become calls of another."""

    def ask(message: Message) -> Message:
        return {**message, "method": other} if message.get("method") == method else message

    return Talk(name, story, ask=ask, bug=bug)


IGNORING = (
    _ignores("default-options-ignored", "opts", "defaultJobOptions", of="queue.open", bug="#3695"),
    _ignores("worker-removal-ignored", "opts", "removeOnComplete", of="worker.open", bug="#3694"),
    _ignores("limiter-ignored", "opts", "limiter", of="worker.open", bug="PyPI bullmq 3.4.4"),
    _ignores("concurrency-ignored", "opts", "concurrency", of="worker.open", bug="#2063"),
    _ignores("drain-delay-ignored", "opts", "drainDelay", of="worker.open"),
    _ignores("max-stalled-ignored", "opts", "maxStalledCount", of="worker.open"),
    _ignores("max-started-ignored", "opts", "maxStartedAttempts", of="worker.open"),
    _ignores("lock-duration-ignored", "opts", "lockDuration", of="worker.open"),
    _ignores("worker-name-ignored", "opts", "name", of="worker.open"),
    _ignores("stream-length-ignored", "opts", "streams", of="queue.open"),
    _ignores("jitter-ignored", "opts", "backoff", "jitter", bug="PyPI bullmq 3.4.4"),
    _ignores("attempts-ignored", "opts", "attempts"),
    _ignores("backoff-ignored", "opts", "backoff", bug="#2265"),
    _ignores("parent-option-ignored", "opts", "parent"),
    _ignores("priority-ignored", "opts", "priority"),
    _ignores("force-ignored", "opts", "force", of="queue.obliterate", bug="#3640"),
    _ignores("lifo-ignored", "opts", "lifo"),
    _ignores("delay-ignored", "opts", "delay"),
    _ignores("custom-id-ignored", "opts", "jobId"),
    _ignores("deduplication-ignored", "opts", "deduplication", bug="#3613"),
    _ignores("keep-logs-ignored", "opts", "keepLogs"),
    _ignores("stack-limit-ignored", "opts", "stackTraceLimit"),
    _ignores("removal-ignored", "opts", "removeOnComplete"),
    _ignores("failed-removal-ignored", "opts", "removeOnFail"),
    _ignores("timestamp-ignored", "opts", "timestamp"),
    _ignores("size-limit-ignored", "opts", "sizeLimit"),
    _ignores("bulk-options-ignored", "jobs", "*", "opts", of="queue.addBulk"),
    _ignores("remove-takes-children", "opts", "removeChildren", of="job.remove"),
    _ignores("clean-limit-ignored", "limit", of="queue.clean"),
    _ignores("fail-parent-ignored", "flow", "children", "*", "opts", "failParentOnFailure", of="flow.add", bug="#3620"),
    _ignores(
        "ignore-dependency-ignored",
        "flow",
        "children",
        "*",
        "opts",
        "ignoreDependencyOnFailure",
        of="flow.add",
        bug="#4332",
    ),
    _ignores(
        "continue-parent-ignored",
        "flow",
        "children",
        "*",
        "opts",
        "continueParentOnFailure",
        of="flow.add",
        bug="#4332",
    ),
    _ignores(
        "remove-dependency-ignored",
        "flow",
        "children",
        "*",
        "opts",
        "removeDependencyOnFailure",
        of="flow.add",
        bug="#4332",
    ),
    _ignores("scheduler-limit-ignored", "repeat", "limit", of="queue.upsertJobScheduler"),
    _ignores("scheduler-zone-ignored", "repeat", "tz", of="queue.upsertJobScheduler"),
    _ignores("scheduler-start-ignored", "repeat", "startDate", of="queue.upsertJobScheduler"),
    _ignores("scheduler-end-ignored", "repeat", "endDate", of="queue.upsertJobScheduler"),
    _ignores("scheduler-template-ignored", "template", of="queue.upsertJobScheduler"),
)


def _honours_offset(message: Message) -> Message:
    repeat = message["params"].get("repeat") or {} if message.get("method") == "queue.upsertJobScheduler" else {}
    if repeat.get("offset") and "startDate" in repeat:
        repeat["startDate"] += repeat["offset"]
    return message


@dataclass
class _TagsItself:
    """Remembers whether the scenario runs on a Cluster."""

    cluster: bool = False

    def __call__(self, message: Message) -> Message:
        method = message.get("method", "")
        if method == "scenario.begin":
            self.cluster = message["params"]["redis"]["topology"] == "cluster"
        elif self.cluster and method.endswith(".open"):
            opts = message["params"].get("opts") or {}
            if "{" not in opts.get("prefix", "{") + message["params"].get("name", ""):
                opts["prefix"] = f"{{{opts['prefix']}}}"
        return message


OVERDOING = (
    Talk("offset-honoured", "an offset moves a scheduler's slots, which 5.62.0 ignores", _honours_offset, bug="#3993"),
    Talk("tags-itself", "on a Cluster the port puts the hash tag where there is none", _TagsItself()),
)

# --- what it calls ---------------------------------------------------------------------------------------------------

MISTAKEN = (
    _elsewhere(
        "failed-is-completed", "queue.getFailed", "queue.getCompleted", "getFailed shows the completed jobs", "#3996"
    ),
    _elsewhere("resume-pauses", "queue.resume", "queue.pause", "resume pauses"),
    _elsewhere("promotes-nothing", "job.promote", "job.getState", "promote does nothing"),
    _elsewhere("retries-nothing", "job.retry", "job.getState", "retry does nothing"),
    _elsewhere("changes-no-delay", "job.changeDelay", "job.getState", "changeDelay does nothing"),
    _elsewhere("updates-no-data", "job.updateData", "job.getState", "updateData does nothing"),
    _elsewhere("clears-no-logs", "job.clearLogs", "job.getState", "clearLogs does nothing"),
    _elsewhere("trims-nothing", "queue.trimEvents", "queue.getVersion", "trimEvents does nothing", "#2004"),
    _elsewhere("limits-nobody", "queue.setGlobalRateLimit", "queue.getVersion", "setGlobalRateLimit does nothing"),
    _elsewhere("limits-nothing", "queue.rateLimit", "queue.getVersion", "rateLimit does nothing"),
    _elsewhere(
        "frees-no-id",
        "queue.removeDeduplicationKey",
        "queue.getDeduplicationJobId",
        "removeDeduplicationKey does nothing",
    ),
)

# --- what it answers and tells ---------------------------------------------------------------------------------------


def _answers(name: str, method: str, change: Callable[[Any], Any], story: str, bug: str = "") -> Talk:
    return Talk(name, story, answer=lambda asked, result: change(result) if asked == method else result, bug=bug)


def _quiet(name: str, event: str, story: str, bug: str = "") -> Talk:
    """A notification that never comes."""
    return Talk(name, story, tell=lambda m: None if m["params"].get("event") == event else m, bug=bug)


def _view(name: str, field: str, change: Callable[[Any], Any], story: str, bug: str = "") -> Talk:
    """Jobs in answers show another value."""

    def answer(method: str, result: Any) -> Any:
        if isinstance(result, dict) and field in result and "timestamp" in result:
            return {**result, field: change(result[field])}
        return result

    return Talk(name, story, answer=answer, bug=bug)


ANSWERING = (
    _answers(
        "counts-without-prioritized",
        "queue.getJobCounts",
        lambda counts: {k: v for k, v in counts.items() if k != "prioritized"},
        "getJobCounts leaves out the prioritized jobs",
        "PyPI bullmq 2.17.0",
    ),
    _answers("never-paused", "queue.isPaused", lambda _: False, "isPaused says no", "#2047"),
    _answers("states-in-capitals", "job.getState", lambda state: str(state).upper(), "states have other names"),
    _answers("newest-first", "queue.getWaiting", lambda jobs: jobs[::-1], "getWaiting shows the newest first", "#4022"),
    _answers("logs-uncounted", "queue.getJobLogs", lambda logs: {**logs, "count": 0}, "getJobLogs does not count"),
    _answers("removes-nothing", "queue.remove", lambda _: 0, "remove says that nothing was there"),
    _answers("cleans-nothing", "queue.clean", lambda _: [], "clean does not tell which jobs went"),
    _answers("no-workers", "queue.getWorkersCount", lambda _: 0, "getWorkersCount finds none"),
    _answers("prioritized-unlisted", "queue.getPrioritized", lambda _: [], "getPrioritized finds none", "#3716"),
    _answers("limit-without-an-end", "queue.getRateLimitTtl", lambda _: 0, "getRateLimitTtl is always 0"),
    _answers("children-hidden", "job.getChildrenValues", lambda _: {}, "getChildrenValues finds none"),
    _view("attempts-hidden", "attemptsMade", lambda _: 0, "jobs do not show their attempts"),
    _view("returnvalue-hidden", "returnvalue", lambda _: None, "a result cannot be read back", "#2143"),
    _view("returnvalue-quoted", "returnvalue", lambda value: f'"{value}"', "a returned value is read with its quotes"),
    _quiet("completed-untold", "completed", "workers do not tell that a job completed"),
    _quiet("failed-untold", "failed", "workers do not tell that a job failed"),
    _quiet("active-untold", "active", "workers do not tell that a job began", "#3911"),
    _quiet("drained-untold", "drained", "workers do not tell that the queue is empty"),
    _quiet("progress-untold", "progress", "workers do not tell of progress"),
    _quiet("stalled-untold", "stalled", "workers do not tell of stalled jobs"),
    Talk(
        "listeners-hear-nothing",
        "workers tell their listeners nothing at all",
        tell=lambda m: None if m["method"] == "worker.event" else m,
    ),
    Talk(
        "results-untold",
        "listeners of `completed` are not handed the result",
        tell=lambda m: {**m, "params": {**m["params"], "args": {}}} if m["params"].get("event") == "completed" else m,
        bug="#2143",
    ),
    _quiet("added-untold", "added", "the event reader passes over `added`"),
)


FAULTS = (*IGNORING, *OVERDOING, *MISTAKEN, *ANSWERING)
