"""Faults in the scripts of workers."""

from __future__ import annotations

from .lua import fault

_END = "ARGV[3], ARGV[4]"

WORKING = (
    fault(
        "no-active-event",
        "moveToActive",
        '"event", "active"',
        '"event", "activated"',
        "the `active` event has another name",
        "#3911",
    ),
    fault(
        "no-processed-on",
        "moveToActive",
        '"processedOn", processedOn',
        '"processed", processedOn',
        "the hash does not tell when the attempt began",
    ),
    fault("attempts-not-started", "moveToActive", '"ats", 1', '"ats", 0', "attempts that begin are not counted"),
    fault(
        "other-name-for-attempts",
        "moveToFinished",
        '"atm", 1',
        '"attemptsMade", 1',
        "attempts are counted in another field",
        "Rust port before 1.0",
    ),
    fault(
        "worker-not-named",
        "moveToActive",
        'table.insert(optionalValues, "pb")',
        'table.insert(optionalValues, "by")',
        "the hash does not name the worker",
    ),
    fault(
        "no-lock",
        "moveToActive",
        "rcall(\"SET\", lockKey, opts['token'], \"PX\", opts['lockDuration'])",
        "local _ = lockKey",
        "a job is taken without a lock",
    ),
    fault(
        "lock-for-ever",
        "moveToActive",
        "opts['token'], \"PX\", opts['lockDuration'])",
        "opts['token'])",
        "locks never expire, so a dead worker keeps its jobs",
    ),
    fault(
        "takes-the-newest",
        "moveToActive",
        'rcall("RPOPLPUSH", waitKey, activeKey)',
        'rcall("LMOVE", waitKey, activeKey, "LEFT", "LEFT")',
        "the worker takes the newest job first",
    ),
    fault(
        "paused-ignored-by-worker",
        "moveToActive",
        "if isPausedOrMaxed then return {0, 0, 0, 0} end",
        "",
        "the worker takes jobs from a queue at its limit",
    ),
    fault(
        "prioritized-from-the-end",
        "moveToActive",
        '"ZPOPMIN"',
        '"ZPOPMAX"',
        "the worker takes the least urgent job first",
    ),
    fault(
        "limit-not-counted",
        "moveToActive",
        "if maxJobs then\n    local jobCounter",
        "if false then\n    local jobCounter",
        "the rate limit is not counted",
        "PyPI bullmq 3.4.4",
    ),
    fault(
        "promoted-with-delay",
        "moveToActive",
        'rcall("HSET", jobKey, "delay", 0)',
        "local _ = jobKey",
        "a job that came due still shows its delay",
    ),
    fault(
        "quoted-failed-reason",
        "moveToFinished",
        _END,
        """ARGV[3], (ARGV[5] == "failed" and '"' .. ARGV[4] .. '"' or ARGV[4])""",
        "failedReason is stored as JSON",
        "#4596",
    ),
    fault(
        "raw-returnvalue",
        "moveToFinished",
        _END,
        """ARGV[3], (string.gsub(ARGV[4], '^"(.*)"$', '%1'))""",
        "a text that was returned is stored without its quotes",
        "#2196",
    ),
    fault(
        "no-retries-exhausted",
        "moveToFinished",
        '"event", "retries-exhausted"',
        '"event", "exhausted"',
        "the `retries-exhausted` event has another name",
    ),
    fault(
        "no-finished-on",
        "moveToFinished",
        '"finishedOn", timestamp)',
        '"finished", timestamp)',
        "the hash does not tell when the job ended",
    ),
    fault(
        "lock-kept", "moveToFinished", 'rcall("DEL", lockKey)', "local _ = lockKey", "finished jobs keep their locks"
    ),
    fault(
        "drained-unsaid",
        "moveToFinished",
        '"event", "drained")',
        '"event", "empty")',
        "the `drained` event has another name",
    ),
    fault(
        "finished-without-lock",
        "moveToFinished",
        "return -2",
        "return 0",
        "a job is finished although its lock is gone",
        "Elixir port 2.1.2",
    ),
    fault(
        "keeps-one-more",
        "moveToFinished",
        "local start = maxCount",
        "local start = maxCount + 1",
        "one finished job too many is kept",
    ),
    fault(
        "age-ignored",
        "moveToFinished",
        "if maxAge ~= nil then\n            removeJobsByMaxAge",
        "if false then\n            removeJobsByMaxAge",
        "finished jobs are kept beyond their age",
    ),
    fault(
        "metrics-not-kept",
        "moveToFinished",
        'if maxMetricsSize ~= "" then',
        "if false then",
        "no metrics are collected",
    ),
    fault(
        "no-prefetch",
        "moveToFinished",
        'if (ARGV[6] == "1") then',
        "if false then",
        "the end of a job does not bring the next one along",
        "PyPI bullmq 3.4.4",
    ),
)

