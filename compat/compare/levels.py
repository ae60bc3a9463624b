"""Levels: how bad a difference is, by the class of what differs, and why it matters to the people who run the port."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from compat.model.verdict import LEVELS, Level


class Weight(NamedTuple):
    level: Level
    why: str


_BYTES = Weight(
    "encoding", "The value is the same, its bytes are not: whatever hashes, greps or caches the text sees two."
)

#: Class (a glob) → its weight; the first that matches counts.
WEIGHTS: Final[tuple[tuple[str, Weight], ...]] = (
    ("*.bytes", _BYTES),
    ("job.lock.form", Weight("note", "No peer reads a token's form; a UUID keeps two workers from drawing the same.")),
    ("job.id.form", Weight("note", "No peer reads an id's form; a UUID keeps two producers from drawing the same.")),
    ("notices.*", Weight("event", "Listeners of a worker or a reader are told otherwise than Node's are told.")),
    (
        "job",
        Weight("breaks-peer", "A job that one side keeps and the other does not is lost, or comes back from the dead."),
    ),
    (
        "job.failedReason",
        Weight(
            "breaks-peer", "Dashboards and Node's getJob show the text as it is stored; quotes in it reach the user."
        ),
    ),
    (
        "job.returnvalue",
        Weight("breaks-peer", "Node parses it as JSON: a result that is none is lost, and QueueEvents stops reading."),
    ),
    ("job.data", Weight("breaks-peer", "The worker on the other side gets another payload than was added.")),
    (
        "job.opts",
        Weight("breaks-peer", "Workers of the other side read attempts, backoff, removal and flow flags from here."),
    ),
    (
        "job.stacktrace",
        Weight(
            "state", "Users keep as many stack traces as they asked for; dashboards show a job with some as failed."
        ),
    ),
    ("job.progress", Weight("breaks-peer", "Node parses it as JSON; what it cannot parse is lost to the user.")),
    (
        "job.lock",
        Weight(
            "breaks-peer", "The lock decides who owns a job: without the right one it is run twice or never finished."
        ),
    ),
    (
        "job.at[ms]",
        Weight("state", "Attempts made and started decide about retries and backoff, on whichever side comes next."),
    ),
    ("job.stc", Weight("state", "The stall count decides when a job is given up.")),
    (
        "job.delay",
        Weight("state", "Dashboards show when a job is due from here, and a released parent waits for this long."),
    ),
    ("job.priority", Weight("state", "A retried or promoted job is put back by this priority.")),
    (
        "job.timestamp",
        Weight("breaks-peer", "Ports parse it as whole milliseconds; another text strands the job in `active`."),
    ),
    ("job.processedOn", Weight("state", "Durations and `clean` are computed from it.")),
    ("job.finishedOn", Weight("state", "Removal by age and durations are computed from it.")),
    (
        "job.parent*",
        Weight("breaks-peer", "A child that does not name its parent rightly leaves it in waiting-children for ever."),
    ),
    ("job.defa", Weight("breaks-peer", "The next worker fails the job for this reason; without it, it runs the job.")),
    ("job.deid", Weight("breaks-peer", "The key that refuses duplicates is deleted by this id when the job ends.")),
    ("job.dependencies", Weight("breaks-peer", "A parent is released when this says so; else it waits for ever.")),
    ("job.processed", Weight("breaks-peer", "Parents read their children's results from here.")),
    ("job.failed", Weight("breaks-peer", "Parents read their ignored children's failures from here.")),
    ("job.unsuccessful", Weight("breaks-peer", "A parent with an entry here is failed; without it, it is run.")),
    ("job.logs", Weight("state", "Users read a job's logs row by row, whoever wrote them.")),
    (
        "job.pb",
        Weight("state", "Users see which worker had the job."),
    ),
    ("job.*", Weight("state", "The job's record is not the one that Node leaves.")),
    ("wait", Weight("state", "Which job runs next, and whether it runs at all, is decided by this list.")),
    ("paused", Weight("state", "What is here runs after `resume`; what should be and is not, is lost.")),
    ("active", Weight("state", "A job that stays here is taken for stalled; one that is missing cannot be finished.")),
    (
        "prioritized",
        Weight("breaks-peer", "Order within and between priorities is this score; a wrong one overtakes or starves."),
    ),
    (
        "delayed*",
        Weight("breaks-peer", "The score is the due time: wrongly encoded, a job runs at once or years from now."),
    ),
    (
        "waiting-children",
        Weight("breaks-peer", "A parent that is not here is never released by its children."),
    ),
    ("completed", Weight("state", "Removal by age and every list of completed jobs go by this set.")),
    ("failed", Weight("state", "`retryJobs`, removal by age and every list of failed jobs go by this set.")),
    (
        "marker",
        Weight("breaks-peer", "Idle workers sleep on this key: without the right marker a job waits for seconds."),
    ),
    (
        "meta.version",
        Weight("state", "Tools decide by it which layout a queue has; a wrong one makes them misread it."),
    ),
    (
        "meta.paused",
        Weight("breaks-peer", "Its presence alone pauses the queue, for all sides."),
    ),
    ("meta*", Weight("breaks-peer", "All workers of a queue, on every side, obey these settings.")),
    ("id", Weight("state", "The next id comes from this counter: one that lags makes two jobs share an id.")),
    ("pc", Weight("state", "First come, first served among equal priorities goes by this counter.")),
    (
        "stalled*",
        Weight("breaks-peer", "A dead worker's jobs are recovered through this key; else they stay in `active`."),
    ),
    (
        "limiter",
        Weight("breaks-peer", "All workers of a queue share this counter: a wrong one breaks the limit, or the queue."),
    ),
    (
        "de",
        Weight(
            "breaks-peer", "Duplicates are refused by this key: without it they run, with a stale one nothing does."
        ),
    ),
    (
        "events*",
        Weight("event", "Whoever waits for a job or draws a dashboard lives on these events and their fields."),
    ),
    ("metrics*", Weight("state", "Dashboards draw throughput from these counts.")),
    ("repeat*", Weight("breaks-peer", "The next iteration is made from this record; a wrong one ends the schedule.")),
    ("ttl.*", Weight("breaks-peer", "A key that expires takes jobs with it; one that should and does not, blocks.")),
    (
        "clients",
        Weight("state", "`getWorkers()` and dashboards find workers by these names, and say `no workers` else."),
    ),
    ("foreign", Weight("state", "Keys that BullMQ does not know are never cleaned up, and may collide with job ids.")),
    ("attempts.order", Weight("state", "Jobs are run in another order than they were queued in.")),
    ("attempts", Weight("state", "A job is run more often, or less, than it should be.")),
    ("lateness.*", Weight("event", "Whoever waits for it waits that much longer than with Node, each time.")),
    ("call.*", Weight("state", "Code that moves from Node to the port gets another answer.")),
)

_ELSE = Weight("state", "What is stored is not what Node stores.")


def weight(what: str) -> Weight:
    """The weight of a class of difference."""
    return next((found for pattern, found in WEIGHTS if fnmatchcase(what, pattern)), _ELSE)


def at_least(level: Level, gate: Level) -> bool:
    """Whether `level` is as bad as `gate`, or worse."""
    return LEVELS.index(level) <= LEVELS.index(gate)
