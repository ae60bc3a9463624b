"""Words: one sentence for each difference, short enough to read, exact where it counts."""

from __future__ import annotations

from difflib import SequenceMatcher
from operator import ne
from typing import Any, Final

from compat.compare.difference import Inner, inner
from compat.compare.spelled import spelled
from compat.normalise.canonical import Place

_SHOWN = 80  # characters of a value
_BEFORE = 20  # characters shown before the first difference

#: A place that one side does not have.
ABSENT: Final = object()


def shown(oracle: Any, port: Any) -> tuple[str, str]:
    """Two values as text; long ones are cut to where they first differ."""
    one, other = _text(oracle), _text(port)
    if max(len(one), len(other)) <= _SHOWN:
        return one, other
    pairs = zip(one, other, strict=False)
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    start = max(0, at - _BEFORE)
    return _cut(one, start), _cut(other, start)


def _cut(text: str, start: int) -> str:
    head = "…" if start else ""
    tail = f"… ({len(text)} characters)" if start + _SHOWN < len(text) else ""
    return f"{head}{text[start : start + _SHOWN]}{tail}"


def _text(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    if isinstance(value, str):
        return f"`{value}`" if value.isprintable() and value else f"`{value!r}`"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(spelled(value))


def _alike(oracle: Any, port: Any) -> bool:
    """Whether two values may differ in one place only: of thousands of items not more than one differs."""
    if len(oracle) != len(port):
        return True
    one, other = spelled(oracle), spelled(port)
    if isinstance(one, list):
        return bool(sum(map(ne, one, other)) < 2)
    return bool(one.keys() != other.keys() or sum(value != other[key] for key, value in one.items()) < 2)


def place_name(place: Place, title: str) -> str:
    """Where a difference is: `mail / job j / failedReason`."""
    subject = "" if place.what.startswith("call.") else title or place.subject
    pieces = (place.queue, subject, _class(place) if place.what != "job" else "")
    return " / ".join(piece for piece in pieces if piece)


def sentence(place: Place, title: str, oracle: Any, port: Any) -> str:
    """`job j: failedReason — the oracle left `boom`, the port left `"boom"`."""
    call = place.what.startswith("call.")
    subject = "" if call else title or place.subject
    if place.what == "job":
        one, other = ("left it", "has none") if port is ABSENT else ("left none", "has one")
        return f"{subject}: the oracle {one}, the port {other}"
    head = (
        f"{subject}: {_class(place)}"
        if subject
        else f"{_class(place)} of {place.queue}"
        if place.queue and not call
        else _class(place)
    )
    if place.what.startswith("events") and isinstance(oracle, (list, dict)) and isinstance(port, (list, dict)):
        return f"{head} — {stream(oracle, port)}"
    path = ""
    if isinstance(oracle, (dict, list)) and type(oracle) is type(port):
        found = inner(oracle, port) if _alike(oracle, port) else ()
        if len(found) == 1 and found[0].path:
            path = _path(found[0])
            oracle, port = _at(oracle, found[0].path), _at(port, found[0].path)
    verb = "answered" if call else "left"
    one, other = shown(oracle, port)
    return f"{head}{path} — the oracle {verb} {one}, the port {verb} {other}"


def _class(place: Place) -> str:
    return place.what.removeprefix("job.").removeprefix("call.")


def _path(found: Inner) -> str:
    return " at " + ".".join(str(piece) for piece in found.path)


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for piece in path:
        try:
            value = value[piece]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return value


def stream(oracle: list[Any] | dict[str, Any], port: list[Any] | dict[str, Any]) -> str:
    """How two streams differ, aligned: what is missing, what is extra, where they first part."""
    if isinstance(oracle, dict) or isinstance(port, dict):
        one = oracle if isinstance(oracle, dict) else {"": oracle}
        other = port if isinstance(port, dict) else {"": port}
        parts = [
            f"job {job}: {stream(one.get(job, []), other.get(job, []))}" if job else stream(one[job], other[job])
            for job in sorted({*one, *other})
            if spelled(one.get(job)) != spelled(other.get(job)) and (job or (job in one and job in other))
        ]
        return "; ".join(parts[:3]) or "the events that belong to no job differ"
    one_, other_ = [event(item) for item in oracle], [event(item) for item in port]
    told: list[str] = []
    for tag, a, b, c, d in SequenceMatcher(None, one_, other_, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        left, right = shown(" ‖ ".join(one_[a:b]), " ‖ ".join(other_[c:d]))
        after = f"after event {a} ({one_[a - 1]})" if a else "at the start"
        match tag:
            case "delete":
                told.append(f"{after} the port lacks {left}")
            case "insert":
                told.append(f"{after} the port has {right} besides")
            case _:
                told.append(f"{after} the oracle has {left}, the port {right}")
    more = f"; and {len(told) - 2} more places" if len(told) > 2 else ""
    return "; ".join(told[:2]) + more


def event(item: Any) -> str:
    """An event as text: `waiting 1 prev=active`."""
    if not isinstance(item, dict):
        return _text(item).strip("`")
    rest = [f"{name}={_field(value)}" for name, value in item.items() if name not in ("event", "jobId")]
    return " ".join([str(item.get("event", "?")), *([str(item["jobId"])] if "jobId" in item else []), *rest])


def _field(value: Any) -> str:
    return value if isinstance(value, str) else str(spelled(value))
