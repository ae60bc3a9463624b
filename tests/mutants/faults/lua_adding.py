"""Faults in the scripts that add jobs."""

from __future__ import annotations

from .lua import fault

_ADDED = 'maxEvents, "*", "event", "waiting"'

ADDING = (
    fault(
        "no-marker",
        "addStandardJob",
        'rcall("ZADD", markerKey, 0, "0")',
        "local _ = markerKey",
        "an idle worker is not woken",
    ),
    fault(
        "no-waiting-event",
        "addStandardJob",
        _ADDED,
        'maxEvents, "*", "event", "queued"',
        "the `waiting` event has another name",
    ),
    fault(
        "no-added-event",
        "addStandardJob",
        '"event", "added"',
        '"event", "created"',
        "the `added` event has another name",
    ),
    fault(
        "delay-zero-in-opts",
        "addStandardJob",
        "cjson.encode(opts)",
        '(string.gsub(cjson.encode(opts), "^{", "{\\"delay\\":0,"))',
        "`delay: 0` is stored among the options",
        "PyPI bullmq 2.17.0",
    ),
    fault("lifo-reversed", "addStandardJob", "'RPUSH' or 'LPUSH'", "'LPUSH' or 'RPUSH'", "LIFO and FIFO are swapped"),
    fault("name-missing", "addStandardJob", '"name", name, "data"', '"data"', "the job's hash has no name"),
    fault(
        "timestamp-in-seconds",
        "addStandardJob",
        '"timestamp", timestamp',
        '"timestamp", math.floor(timestamp / 1000)',
        "timestamps are in seconds",
    ),
    fault(
        "id-skips",
        "addStandardJob",
        'rcall("INCR", KEYS[4])',
        'rcall("INCRBY", KEYS[4], 2)',
        "the counter of ids moves by two",
    ),
    fault(
        "duplicate-unsaid", "addStandardJob", '"duplicated"', '"duplicate"', "the `duplicated` event has another name"
    ),
    fault(
        "duplicate-overwrites",
        "addStandardJob",
        'if rcall("EXISTS", jobIdKey) == 1 then',
        "if false then",
        "a job with a known id overwrites the one that is there",
        "PyPI bullmq 3.4.4",
    ),
    fault(
        "paused-ignored-by-add",
        "addStandardJob",
        "return pausedKey, true,",
        "return waitKey, false,",
        "a job added to a paused queue waits beside the paused ones",
        "#4289",
    ),
    fault(
        "concurrency-marker",
        "addStandardJob",
        "if activeCount >= tonumber(queueAttributes[2]) then",
        "if false then",
        "a marker is set although the queue is at its global concurrency",
    ),
    fault(
        "plain-ms-delayed-score",
        "addDelayedJob",
        "minScore = delayedTimestamp * 0x1000",
        "minScore = delayedTimestamp",
        "delayed scores are plain milliseconds",
    ),
    fault(
        "no-delay-marker",
        "addDelayedJob",
        'rcall("ZADD", markerKey, nextTimestamp, "1")',
        "local _ = markerKey",
        "an idle worker does not wake when a delayed job is due",
    ),
    fault(
        "delayed-event-without-time",
        "addDelayedJob",
        '"delay", delayedTimestamp)',
        '"delay", 0)',
        "the `delayed` event does not tell when",
    ),
    fault(
        "reversed-priority",
        "addPrioritizedJob",
        "return priority * 0x1",
        "return (2097152 - priority) * 0x1",
        "lower priorities come last",
    ),
    fault(
        "priority-without-counter",
        "addPrioritizedJob",
        "+ prioCounter % 0x100000000",
        "",
        "jobs of one priority have one score, so their order is their ids'",
    ),
    fault(
        "no-priority-marker",
        "addPrioritizedJob",
        'rcall("ZADD", markerKey, 0, "0")',
        "local _ = markerKey",
        "an idle worker is not woken by a job with a priority",
    ),
    fault(
        "priority-not-stored",
        "addPrioritizedJob",
        '"priority", priority,',
        '"priority", 0,',
        "the job's hash does not tell its priority",
    ),
    fault(
        "includes-left-out",
        "addStandardJob",
        "local function getOrSetMaxEvents(",
        "local function elsewhere(",
        "scripts are packed without what they include",
        "#3615",
    ),
)

DEDUPLICATION = (
    fault(
        "deduplication-forever",
        "addStandardJob",
        "rcall('SET', deduplicationKey, jobId, 'PX', ttl, 'NX')",
        "rcall('SET', deduplicationKey, jobId, 'NX')",
        "a throttled id never comes free",
    ),
    fault(
        "deduplication-unsaid",
        "addStandardJob",
        '"event", "deduplicated"',
        '"event", "dedup"',
        "the `deduplicated` event has another name",
        "#3613",
    ),
    fault(
        "debounced-unsaid",
        "addStandardJob",
        '"event", "debounced"',
        '"event", "debounce"',
        "the older `debounced` event is not sent",
    ),
    fault(
        "deduplication-id-not-stored",
        "addStandardJob",
        'table.insert(optionalValues, "deid")',
        'table.insert(optionalValues, "dedupId")',
        "the job does not know its deduplication id",
    ),
    fault(
        "replace-keeps-both",
        "addDelayedJob",
        'if rcall("ZREM", delayedKey, currentDeduplicatedJobId) > 0 then',
        "if true then",
        "a replaced job stays in the delayed set",
    ),
    fault(
        "deduplication-kept-at-the-end",
        "moveToFinished",
        "if currentJobId and currentJobId == jobId then",
        "if false then",
        "the key of a deduplicated job outlives it",
    ),
)

FAULTS = (*ADDING, *DEDUPLICATION)
