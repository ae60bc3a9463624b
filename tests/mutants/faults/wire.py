"""Faults on the wire: commands are changed between the port and Redis."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from bullmq_ref import lua

Command = list[bytes]


@dataclass
class Script:
    """A script call, taken apart."""

    name: str
    keys: Command
    arguments: Command


@dataclass(frozen=True)
class Wire:
    """`change` alters a command in place of the port. `story`, `bug` and `late` as in `Fault`."""

    name: str
    story: str
    change: Callable[[Command], Command]
    bug: str = ""
    late: bool = False


@cache
def _names() -> dict[bytes, str]:
    names = (name.rpartition("-")[0] for name in lua.manifest())
    return {lua.load(name).sha.encode(): name for name in names}


def taken_apart(command: Command) -> Script | None:
    """The script that `command` calls, if it calls one."""
    word = command[0].upper()
    if word not in (b"EVAL", b"EVALSHA"):
        return None
    sha = command[1] if word == b"EVALSHA" else hashlib.sha1(command[1], usedforsecurity=False).hexdigest().encode()
    name = _names().get(sha)
    count = int(command[2])
    return None if name is None else Script(name, command[3 : 3 + count], command[3 + count :])


def _script(name: str, script: str, change: Callable[[Script], None], story: str, bug: str = "") -> Wire:
    def changed(command: Command) -> Command:
        found = taken_apart(command)
        if found is None or found.name != script:
            return command
        change(found)
        return [*command[:3], *found.keys, *found.arguments]

    return Wire(name, story, changed, bug)


def _command(
    name: str, word: bytes, change: Callable[[Command], Command], story: str, bug: str = "", late: bool = False
) -> Wire:
    return Wire(name, story, lambda c: change(c) if c[0].upper() == word else c, bug, late)


def _swap(first: int, second: int) -> Callable[[Script], None]:
    def change(script: Script) -> None:
        keys = script.keys
        keys[first], keys[second] = keys[second], keys[first]

    return change


def _argument(index: int, change: Callable[[bytes], bytes]) -> Callable[[Script], None]:
    def changed(script: Script) -> None:
        script.arguments[index] = change(script.arguments[index])

    return changed


def _shift(script: Script) -> None:
    script.keys[2:6] = [script.keys[2], script.keys[2], *script.keys[3:5]]


def _seconds(ms: bytes) -> bytes:
    return b"%d" % (int(float(ms)) // 1000)


def _first_line_only(script: Script) -> None:
    if script.arguments[4] == b"failed":
        script.arguments[3] = script.arguments[3][:8]


def _nan(script: Script) -> None:
    if script.arguments[4] == b"completed" and script.arguments[3] == b"null":
        script.arguments[3] = b"NaN"


def _capitals(command: Command) -> Command:
    name = command.index(b"event") + 1
    return [*command[:name], command[name].upper(), *command[name + 1 :]]


def _escaped(text: bytes) -> bytes:
    return text.decode().encode("ascii", "backslashreplace").replace(b"\\x", b"\\u00")


FAULTS = (
    _script(
        "sweep-keys-shifted",
        "moveStalledJobsToWait",
        _shift,
        "the keys of the stalled sweep are shifted by one",
        "#4594",
    ),
    _script(
        "sweep-arguments-swapped",
        "moveStalledJobsToWait",
        lambda s: s.arguments.__setitem__(slice(0, 1), [b"100"]),
        "jobs may stall a hundred times",
    ),
    _script(
        "sweep-prefix-without-colon",
        "moveStalledJobsToWait",
        _argument(1, lambda prefix: prefix.rstrip(b":")),
        "the stalled sweep looks for locks beside the jobs",
        "#4589",
    ),
    _script("wait-and-paused-swapped", "addStandardJob", _swap(0, 1), "jobs are added to the paused list"),
    _script("meta-and-id-swapped", "addDelayedJob", _swap(0, 5), "events go to the marker"),
    _script(
        "finished-in-the-wrong-set",
        "moveToFinished",
        lambda s: s.keys.__setitem__(10, s.keys[10].replace(b":failed", b":completed")),
        "failed jobs are filed as completed",
    ),
    _script(
        "retry-pushes-left",
        "retryJob",
        _argument(2, lambda _: b"LPUSH"),
        "a retried job goes to the end of the line",
        "#2321",
    ),
    _script(
        "data-escaped", "addStandardJob", _argument(1, _escaped), "text beyond ASCII is escaped", "PyPI bullmq 3.4.4"
    ),
    _script(
        "finish-time-in-seconds",
        "moveToFinished",
        _argument(1, lambda ms: ms[:-3]),
        "jobs end in seconds since the epoch",
    ),
    _script(
        "progress-quoted",
        "updateProgress",
        _argument(1, lambda text: b'"%b"' % text.replace(b'"', b'\\"')),
        "progress is stored as JSON in JSON",
    ),
    _script(
        "progress-not-finite",
        "updateProgress",
        _argument(1, lambda text: b"Infinity" if text == b"null" else text),
        "progress that JSON has no word for is Infinity",
        "Rust port before 1.0",
    ),
    _script(
        "put-off-counted",
        "moveToDelayed",
        _argument(5, lambda _: b"0"),
        "a job that its processor puts off has one attempt less",
        "#4635",
    ),
    _script(
        "lock-for-another",
        "extendLocks",
        lambda s: s.arguments.__setitem__(slice(1, 2), [b""]),
        "locks are not renewed",
    ),
    _command(
        "marker-of-another-queue",
        b"BZPOPMIN",
        lambda c: [c[0], c[1] + b"s", *c[2:]],
        "an idle worker watches a key where nothing comes",
        "#4512",
    ),
    _command(
        "wait-rounded-up",
        b"BZPOPMIN",
        lambda c: [*c[:-1], b"%d" % math.ceil(float(c[-1]))],
        "an idle worker sleeps for whole seconds, and takes what comes due within one late",
        "PyPI bullmq 3.4.4",
        late=True,
    ),
    _command(
        "version-of-the-port",
        b"HMSET",
        lambda c: [b"bullmq:1.1.0" if w == b"bullmq:5.62.0" else w for w in c],
        "meta tells the port's version",
        ".NET port 1.1.0",
    ),
    _command(
        "no-version",
        b"HMSET",
        lambda c: c[:-2] if c[-2] == b"version" else c,
        "meta tells no version",
        "PyPI bullmq 3.4.4",
    ),
    _script("result-not-a-number", "moveToFinished", _nan, "a result that JSON has no word for is NaN", "#2683"),
    _script("reason-cut", "moveToFinished", _first_line_only, "reasons of failures are cut to eight characters"),
    _script("pause-says-resumed", "pause", _argument(0, lambda _: b"resumed"), "pause says that it resumed", "#4289"),
    _script(
        "pause-lists-swapped", "pause", _swap(0, 1), "pausing moves the paused jobs back instead of the waiting ones"
    ),
    _script(
        "priority-off-by-one",
        "changePriority",
        _argument(0, lambda priority: b"%d" % (int(priority) + 1)),
        "a changed priority is off by one",
    ),
    _script("delay-in-seconds", "changeDelay", _argument(0, _seconds), "a changed delay is in seconds"),
    _script(
        "logs-one-too-few",
        "addLog",
        _argument(2, lambda kept: b"%d" % (int(kept) - 1) if kept else kept),
        "one row too few is kept of a job's logs",
    ),
    _script("drain-takes-all", "drain", _argument(1, lambda _: b"1"), "drain takes delayed jobs, too"),
    _script(
        "children-always-removed", "removeJob", _argument(1, lambda _: b"1"), "a removed job takes its children along"
    ),
    _script(
        "promoted-beside-the-pause",
        "promote",
        lambda s: s.keys.__setitem__(2, s.keys[1]),
        "a promoted job waits beside the paused ones",
        "#4289",
    ),
    _script(
        "reprocessed-to-the-other-end",
        "reprocessJob",
        _argument(1, lambda push: b"LPUSH" if push == b"RPUSH" else b"RPUSH"),
        "a job that is retried by hand goes to the other end of the line",
    ),
    _script("clean-unlimited", "cleanJobsInSet", _argument(2, lambda _: b"0"), "clean ignores its limit"),
    _script(
        "children-waited-for-in-the-wrong-set",
        "moveToWaitingChildren",
        lambda s: s.keys.__setitem__(1, s.keys[1] + b"s"),
        "a parent waits for its children where nobody looks",
        "#4335",
    ),
    _script(
        "retried-from-the-wrong-state",
        "moveJobsToWait",
        _argument(2, lambda state: b"completed" if state == b"failed" else b"failed"),
        "jobs retried together say another state that they came from",
    ),
    _script(
        "returned-without-a-token",
        "moveJobFromActiveToWait",
        _argument(1, lambda _: b"x"),
        "a job is put back with another's token",
    ),
    _command(
        "events-trimmed-exactly",
        b"XTRIM",
        lambda c: [word for word in c if word != b"~"],
        "trimEvents takes more than whole nodes of the stream",
        "#2004",
    ),
    _command("own-events-in-capitals", b"XADD", _capitals, "the names of events of one's own are in capitals"),
    _command(
        "names-of-connections-lost",
        b"CLIENT",
        lambda c: [*c[:2], b"bullmq"] if len(c) == 3 and c[1].upper() == b"SETNAME" else c,
        "connections do not tell whose they are",
        "emirce/bullstudio#103",
    ),
)
