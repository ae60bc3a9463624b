"""Lines of the 49 scripts that nothing in 5.62.0 reaches on a server of the harness, each with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

WHOLE: Final = "1-999"  # every line: no script is as long

_NO_CALLER: Final = "no method of 5.62.0 calls this script"
_OLD_REDIS: Final = "5.62.0 calls this script only where Redis is older than 6.0.6; the harness's own server is newer"
_NEVER_CALLED: Final = "this script carries the routine and never calls it"
_NO_PARENT_GIVEN: Final = "the routine is called without a parent's key here, so it reads the parent from the job"
_PARENT_GIVEN: Final = "the routine is always called with the parent's key here"
_ALWAYS_HARD: Final = "the routine removes for good here (`hard` is true), so it tells no `waiting`"
_NEVER_HARD: Final = "the routine never removes for good here (`hard` is false), so the parent is kept"
_SCHEDULED: Final = "a scheduler's job is stored without a parent: `storeJob` is called with none"
_LAST_MILLISECOND: Final = "PTTL is 0 only within the last millisecond of a key's life, which is chance"
_LIMITED_READ: Final = "no more than `limit` jobs are read, so the loop ends before its own check is true"
_LIMIT_JUST_SET: Final = "the line before writes a limit where there was none, so there is one"
_NO_IGNORED: Final = "no caller names jobs to spare"
_KEPT: Final = "finished children are passed over here: `ignoreProcessed` is true"

#: Script → lines → why no scenario can run them. Lines are told as in `5-9 12`: whatever begins a statement there.
UNREACHED: Final[dict[str, dict[str, str]]] = {
    "addJobScheduler": {
        "158-161": _SCHEDULED,
        "286-287 343": _ALWAYS_HARD,
        "292-316": _NO_PARENT_GIVEN,
        "536": "Queue.upsertJobScheduler names no producer, and the worker's iteration is updateJobScheduler's",
    },
    "addParentJob": {"404-405": "FlowProducer gives each node an id: its own `jobId`, or a UUID"},
    "addRepeatableJob": {"110-111 167": _ALWAYS_HARD, "116-140": _NO_PARENT_GIVEN},
    "cleanJobsInSet": {
        "146-147 203": _ALWAYS_HARD,
        "152-176": _NO_PARENT_GIVEN,
        "231 306": _LIMITED_READ,
        "288": "Queue.clean takes a limit of 0 for no limit and calls with 10,000, so the limit is never 0 here",
    },
    "changeDelay": {"63": "it counts from the caller's clock; that another job is due in the same ms is chance"},
    "drain": {"118-119 175": _ALWAYS_HARD, "124-148": _NO_PARENT_GIVEN},
    "extendLocks": {"30": "SET without a condition cannot fail"},
    "getRateLimitTtl": {"17": _LAST_MILLISECOND},
    "getState": {WHOLE: _OLD_REDIS},
    "isFinished": {"20 27 34 39": "Job.waitUntilFinished, the only caller, always asks for the value as well"},
    "isJobInList": {WHOLE: _OLD_REDIS},
    "moveStalledJobsToWait": {"103": _LIMIT_JUST_SET},
    "moveToActive": {"58": _LAST_MILLISECOND, "156-157 172-174": _NEVER_CALLED},
    "moveToFinished": {
        "127 612": _LAST_MILLISECOND,
        "306-311 414": "old jobs are removed here without their deduplication keys (the last argument is false)",
        "359-366 390-397": _NEVER_HARD,
        "444-463": _NEVER_CALLED,
        "661": _LIMIT_JUST_SET,
        "736-737": "`parentKey` and `parent` are written and deleted with one command each, so none stands alone",
        "816-818": "the id `0:0` cannot be given: an id with a colon has two of them",
    },
    "obliterate": {
        "106-107 163": _ALWAYS_HARD,
        "112-136": _NO_PARENT_GIVEN,
        "195-201 209 241": _NO_IGNORED,
        "258": "Queue.obliterate pauses the queue before it calls the script",
        "329": "where nothing is left of the count, the script has returned before",
    },
    "paginate": {
        "42": "a step of SSCAN or HSCAN that returns nothing depends on the seed of the server's hash table",
        "87": "5.62.0 asks for `:processed` and `:dependencies`, which are a hash and a set",
    },
    "releaseLock": {WHOLE: _NO_CALLER},
    "removeChildDependency": {"74 98-105": _NEVER_HARD, "115-143": _PARENT_GIVEN},
    "removeJob": {
        "206-213 237-244": _NEVER_HARD,
        "301-302": "a locked job is found before anything is removed: `ignoreLocked` is false",
    },
    "removeUnprocessedChildren": {
        "47-55": _NEVER_CALLED,
        "80-81": "a child that completes leaves its parent's `:dependencies` in the same script",
        "89-90": "a failed child is passed over before its state is asked for",
        "174-181": _NEVER_HARD,
        "191-219": _PARENT_GIVEN,
        "223": "what is removed here has just been read from its parent's `:dependencies`",
        "238-246": "a child's lock is looked at without its children's (the third argument is absent)",
        "262-283": _KEPT,
    },
    "saveStacktrace": {WHOLE: _NO_CALLER},
    "updateJobScheduler": {
        "137": _NEVER_CALLED,
        "150-153": _SCHEDULED,
        "176": "a paused queue hands out no job, and this script follows at once: a pause between the two is chance",
        "234-239": "an iteration is made only where the schedule has a slot (`prevMillis`)",
        "275-276": "`offset` is 0 where neither the schedule nor the job has one, so it is never absent",
    },
}


def excuses(script: str, lines: tuple[int, ...]) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Each excuse of a script: its span, the reason, and those of the script's `lines` that lie in it."""
    for told, reason in UNREACHED.get(script, {}).items():
        for span in told.split():
            first, _, last = span.partition("-")
            yield span, reason, tuple(line for line in lines if int(first) <= line <= int(last or first))
