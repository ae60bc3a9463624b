"""Fields as they should be stored: a job's hash, the queue's `meta`, an entry of the stream, a score."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from compat.report.text import shortened, spelled
from compat.wire.events import EVENTS, event_codec
from compat.wire.fields import FIELDS, Codec
from compat.wire.options import STORED_OPTIONS
from compat.wire.scores import due, priority

#: What every script that makes a job writes.
ALWAYS: Final = ("name", "data", "opts", "timestamp", "delay", "priority")
_META_NUMBERS: Final = ("opts.maxLenEvents", "concurrency", "max", "duration")
_EPOCH_MS: Final = 978_307_200_000  # 2001: BullMQ is younger; a due time before it is no time in ms × 4096
SKEW_MS: Final = 1_000  # clocks of two machines may differ by so much without a finding


class Wrong(NamedTuple):
    """`part` is the field, the option or the event that is wrong."""

    part: str
    words: str
    why: str


_NUMBER = "clients parse it as a number: they show NaN and sort wrongly"
_JSON = "clients parse it as JSON: they drop it, show nothing, or fail on the job"
_LONG = "the scripts and Node read the short name only: the option has no effect there"
_UNKNOWN = "no client of BullMQ 5.62.0 reads it: what was meant to be stored is not seen"
_PARTIAL = "a hash without it was written after its job had gone, or by no script of BullMQ's: clients cannot read it"
_QUOTED = "Node writes the text itself: every reader shows this one in quotes"
_READER = "Node's QueueEvents parses it: its reader ends at this entry, for every listener"
_SCORE = "the job is taken at the wrong time, or in the wrong order"
_ORDER = "durations are negative"


def of_job(fields: Mapping[str, str]) -> Iterator[Wrong]:
    """What is wrong with a job's hash."""
    for name in ALWAYS:
        if name not in fields:
            yield Wrong(name, f"the hash has no `{name}`", _PARTIAL)
    for name, text in fields.items():
        codec = FIELDS.get(name)
        if codec is None:
            yield Wrong(name, f"a field `{name}`, which BullMQ does not have", _UNKNOWN)
        elif complaint := _complaint(codec, text):
            yield Wrong(name, f"`{name}` is {_shown(text)}, {complaint[0]}", complaint[1])
    yield from _options(fields.get("opts", "{}"))
    if isinstance(_json(fields.get("failedReason", "")), str):
        yield Wrong("failedReason", f"`failedReason` is {_shown(fields['failedReason'])}, quoted as JSON", _QUOTED)


def order(fields: Mapping[str, str]) -> Iterator[Wrong]:
    """Times that run backwards, by more than clocks of different machines may differ."""
    given = "timestamp" in (_json(fields.get("opts", "{}")) or {})
    names = ("processedOn", "finishedOn") if given else ("timestamp", "processedOn", "finishedOn")
    times = [(name, int(fields[name])) for name in names if fields.get(name, "").isdecimal()]
    for (before, earlier), (after, later) in itertools.pairwise(times):
        if earlier - later > SKEW_MS:
            yield Wrong(after, f"{after} is {earlier - later} ms before {before}", _ORDER)


def of_score(state: str, score: float, fields: Mapping[str, str]) -> Iterator[Wrong]:
    """What is wrong with a job's score in the sorted set of its state."""
    match state:
        case "delayed" if due(score).ms < _EPOCH_MS:
            yield Wrong(state, f"its score in `delayed` is {score:.17g}: due {due(score).ms} ms after 1970", _SCORE)
        case "prioritized" if str(priority(score).priority) != fields.get("priority"):
            words = f"its score in `prioritized` is of priority {priority(score).priority}, its hash says "
            yield Wrong(state, words + fields.get("priority", "none"), _SCORE)
        case "completed" | "failed" if f"{score:.17g}" != fields.get("finishedOn"):
            words = f"its score in `{state}` is {score:.17g}, its `finishedOn` "
            yield Wrong(state, words + fields.get("finishedOn", "missing"), "cleaning by age takes the wrong jobs")


def of_meta(fields: Mapping[str, str]) -> Iterator[Wrong]:
    """What is wrong with the queue's settings."""
    for name in _META_NUMBERS:
        if name in fields and not _number(fields[name]):
            yield Wrong(name, f"`{name}` of `meta` is {_shown(fields[name])}, no number", "the scripts compute with it")


def of_event(row: Mapping[str, str]) -> Iterator[Wrong]:
    """What is wrong with an entry of the stream. Events of one's own (`publishEvent`) are not judged."""
    event = row.get("event", "")
    for name in EVENTS.get(event, ()):
        if name == "prev":
            continue
        if name not in row:
            yield Wrong(f"{event}.{name}", f"an event `{event}` without `{name}`", "listeners get it without")
        elif event_codec(event, name) is Codec.CLIENT_JSON and _json(row[name]) is _NO_JSON:
            yield Wrong(f"{event}.{name}", f"`{name}` of an event `{event}` is {_shown(row[name])}, no JSON", _READER)


def _complaint(codec: Codec, text: str) -> tuple[str, str] | None:
    match codec:
        case Codec.NUMBER | Codec.INSTANT if not _number(text):
            return "no number", _NUMBER
        case Codec.CLIENT_JSON if _json(text) is _NO_JSON:
            return "no JSON", _JSON
        case Codec.REDIS_JSON if not isinstance(_json(text), dict):
            return "no JSON object", _JSON
        case Codec.TRACES if not isinstance(_json(text), list):
            return "no JSON array", _JSON
    return None


def _options(text: str) -> Iterator[Wrong]:
    options = _json(text)
    for name in options if isinstance(options, dict) else ():
        if name in STORED_OPTIONS:
            yield Wrong(f"opts.{name}", f"`opts` has `{name}`; BullMQ stores it as `{STORED_OPTIONS[name]}`", _LONG)


_NO_JSON: Final = object()


def _json(text: str) -> Any:
    """What JSON.parse would make of it, or `_NO_JSON`."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _NO_JSON


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip() and "_" not in text and not text.lower().strip("+-").startswith(("nan", "inf"))


def _shown(text: str) -> str:
    return shortened(spelled(text), 60)
