"""The methods a driver may offer, each with its parameters in Node's order: the manual of BullMQ's API, as data.

`on` (the object) and, for `job.*`, `on` and `id` come before these. All parameters are optional where Node's are.
"""

from __future__ import annotations

LIFE: dict[str, tuple[str, ...]] = {
    "initialize": ("protocol", "bullmq"),
    "scenario.begin": ("id", "prefix", "redis"),
    "scenario.end": (),
    "shutdown": (),
    "ping": (),
    "clock.set": ("offsetMs",),
}

QUEUE: dict[str, tuple[str, ...]] = {
    "open": ("as", "name", "opts"),
    "close": (),
    "add": ("name", "data", "opts"),
    "addBulk": ("jobs",),
    "pause": (),
    "resume": (),
    "isPaused": (),
    "isMaxed": (),
    "count": (),
    "getJobCounts": ("types",),
    "getJobCountByTypes": ("types",),
    "getWaitingCount": (),
    "getActiveCount": (),
    "getDelayedCount": (),
    "getPrioritizedCount": (),
    "getCompletedCount": (),
    "getFailedCount": (),
    "getCountsPerPriority": ("priorities",),
    "getJob": ("jobId",),
    "getJobState": ("jobId",),
    "getJobs": ("types", "start", "end", "asc"),
    "getRanges": ("types", "start", "end", "asc"),
    "getWaiting": ("start", "end"),
    "getActive": ("start", "end"),
    "getDelayed": ("start", "end"),
    "getPrioritized": ("start", "end"),
    "getWaitingChildren": ("start", "end"),
    "getWaitingChildrenCount": (),
    "getDependencies": ("parentId", "type", "start", "end"),
    "getCompleted": ("start", "end"),
    "getFailed": ("start", "end"),
    "getJobLogs": ("jobId", "start", "end", "asc"),
    "addJobLog": ("jobId", "row", "keepLogs"),
    "updateJobProgress": ("jobId", "progress"),
    "getVersion": (),
    "getMetrics": ("type", "start", "end"),
    "exportPrometheusMetrics": ("globalVariables",),
    "getWorkers": (),  # of each connection: `name` and `rawname`
    "getWorkersCount": (),
    "getQueueEvents": (),  # as `getWorkers`
    "remove": ("jobId", "opts"),
    "drain": ("delayed",),
    "clean": ("grace", "limit", "type"),
    "obliterate": ("opts",),
    "retryJobs": ("opts",),
    "promoteJobs": ("opts",),
    "trimEvents": ("maxLength",),
    "rateLimit": ("ms",),
    "getRateLimitTtl": ("max",),
    "removeRateLimitKey": (),
    "setGlobalConcurrency": ("concurrency",),
    "getGlobalConcurrency": (),
    "removeGlobalConcurrency": (),
    "setGlobalRateLimit": ("max", "duration"),
    "getGlobalRateLimit": (),
    "removeGlobalRateLimit": (),
    "removeDeduplicationKey": ("id",),
    "getDeduplicationJobId": ("id",),
    "removeDebounceKey": ("id",),
    "getDebounceJobId": ("id",),
    "removeDeprecatedPriorityKey": (),
    "upsertJobScheduler": ("id", "repeat", "template"),
    "removeJobScheduler": ("id",),
    "getJobScheduler": ("id",),
    "getJobSchedulers": ("start", "end", "asc"),
    "getJobSchedulersCount": (),
    "getRepeatableJobs": ("start", "end", "asc"),
    "removeRepeatable": ("name", "repeat", "jobId"),
    "removeRepeatableByKey": ("key",),
}

JOB: dict[str, tuple[str, ...]] = {
    "getState": (),
    "isCompleted": (),
    "isFailed": (),
    "isDelayed": (),
    "isActive": (),
    "isWaiting": (),
    "isWaitingChildren": (),
    "updateData": ("data",),
    "updateProgress": ("progress",),
    "log": ("row",),
    "clearLogs": ("keepLogs",),
    "remove": ("opts",),
    "retry": ("state",),
    "promote": (),
    "changeDelay": ("delay",),
    "changePriority": ("opts",),
    "discard": (),
    "waitUntilFinished": ("events", "ttl"),  # events: the name of a reader of the job's queue
    "extendLock": ("token", "duration"),
    "moveToCompleted": ("returnValue", "token", "fetchNext"),
    "moveToFailed": ("message", "token", "fetchNext"),  # message: the text of the Error
    "moveToDelayed": ("timestamp", "token"),
    "moveToWait": ("token",),
    "moveToWaitingChildren": ("token", "opts"),
    "getChildrenValues": (),
    "getIgnoredChildrenFailures": (),
    "getFailedChildrenValues": (),
    "getDependencies": ("opts",),
    "getDependenciesCount": ("opts",),
    "removeChildDependency": (),
    "removeUnprocessedChildren": (),
}

WORKER: dict[str, tuple[str, ...]] = {
    "open": ("as", "name", "opts", "processor"),  # processor: false for a worker driven by hand
    "close": ("force",),
    "pause": ("doNotWaitActive",),
    "resume": (),
    "isPaused": (),
    "isRunning": (),
    "getNextJob": ("token", "opts"),
    "sweep": (),  # one stalled sweep now (Node: moveStalledJobsToWait)
}

EVENTS: dict[str, tuple[str, ...]] = {"open": ("as", "name", "opts"), "close": ()}

PRODUCER: dict[str, tuple[str, ...]] = {
    "open": ("as", "name", "opts"),
    "close": (),
    "publishEvent": ("event", "maxEvents"),  # event: `eventName` and the fields
}

#: A node is `{name, queueName, data?, opts?, prefix?, children?}`; answers are trees of `{job, children?}`.
FLOW: dict[str, tuple[str, ...]] = {
    "open": ("as", "opts"),
    "close": (),
    "add": ("flow", "opts"),
    "addBulk": ("flows",),
    "getFlow": ("opts",),
}

_GROUPS = {"queue": QUEUE, "job": JOB, "worker": WORKER, "events": EVENTS, "producer": PRODUCER, "flow": FLOW}

#: Every method a driver may be asked for, by its full name.
METHODS: dict[str, tuple[str, ...]] = LIFE | {
    f"{group}.{name}": params for group, methods in _GROUPS.items() for name, params in methods.items()
}

#: What a job looks like in an answer: Node's property names. `null` and absent mean the same.
JOB_VIEW: tuple[str, ...] = (
    "id", "name", "data", "opts", "progress", "delay", "priority", "timestamp", "attemptsMade", "attemptsStarted",
    "stalledCounter", "failedReason", "stacktrace", "returnvalue", "finishedOn", "processedOn", "processedBy",
    "deferredFailure", "parentKey", "parent", "deduplicationId", "repeatJobKey",
)  # fmt: skip
