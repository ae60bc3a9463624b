"""Faults in the scripts that manage a queue, its flows and its schedulers."""

from __future__ import annotations

from .lua import fault

MANAGING = (
    fault(
        "wrong-progress-field",
        "updateProgress",
        'KEYS[1], "progress", ARGV[2]',
        'KEYS[1], "progres", ARGV[2]',
        "progress is stored in another field",
    ),
    fault(
        "progress-unsaid",
        "updateProgress",
        '"event", "progress"',
        '"event", "progressed"',
        "the `progress` event has another name",
    ),
    fault(
        "key-outside-the-prefix",
        "updateData",
        'rcall("HSET", KEYS[1]',
        'rcall("SET", "elsewhere", "1") rcall("HSET", KEYS[1]',
        "a key is written beside the prefix",
    ),
    fault("delay-kept-on-promotion", "promote", '"delay", 0', '"delay", 1', "a promoted job still shows a delay"),
    fault(
        "promoted-unsaid",
        "promote",
        '"prev",\n          "delayed"',
        '"prev", "wait"',
        "the `waiting` event of a promotion tells another state",
    ),
    fault("pause-unsaid", "pause", '"event", ARGV[1]', '"event", "pause"', "the `paused` event has another name"),
    fault(
        "moves-seven-thousand",
        "pause",
        'rcall("RENAME", KEYS[1], KEYS[2])',
        'for _ = 1, 7000 do if not rcall("RPOPLPUSH", KEYS[1], KEYS[2]) then break end end',
        "pausing and resuming move 7000 jobs, and leave the rest",
        "#4289",
    ),
    fault("pause-keeps-the-marker", "pause", 'rcall("DEL", markerKey)', "", "the marker of a paused queue stays"),
    fault(
        "resume-without-marker",
        "pause",
        'rcall("ZADD", markerKey, 0, "0")',
        "local _ = 0",
        "workers sleep on when the queue is resumed",
    ),
    fault("log-prepended", "addLog", '"RPUSH"', '"LPUSH"', "logs are in reverse order"),
    fault("logs-not-trimmed", "addLog", 'rcall("LTRIM", KEYS[2], -keepLogs, -1)', "", "keepLogs is ignored"),
    fault(
        "wrong-delay-of-change",
        "changeDelay",
        '"delay", delay)',
        '"delay", delay + 1)',
        "a changed delay is off by one",
    ),
    fault(
        "priority-change-half-done",
        "changePriority",
        'rcall("HSET", jobKey, "priority", priority)',
        "",
        "the hash does not tell a changed priority",
    ),
    fault(
        "removal-unsaid",
        "removeJob",
        '"event", "removed"',
        '"event", "deleted"',
        "the `removed` event has another name",
    ),
    fault("logs-outlive-the-job", "removeJob", "jobKey .. ':logs', ", "", "a removed job leaves its logs"),
    fault(
        "locked-jobs-are-removed",
        "removeJob",
        "if not isLocked(prefix, jobId, shouldRemoveChildren) then",
        "if true then",
        "a job that is at work is removed",
    ),
    fault(
        "clean-uncounted", "cleanJobsInSet", '"count", result[2]', '"count", 0', "the `cleaned` event counts nothing"
    ),
    fault(
        "clean-ignores-grace", "cleanJobsInSet", "rangeEnd = ARGV[2]", 'rangeEnd = "+inf"', "clean ignores its grace"
    ),
    fault(
        "drain-takes-delayed", "drain", 'if ARGV[2] == "1" then', "if true then", "drain removes delayed jobs unasked"
    ),
    fault("obliterate-leaves-meta", "obliterate", "baseKey .. 'meta',", "", "an obliterated queue leaves its meta"),
    fault("obliterate-never-refuses", "obliterate", "return -2", "return 0", "obliterate ignores active jobs"),
    fault(
        "retry-all-keeps-reasons",
        "moveJobsToWait",
        ', "finishedOn", "processedOn", "failedReason")',
        ', "gone")',
        "jobs retried together still show why they failed",
    ),
)

FLOWS = (
    fault(
        "quoted-result-of-a-child",
        "moveToFinished",
        'rcall("HSET", processedSet, jobIdKey, returnvalue)',
        """rcall("HSET", processedSet, jobIdKey, '"' .. returnvalue .. '"')""",
        "a child's result is kept as JSON in JSON",
    ),
    fault(
        "orphans-accepted",
        "addParentJob",
        'if rcall("EXISTS", parentKey) ~= 1 then return -5 end',
        "",
        "a parent below a job that is not there is stored",
        "#3264",
    ),
    fault(
        "parent-without-a-time",
        "addParentJob",
        '"ZADD", waitChildrenKey, timestamp',
        '"ZADD", waitChildrenKey, 0',
        "a parent's score does not tell when it was added",
    ),
    fault(
        "parent-waits-for-nobody",
        "addStandardJob",
        'rcall("SADD", parentDependenciesKey, jobIdKey)',
        "",
        "a child is not among those that its parent waits for",
    ),
    fault(
        "parent-never-goes-on",
        "moveToFinished",
        "if doNotHavePendingDependencies then",
        "if false then",
        "a parent waits on when its last child has completed",
        "#3122",
    ),
    fault(
        "waiting-children-unsaid",
        "moveToWaitingChildren",
        '"event", "waiting-children"',
        '"event", "waiting"',
        "the `waiting-children` event has another name",
    ),
    fault(
        "failed-child-unnoted",
        "moveToFinished",
        'rcall("ZADD", parentUnsuccesssfulChildrenKey, timestamp, childKey)',
        "",
        "a parent does not know which child failed it",
    ),
    fault(
        "ignored-failure-unnoted",
        "moveToFinished",
        'rcall("HSET", parentFailedChildrenKey, childKey, failedReason)',
        "",
        "a parent does not know which failures it ignores",
    ),
    fault(
        "completes-before-its-children",
        "moveToFinished",
        "return -4",
        "local _ = -4",
        "a parent completes although children are pending",
    ),
    fault(
        "retried-child-not-waited-for",
        "reprocessJob",
        'rcall("SADD", parentKey .. ":dependencies", jobKey)',
        "local _ = jobKey",
        "a parent does not wait for a child that is retried",
        "#3320",
    ),
)

SCHEDULING = (
    fault(
        "scheduler-counted-anew",
        "addJobScheduler",
        'rcall("HGET", schedulerKey, "ic") or 1',
        "1",
        "an update of a scheduler forgets how often it ran",
    ),
    fault(
        "next-iteration-unsaid",
        "updateJobScheduler",
        '"nrjid", nextDelayedJobId',
        '"nrj", nextDelayedJobId',
        "a job does not name the next one of its scheduler",
    ),
    fault(
        "removed-scheduler-leaves-its-job",
        "removeJobScheduler",
        "delayedJobId) == 1",
        "delayedJobId) == 2",
        "a removed scheduler's next job runs",
    ),
    fault("iterations-not-counted", "updateJobScheduler", '"ic", 1)', '"ic", 0)', "iterations are not counted"),
    fault(
        "slots-drift",
        "updateJobScheduler",
        "nextMillis = prevMillis + every",
        "nextMillis = now + every",
        "slots start from the time of work, not from the slot before",
    ),
)

FAULTS = (*MANAGING, *FLOWS, *SCHEDULING)