RETRYING = (
    fault(
        "retry-unsaid",
        "retryJob",
        '"jobId", ARGV[4], "prev", "active")',
        '"jobId", ARGV[4])',
        "the `waiting` event of a retry does not tell where the job came from",
    ),
    fault(
        "retry-not-counted",
        "retryJob",
        'rcall("HINCRBY", jobKey, "atm", 1)',
        "",
        "attempts that are tried again at once are not counted",
    ),
    fault(
        "retry-unlocked",
        "retryJob",
        'rcall("DEL", lockKey)',
        "local _ = lockKey",
        "a job that is retried keeps its lock",
    ),
    fault(
        "retry-ignores-priority",
        "retryJob",
        "if priority == 0 then\n    addJobInTargetList",
        "if true then\n    addJobInTargetList",
        "a job with a priority is retried from the wait list",
    ),
    fault(
        "backoff-unsaid",
        "moveToDelayed",
        '"event", "delayed"',
        '"event", "backoff"',
        "the `delayed` event of a backoff has another name",
    ),
    fault(
        "backoff-not-in-hash",
        "moveToDelayed",
        'rcall("HSET", jobKey, "delay", ARGV[5])',
        "",
        "the hash does not tell the delay of a backoff",
    ),
    fault(
        "backoff-not-counted",
        "moveToDelayed",
        'if ARGV[6] == "0" then',
        "if false then",
        "attempts that end in a backoff are not counted",
    ),
    fault(
        "reprocess-keeps-the-end",
        "reprocessJob",
        ', "finishedOn", "processedOn", ARGV[3])',
        ', "gone")',
        "a job that is retried by hand still shows its end",
    ),
    fault(
        "reprocess-unsaid",
        "reprocessJob",
        '"event", "waiting"',
        '"event", "retried"',
        "the `waiting` event of a retry by hand has another name",
    ),
    fault(
        "stack-trace-not-saved",
        "moveToDelayed",
        "updateJobFields(jobKey, ARGV[7])",
        "",
        "the stack trace of a failed attempt is lost",
        "#3294",
    ),
)

STALLING = (
    fault(
        "never-sweeps",
        "moveStalledJobsToWait",
        "local rcall = redis.call",
        "do return {} end local rcall = redis.call",
        "stalled jobs are never found",
        "Elixir port 2.1.2",
    ),
    fault("stalls-not-counted", "moveStalledJobsToWait", '"stc", 1)', '"stc", 0)', "stalls are not counted"),
    fault(
        "live-lock-stalls",
        "moveStalledJobsToWait",
        '(rcall("EXISTS", jobKey .. ":lock") == 0)',
        "true",
        "a job that is at work is taken from its worker",
    ),
    fault(
        "stalled-to-the-end",
        "moveStalledJobsToWait",
        '"RPUSH")',
        '"LPUSH")',
        "a stalled job goes to the end of the line",
    ),
    fault(
        "stalled-unsaid",
        "moveStalledJobsToWait",
        '"event", "stalled"',
        '"event", "stall"',
        "the `stalled` event has another name",
    ),
    fault(
        "no-deferred-failure",
        "moveStalledJobsToWait",
        'rcall("HSET", jobKey, "defa", failedReason)',
        "local _ = failedReason",
        "a job may stall for ever",
    ),
)

FAULTS = (*WORKING, *RETRYING, *STALLING)
