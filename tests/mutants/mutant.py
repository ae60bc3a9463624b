"""The reference driver with one seeded fault: `mutant.py NAME`. It stands in a Lua script, or in the library."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from typing import Any

from bullmq_ref import Job, JobScheduler, Queue, job_record, lua
from bullmq_ref.cron import Cron
from bullmq_ref.job_attempt import stack
from bullmq_ref.keys import Keys
from compat.ports.reference import driver

_END = "ARGV[3], ARGV[4]"

#: name → (script, what stands there, what stands there instead)
FAULTS: dict[str, tuple[str, str, str]] = {
    "quoted-failed-reason": (
        *("moveToFinished", _END),
        """ARGV[3], (ARGV[5] == "failed" and '"' .. ARGV[4] .. '"' or ARGV[4])""",
    ),
    "raw-returnvalue": ("moveToFinished", _END, """ARGV[3], (string.gsub(ARGV[4], '^"(.*)"$', '%1'))"""),
    "no-retries-exhausted": ("moveToFinished", '"event", "retries-exhausted"', '"event", "exhausted"'),
    "reversed-priority": ("addPrioritizedJob", "return priority * 0x1", "return (2097152 - priority) * 0x1"),
    "plain-ms-delayed-score": ("addDelayedJob", "minScore = delayedTimestamp * 0x1000", "minScore = delayedTimestamp"),
    "no-marker": ("addStandardJob", 'rcall("ZADD", markerKey, 0, "0")', "local _ = markerKey"),
    "no-waiting-event": ("addStandardJob", 'maxEvents, "*", "event", "waiting"', 'maxEvents, "*", "event", "queued"'),
    "no-added-event": ("addStandardJob", '"event", "added"', '"event", "created"'),
    "delay-zero-in-opts": (
        "addStandardJob",
        "cjson.encode(opts)",
        '(string.gsub(cjson.encode(opts), "^{", "{\\"delay\\":0,"))',
    ),
    "wrong-progress-field": ("updateProgress", 'KEYS[1], "progress", ARGV[2]', 'KEYS[1], "progres", ARGV[2]'),
    "lifo-reversed": ("addStandardJob", "'RPUSH' or 'LPUSH'", "'LPUSH' or 'RPUSH'"),
    "key-outside-the-prefix": (
        *("updateData", 'rcall("HSET", KEYS[1]'),
        'rcall("SET", "elsewhere", "1") rcall("HSET", KEYS[1]',
    ),
    "delay-kept-on-promotion": ("promote", '"delay", 0', '"delay", 1'),
    "pause-unsaid": ("pause", '"event", ARGV[1]', '"event", "pause"'),
    "log-prepended": ("addLog", '"RPUSH"', '"LPUSH"'),
    "wrong-delay-of-change": ("changeDelay", '"delay", delay)', '"delay", delay + 1)'),
    "scheduler-counted-anew": ("addJobScheduler", 'rcall("HGET", schedulerKey, "ic") or 1', "1"),
    "next-iteration-unsaid": ("updateJobScheduler", '"nrjid", nextDelayedJobId', '"nrj", nextDelayedJobId'),
    "removed-scheduler-leaves-its-job": ("removeJobScheduler", "delayedJobId) == 1", "delayedJobId) == 2"),
    "quoted-result-of-a-child": (
        *("moveToFinished", 'rcall("HSET", processedSet, jobIdKey, returnvalue)'),
        """rcall("HSET", processedSet, jobIdKey, '"' .. returnvalue .. '"')""",
    ),
    "parent-without-a-time": ("addParentJob", '"ZADD", waitChildrenKey, timestamp', '"ZADD", waitChildrenKey, 0'),
    "never-sweeps": ("moveStalledJobsToWait", "local rcall = redis.call", "do return {} end local rcall = redis.call"),
}


def keep_one_trace_less(job: Job[Any, Any], error: BaseException) -> None:
    """A limit of n keeps n - 1 stack traces, as a port once did."""
    limit = job.options.get("stackTraceLimit")
    traces = [*(job.stacktrace or []), stack(error)]
    job.stacktrace = traces[1 - limit :] if limit and limit > 1 else [] if limit is not None else traces


def plain_client_name(keys: Keys, suffix: str = "") -> str:
    """The queue's name as it is, as a port once named its connections."""
    return f"{keys.prefix}:{keys.name}{suffix}"


async def never_iterate(schedulers: JobScheduler, producer: Job[Any, Any]) -> None:
    """The first job of a scheduler is its last, as in the official Python port before 3.0.4."""


def next_in_utc(cron: Cron, after: int, tz: str | None = None, *, until: int | None = None) -> int:
    """Patterns mean the hours of UTC, wherever they are written."""
    return _sound_next(cron, after, "UTC", until=until)


_sound_next = Cron.next

#: name → (class or module, attribute, what stands there instead)
LIBRARY: dict[str, tuple[Any, str, Any]] = {
    "wrong-stacktrace-limit": (Job, "_trace", keep_one_trace_less),
    "plain-client-names": (Keys, "client_name", plain_client_name),
    "schedule-of-one": (JobScheduler, "iterate", never_iterate),
    "slots-in-utc": (Cron, "next", next_in_utc),
    "no-failure-flags": (job_record, "_FLAGS", {}),  # a child does not say what its failure means
    "discard-ignored": (Job, "discard", lambda job: None),
    "defaults-ignored": (Queue, "_defaults", property(lambda queue: {}, lambda queue, given: None)),
}


def mutate(name: str) -> None:
    """Put the fault `name` into `bullmq_ref`. One whose place is not found ends the driver: it is no survivor."""
    if name in LIBRARY:
        owner, attribute, fault = LIBRARY[name]
        setattr(owner, attribute, fault)
        return
    script, old, new = FAULTS[name]
    sound = lua.load

    def load(asked: str) -> lua.Script:
        found = sound(asked)
        if found.name != script:
            return found
        text = found.text.decode()
        if old not in text:
            raise SystemExit(f"{name}: {old!r} does not stand in {script}")
        faulty = text.replace(old, new).encode()
        return replace(found, text=faulty, sha=hashlib.sha1(faulty, usedforsecurity=False).hexdigest())

    vars(lua)["load"] = load
    load(script)


if __name__ == "__main__":
    mutate(sys.argv[1])
    driver.main()
