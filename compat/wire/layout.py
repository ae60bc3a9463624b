"""What BullMQ stores, described once and independently of `bullmq_ref`: keys, fields, events, scores."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

Codec = Literal["raw", "int", "json", "cjson", "stacktrace"]

#: The job hash's fields, each with the one way to read it. `cjson` is JSON that Redis wrote: it has no key order of its
#: own. A field that stands here with one codec is never tried with another: that would hide a doubly encoded text.
JOB_FIELDS: dict[str, Codec] = {
    **dict.fromkeys(("name", "parentKey", "rjk", "deid", "pb", "defa", "failedReason", "nrjid", "tm"), "raw"),
    **dict.fromkeys(("timestamp", "delay", "priority", "processedOn", "finishedOn", "ats", "atm", "stc"), "int"),
    **dict.fromkeys(("data", "returnvalue", "progress"), "json"),
    **dict.fromkeys(("opts", "parent"), "cjson"),
    "stacktrace": "stacktrace",
}
INSTANTS = frozenset({"timestamp", "processedOn", "finishedOn"})
EVENT_JSON: dict[tuple[str, str], Codec] = {("completed", "returnvalue"): "json", ("progress", "data"): "json"}

STATES = ("wait", "paused", "active", "prioritized", "delayed", "waiting-children", "completed", "failed")
LISTS = frozenset({"wait", "paused", "active"})
BY_TIME = frozenset({"completed", "failed", "waiting-children"})
QUEUE_KEYS = frozenset(
    {*STATES, "id", "pc", "meta", "marker", "events", "stalled", "stalled-check", "limiter", "repeat"}
)
QUEUE_FAMILIES = ("de:", "repeat:", "metrics:")
JOB_KEYS = frozenset({"lock", "logs", "dependencies", "processed", "failed", "unsuccessful"})

DELAYED_FACTOR = 4096
PRIORITY_FACTOR = 2**32

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TOKEN = re.compile(rf"{_UUID.pattern}:\d+")


@dataclass(frozen=True)
class Place:
    """Where a key belongs: a queue's own key (`job` is None), a job's hash (`part` is ""), or a part of a job."""

    queue: str
    suffix: str
    job: str | None = None
    part: str = ""


def place(prefix: str, key: str, queues: tuple[str, ...], jobs: frozenset[tuple[str, str]]) -> Place | None:
    """The place of `key`, or None when it belongs to no queue known. `jobs` holds (queue, id) of all job hashes."""
    for queue in sorted(queues, key=len, reverse=True):
        base = f"{prefix}:{queue}:"
        if not key.startswith(base):
            continue
        suffix = key.removeprefix(base)
        job, _, part = suffix.rpartition(":")
        if part in JOB_KEYS and job:
            return Place(queue, suffix, job, part)
        if suffix in QUEUE_KEYS or suffix.startswith(("de:", "metrics:")):
            return Place(queue, suffix)
        return Place(queue, suffix, suffix) if (queue, suffix) in jobs else Place(queue, suffix)
    return None


def read(codec: Codec, text: str) -> Any:
    """A field's text by its codec. Text that the codec does not fit stays visible as `<not …: text>`."""
    if codec == "raw":
        return text
    if codec == "int":
        return int(text) if re.fullmatch(r"-?\d+", text) else f"<not a whole number: {text}>"
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError:
        return f"<not JSON: {text}>"
    if codec == "stacktrace":
        good = isinstance(value, list) and all(isinstance(entry, str) for entry in value)
        return f"<{len(value)} entries>" if good else f"<not a list of texts: {text}>"
    return told_apart(value)


def told_apart(value: Any) -> Any:
    """Numbers as JavaScript sees them, told apart from booleans and from their texts."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        if value == 0 and math.copysign(1, value) < 0:
            return "<-0>"
        return int(value) if value.is_integer() and abs(value) <= 2**53 else value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else float(value)  # beyond, JavaScript sees the double next to it
    if isinstance(value, list):
        return [told_apart(item) for item in value]
    if isinstance(value, dict):
        return {key: told_apart(item) for key, item in value.items()}
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
