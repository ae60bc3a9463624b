"""Faults in the text of BullMQ's scripts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial

from bullmq_ref import lua

from .fault import Fault


def mutate(script: str, old: str, new: str) -> None:
    """Have the library load `script` with `new` wherever `old` stood. A place that is not there ends the driver."""
    sound = lua.load

    def load(asked: str) -> lua.Script:
        found = sound(asked)
        if found.name != script:
            return found
        text = found.text.decode()
        if old not in text:
            raise SystemExit(f"{old!r} does not stand in {script}")
        faulty = text.replace(old, new).encode()
        return replace(found, text=faulty, sha=hashlib.sha1(faulty, usedforsecurity=False).hexdigest())

    vars(lua)["load"] = load
    load(script)


def fault(name: str, script: str, old: str, new: str, story: str, bug: str = "") -> Fault:
    return Fault(name, story, partial(mutate, script, old, new), bug)


_END = "ARGV[3], ARGV[4]"
_ADDED = 'maxEvents, "*", "event", "waiting"'
_NO_LOCK = "local lockKey = jobKey .. ':lock'\n    rcall(\"SET\", lockKey, opts['token'], \"PX\", opts['lockDuration'])"

ADDING = (
    fault("no-marker", "addStandardJob", 'rcall("ZADD", markerKey, 0, "0")', "local _ = markerKey",
          "an idle worker is not woken"),
    fault("no-waiting-event", "addStandardJob", _ADDED, 'maxEvents, "*", "event", "queued"',
          "the `waiting` event has another name"),
    fault("no-added-event", "addStandardJob", '"event", "added"', '"event", "created"',
          "the `added` event has another name"),
    fault("delay-zero-in-opts", "addStandardJob", "cjson.encode(opts)",
          '(string.gsub(cjson.encode(opts), "^{", "{\\"delay\\":0,"))', "`delay: 0` is stored among the options",
          "PyPI bullmq 2.17.0"),
    fault("lifo-reversed", "addStandardJob", "'RPUSH' or 'LPUSH'", "'LPUSH' or 'RPUSH'", "LIFO and FIFO are swapped"),
    fault("name-missing", "addStandardJob", '"name", name, "data"', '"data"', "the job's hash has no name"),
    fault("timestamp-in-seconds", "addStandardJob", '"timestamp", timestamp', '"timestamp", math.floor(timestamp / 1000)',
          "timestamps are in seconds"),
    fault("id-skips", "addStandardJob", 'rcall("INCR", KEYS[4])', 'rcall("INCRBY", KEYS[4], 2)',
          "the counter of ids moves by two"),
    fault("duplicate-unsaid", "addStandardJob", '"duplicated"', '"duplicate"', "the `duplicated` event has another name"),
    fault("duplicate-overwrites", "addStandardJob", 'if rcall("EXISTS", jobIdKey) == 1 then', "if false then",
          "a job with a known id overwrites the one that is there", "PyPI bullmq 3.4.4"),
    fault("paused-ignored-by-add", "addStandardJob", "return pausedKey, true,", "return waitKey, false,",
          "a job added to a paused queue waits beside the paused ones", "#4289"),
    fault("concurrency-marker", "addStandardJob", "if activeCount >= tonumber(queueAttributes[2]) then",
          "if false then", "a marker is set although the queue is at its global concurrency"),
    fault("plain-ms-delayed-score", "addDelayedJob", "minScore = delayedTimestamp * 0x1000", "minScore = delayedTimestamp",
          "delayed scores are plain milliseconds"),
    fault("no-delay-marker", "addDelayedJob", 'rcall("ZADD", markerKey, nextTimestamp, "1")', "local _ = markerKey",
          "an idle worker does not wake when a delayed job is due"),
    fault("delayed-event-without-time", "addDelayedJob", '"delay", delayedTimestamp)', '"delay", 0)',
          "the `delayed` event does not tell when"),
    fault("reversed-priority", "addPrioritizedJob", "return priority * 0x1", "return (2097152 - priority) * 0x1",
          "lower priorities come last"),
    fault("priority-without-counter", "addPrioritizedJob", "+ prioCounter % 0x100000000", "",
          "jobs of one priority have one score, so their order is their ids'"),
    fault("no-priority-marker", "addPrioritizedJob", 'rcall("ZADD", markerKey, 0, "0")', "local _ = markerKey",
          "an idle worker is not woken by a job with a priority"),
    fault("priority-not-stored", "addPrioritizedJob", '"priority", priority,', '"priority", 0,',
          "the job's hash does not tell its priority"),
)  # fmt: skip

DEDUPLICATION = (
    fault("deduplication-forever", "addStandardJob", "rcall('SET', deduplicationKey, jobId, 'PX', ttl, 'NX')",
          "rcall('SET', deduplicationKey, jobId, 'NX')", "a throttled id never comes free"),
    fault("deduplication-unsaid", "addStandardJob", '"event", "deduplicated"', '"event", "dedup"',
          "the `deduplicated` event has another name", "#3613"),
    fault("debounced-unsaid", "addStandardJob", '"event", "debounced"', '"event", "debounce"',
          "the older `debounced` event is not sent"),
    fault("deduplication-id-not-stored", "addStandardJob", 'table.insert(optionalValues, "deid")',
          'table.insert(optionalValues, "dedupId")', "the job does not know its deduplication id"),
    fault("replace-keeps-both", "addDelayedJob", 'if rcall("ZREM", delayedKey, currentDeduplicatedJobId) > 0 then',
          "if true then", "a replaced job stays in the delayed set"),
    fault("deduplication-kept-at-the-end", "moveToFinished", "if currentJobId and currentJobId == jobId then",
          "if false then", "the key of a deduplicated job outlives it"),
)  # fmt: skip

WORKING = (
    fault("no-active-event", "moveToActive", '"event", "active"', '"event", "activated"',
          "the `active` event has another name", "#3911"),
    fault("no-processed-on", "moveToActive", '"processedOn", processedOn', '"processed", processedOn',
          "the hash does not tell when the attempt began"),
    fault("attempts-not-started", "moveToActive", '"ats", 1', '"ats", 0', "attempts that begin are not counted"),
    fault("other-name-for-attempts", "moveToFinished", '"atm", 1', '"attemptsMade", 1',
          "attempts are counted in another field", "Rust port before 1.0"),
    fault("worker-not-named", "moveToActive", 'table.insert(optionalValues, "pb")', 'table.insert(optionalValues, "by")',
          "the hash does not name the worker"),
    fault("no-lock", "moveToActive", 'rcall("SET", lockKey, opts[\'token\'], "PX", opts[\'lockDuration\'])',
          "local _ = lockKey", "a job is taken without a lock"),
    fault("lock-for-ever", "moveToActive", 'opts[\'token\'], "PX", opts[\'lockDuration\'])', "opts['token'])",
          "locks never expire, so a dead worker keeps its jobs"),
    fault("takes-the-newest", "moveToActive", 'rcall("RPOPLPUSH", waitKey, activeKey)',
          'rcall("LMOVE", waitKey, activeKey, "LEFT", "LEFT")', "the worker takes the newest job first"),
    fault("paused-ignored-by-worker", "moveToActive", "if isPausedOrMaxed then return {0, 0, 0, 0} end", "",
          "the worker takes jobs from a queue at its limit"),
    fault("prioritized-from-the-end", "moveToActive", '"ZPOPMIN"', '"ZPOPMAX"',
          "the worker takes the least urgent job first"),
    fault("limit-not-counted", "moveToActive", 'if maxJobs then\n    local jobCounter', 'if false then\n    local jobCounter',
          "the rate limit is not counted", "PyPI bullmq 3.4.4"),
    fault("promoted-with-delay", "moveToActive", 'rcall("HSET", jobKey, "delay", 0)', "local _ = jobKey",
          "a job that came due still shows its delay"),
    fault("quoted-failed-reason", "moveToFinished", _END,
          """ARGV[3], (ARGV[5] == "failed" and '"' .. ARGV[4] .. '"' or ARGV[4])""",
          "failedReason is stored as JSON", "#4596"),
    fault("raw-returnvalue", "moveToFinished", _END, """ARGV[3], (string.gsub(ARGV[4], '^"(.*)"$', '%1'))""",
          "a text that was returned is stored without its quotes", "#2196"),
    fault("no-retries-exhausted", "moveToFinished", '"event", "retries-exhausted"', '"event", "exhausted"',
          "the `retries-exhausted` event has another name"),
    fault("no-finished-on", "moveToFinished", '"finishedOn", timestamp)', '"finished", timestamp)',
          "the hash does not tell when the job ended"),
    fault("lock-kept", "moveToFinished", 'rcall("DEL", lockKey)', "local _ = lockKey", "finished jobs keep their locks"),
    fault("drained-unsaid", "moveToFinished", '"event", "drained")', '"event", "empty")',
          "the `drained` event has another name"),
    fault("finished-without-lock", "moveToFinished", "return -2", "return 0", "a job is finished although its lock is gone",
          "Elixir port 2.1.2"),
    fault("keeps-one-more", "moveToFinished", "local start = maxCount", "local start = maxCount + 1",
          "one finished job too many is kept"),
    fault("age-ignored", "moveToFinished", "if maxAge ~= nil then\n            removeJobsByMaxAge", "if false then\n            removeJobsByMaxAge",
          "finished jobs are kept beyond their age"),
    fault("metrics-not-kept", "moveToFinished", 'if maxMetricsSize ~= "" then', "if false then", "no metrics are collected"),
    fault("no-prefetch", "moveToFinished", 'if (ARGV[6] == "1") then', "if false then",
          "the end of a job does not bring the next one along", "PyPI bullmq 3.4.4"),
)  # fmt: skip

RETRYING = (
    fault("retry-unsaid", "retryJob", '"jobId", ARGV[4], "prev", "active")', '"jobId", ARGV[4])',
          "the `waiting` event of a retry does not tell where the job came from"),
    fault("retry-not-counted", "retryJob", 'rcall("HINCRBY", jobKey, "atm", 1)', "",
          "attempts that are tried again at once are not counted"),
    fault("retry-unlocked", "retryJob", 'rcall("DEL", lockKey)', "local _ = lockKey", "a job that is retried keeps its lock"),
    fault("retry-ignores-priority", "retryJob", "if priority == 0 then\n    addJobInTargetList", "if true then\n    addJobInTargetList",
          "a job with a priority is retried from the wait list"),
    fault("backoff-unsaid", "moveToDelayed", '"event", "delayed"', '"event", "backoff"',
          "the `delayed` event of a backoff has another name"),
    fault("backoff-not-in-hash", "moveToDelayed", 'rcall("HSET", jobKey, "delay", ARGV[5])', "",
          "the hash does not tell the delay of a backoff"),
    fault("backoff-not-counted", "moveToDelayed", 'if ARGV[6] == "0" then', "if false then",
          "attempts that end in a backoff are not counted"),
    fault("reprocess-keeps-the-end", "reprocessJob", 'rcall("HDEL", ', 'rcall("HEXISTS", ',
          "a job that is retried by hand still shows its end"),
    fault("reprocess-unsaid", "reprocessJob", '"event", "waiting"', '"event", "retried"',
          "the `waiting` event of a retry by hand has another name"),
    fault("stack-trace-not-saved", "moveToDelayed", "updateJobFields(jobKey, ARGV[7])", "",
          "the stack trace of a failed attempt is lost", "#3294"),
)  # fmt: skip

STALLING = (
    fault("never-sweeps", "moveStalledJobsToWait", "local rcall = redis.call", "do return {} end local rcall = redis.call",
          "stalled jobs are never found", "Elixir port 2.1.2"),
    fault("stalls-not-counted", "moveStalledJobsToWait", '"stc", 1)', '"stc", 0)', "stalls are not counted"),
    fault("live-lock-stalls", "moveStalledJobsToWait", '(rcall("EXISTS", jobKey .. ":lock") == 0)', "true",
          "a job that is at work is taken from its worker"),
    fault("stalled-to-the-end", "moveStalledJobsToWait", '"RPUSH")', '"LPUSH")', "a stalled job goes to the end of the line"),
    fault("stalled-unsaid", "moveStalledJobsToWait", '"event", "stalled"', '"event", "stall"',
          "the `stalled` event has another name"),
    fault("no-deferred-failure", "moveStalledJobsToWait", 'rcall("HSET", jobKey, "defa", failedReason)',
          "local _ = failedReason", "a job may stall for ever"),
)  # fmt: skip

MANAGING = (
    fault("wrong-progress-field", "updateProgress", 'KEYS[1], "progress", ARGV[2]', 'KEYS[1], "progres", ARGV[2]',
          "progress is stored in another field"),
    fault("progress-unsaid", "updateProgress", '"event", "progress"', '"event", "progressed"',
          "the `progress` event has another name"),
    fault("key-outside-the-prefix", "updateData", 'rcall("HSET", KEYS[1]',
          'rcall("SET", "elsewhere", "1") rcall("HSET", KEYS[1]', "a key is written beside the prefix"),
    fault("delay-kept-on-promotion", "promote", '"delay", 0', '"delay", 1', "a promoted job still shows a delay"),
    fault("promoted-unsaid", "promote", '"prev", "delayed"', '"prev", "wait"',
          "the `waiting` event of a promotion tells another state"),
    fault("pause-unsaid", "pause", '"event", ARGV[1]', '"event", "pause"', "the `paused` event has another name"),
    fault("pause-keeps-the-marker", "pause", 'rcall("DEL", markerKey)', "", "the marker of a paused queue stays"),
    fault("resume-without-marker", "pause", 'rcall("ZADD", markerKey, 0, "0")', "local _ = 0",
          "workers sleep on when the queue is resumed"),
    fault("log-prepended", "addLog", '"RPUSH"', '"LPUSH"', "logs are in reverse order"),
    fault("logs-not-trimmed", "addLog", 'rcall("LTRIM"', 'rcall("LLEN", KEYS[2]) local _ = ("LTRIM"',
          "keepLogs is ignored"),
    fault("wrong-delay-of-change", "changeDelay", '"delay", delay)', '"delay", delay + 1)',
          "a changed delay is off by one"),
    fault("priority-change-half-done", "changePriority", 'rcall("HSET", jobKey, "priority", priority)', "",
          "the hash does not tell a changed priority"),
    fault("removal-unsaid", "removeJob", '"event", "removed"', '"event", "deleted"', "the `removed` event has another name"),
    fault("logs-outlive-the-job", "removeJob", "jobKey .. ':logs', ", "", "a removed job leaves its logs"),
    fault("locked-jobs-are-removed", "removeJob", "if not isLocked(prefix, jobId, shouldRemoveChildren) then", "if true then",
          "a job that is at work is removed"),
    fault("clean-uncounted", "cleanJobsInSet", '"count", result[2]', '"count", 0', "the `cleaned` event counts nothing"),
    fault("clean-ignores-grace", "cleanJobsInSet", "rangeEnd = ARGV[2]", 'rangeEnd = "+inf"', "clean ignores its grace"),
    fault("drain-takes-delayed", "drain", 'if ARGV[2] == "1" then', "if true then", "drain removes delayed jobs unasked"),
    fault("obliterate-leaves-meta", "obliterate", "baseKey .. 'meta',", "", "an obliterated queue leaves its meta"),
    fault("obliterate-never-refuses", "obliterate", "return -2", "return 0", "obliterate ignores active jobs"),
    fault("retry-all-keeps-reasons", "moveJobsToWait", 'rcall("HDEL", ', 'rcall("HEXISTS", ',
          "jobs retried together still show why they failed"),
)  # fmt: skip

FLOWS = (
    fault("quoted-result-of-a-child", "moveToFinished", 'rcall("HSET", processedSet, jobIdKey, returnvalue)',
          """rcall("HSET", processedSet, jobIdKey, '"' .. returnvalue .. '"')""",
          "a child's result is kept as JSON in JSON"),
    fault("parent-without-a-time", "addParentJob", '"ZADD", waitChildrenKey, timestamp', '"ZADD", waitChildrenKey, 0',
          "a parent's score does not tell when it was added"),
    fault("parent-waits-for-nobody", "addStandardJob", 'rcall("SADD", parentDependenciesKey, jobIdKey)', "",
          "a child is not among those that its parent waits for"),
    fault("parent-never-goes-on", "moveToFinished", "if doNotHavePendingDependencies then", "if false then",
          "a parent waits on when its last child has completed", "#3122"),
    fault("waiting-children-unsaid", "moveToWaitingChildren", '"event", "waiting-children"', '"event", "waiting"',
          "the `waiting-children` event has another name"),
    fault("failed-child-unnoted", "moveToFinished", 'rcall("ZADD", parentUnsuccesssfulChildrenKey', 'local _ = ("ZADD" and parentUnsuccesssfulChildrenKey',
          "a parent does not know which child failed it"),
    fault("ignored-failure-unnoted", "moveToFinished", 'rcall("HSET", parentFailedChildrenKey, childKey, failedReason)', "",
          "a parent does not know which failures it ignores"),
    fault("completes-before-its-children", "moveToFinished", "return -4", "local _ = -4",
          "a parent completes although children are pending"),
)  # fmt: skip

SCHEDULING = (
    fault("scheduler-counted-anew", "addJobScheduler", 'rcall("HGET", schedulerKey, "ic") or 1', "1",
          "an update of a scheduler forgets how often it ran"),
    fault("next-iteration-unsaid", "updateJobScheduler", '"nrjid", nextDelayedJobId', '"nrj", nextDelayedJobId',
          "a job does not name the next one of its scheduler"),
    fault("removed-scheduler-leaves-its-job", "removeJobScheduler", "delayedJobId) == 1", "delayedJobId) == 2",
          "a removed scheduler's next job runs"),
    fault("iterations-not-counted", "updateJobScheduler", '"ic", 1)', '"ic", 0)', "iterations are not counted"),
    fault("slots-drift", "updateJobScheduler", "nextMillis = prevMillis + every", "nextMillis = now + every",
          "slots start from the time of work, not from the slot before"),
)  # fmt: skip

FAULTS = (*ADDING, *DEDUPLICATION, *WORKING, *RETRYING, *STALLING, *MANAGING, *FLOWS, *SCHEDULING)
