"""What a difference means: each class of path has a level, and a reason why a user should care."""

from __future__ import annotations

from fnmatch import fnmatchcase

from compat.model.verdict import Level

#: The first pattern that fits decides. Classes are paths without ids: `job.failedReason`, `events`, `meta.version`.
_TABLE: tuple[tuple[str, Level, str], ...] = (
    ("*.bytes", "encoding", "The meaning is equal, the bytes are not: what compares or hashes the text sees a change."),
    (
        "job.failedReason",
        "breaks-peer",
        "Readers take it as raw text: dashboards and retry rules would see something else.",
    ),
    ("job.returnvalue", "breaks-peer", "Node parses it as JSON: other text throws in every reader of the result."),
    ("job.stacktrace", "state", "Node keeps the last `stackTraceLimit` entries; tools show and count them."),
    ("job.data", "breaks-peer", "The processor on the other side gets another payload."),
    ("job.opts*", "breaks-peer", "The other side reads these options when it runs, retries or removes the job."),
    (
        "job.lock*",
        "breaks-peer",
        "A lock that others misread lets a job run twice, or keeps a dead worker's job from rescue.",
    ),
    ("job.*", "state", "Tools and workers on the other side read this field."),
    ("events*", "event", "QueueEvents, dashboards and `waitUntilFinished` act on this stream."),
    ("marker*", "breaks-peer", "An idle worker sleeps until the marker wakes it: without it a job waits for seconds."),
    (
        "delayed*",
        "breaks-peer",
        "The score is the due time × 4096: with another the job runs at the wrong time, or never.",
    ),
    ("prioritized*", "breaks-peer", "The score decides who runs first, on every worker of the queue."),
    ("wait*", "breaks-peer", "Workers on the other side take jobs from here, in this order."),
    ("paused*", "breaks-peer", "What is not here when the queue is resumed is lost or runs too early."),
    ("active*", "breaks-peer", "A job that is wrongly here, or not here, is stalled, lost or run twice."),
    ("meta.version", "state", "Tools tell by it which BullMQ, and whether it is one, works on the queue."),
    ("meta*", "state", "Settings of the queue that every client of it reads."),
    ("stalled-check", "state", "Without it no stalled job is rescued, or every worker sweeps at once."),
    ("foreign", "breaks-peer", "Nobody else looks there, and nobody cleans it up."),
    ("call.*", "state", "The caller is told something else than Node tells its callers."),
)


def meaning(path: str) -> tuple[Level, str]:
    """Level and reason of a class of path."""
    for pattern, level, why in _TABLE:
        if fnmatchcase(path, pattern):
            return level, why
    return "state", "Other clients of the queue read this key."
