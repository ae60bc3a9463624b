"""Differences between two canonical trees, found by DeepDiff and told one sentence each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deepdiff import DeepDiff

from compat.compare.meaning import meaning
from compat.model.verdict import Difference
from compat.normalise import Canonical

_LONGEST = 160  # characters of a value in a sentence
ABSENT = None


@dataclass(frozen=True)
class Comparison:
    """`checks` counts the classes compared, equal or not."""

    checks: int
    differences: tuple[Difference, ...]


def differences(scenario: str, oracle: Canonical, port: Canonical) -> Comparison:
    """Compare capture by capture, class by class. A class is compared as a whole: one difference a class and job."""
    found: list[Difference] = []
    checks = 0
    for label in [*oracle, *(name for name in port if name not in oracle)]:
        left, right = _leaves(label, oracle.get(label)), _leaves(label, port.get(label))
        for where in [*left, *(name for name in right if name not in left)]:
            checks += 1
            ours, theirs = left.get(where, ABSENT), right.get(where, ABSENT)
            if where in left and where in right and not _differ(ours, theirs):
                continue
            if not (where in left and where in right) and _implied(where, left, right):
                continue
            found.append(_difference(scenario, label, where, ours, theirs))
    return Comparison(checks, tuple(found))


Where = tuple[str, str, str]  # queue, job or "", class


def _leaves(label: str, tree: dict[str, Any] | None) -> dict[Where, Any]:
    return dict(_calls(tree or {}) if label == "calls" else _places(tree or {}))


def _calls(tree: dict[str, Any]) -> Iterator[tuple[Where, Any]]:
    for name, outcome in tree.items():
        yield ("", "", f"call.{name}"), outcome


def _places(tree: dict[str, Any]) -> Iterator[tuple[Where, Any]]:
    for queue, keys in tree.items():
        if queue == "<foreign>":
            for name, kind in keys.items():
                yield ("", "", f"foreign.{name}"), kind
            continue
        for suffix, value in keys.items():
            if suffix == "jobs":
                for job, fields in value.items():
                    for field, text in fields.items():
                        yield (queue, job, f"job.{field}"), text
            elif suffix == "meta":
                for field, text in value.items():
                    yield (queue, "", f"meta.{field}"), text
            elif suffix == "events":
                yield (queue, "", "events"), _bytes_apart(value, False)
                yield (queue, "", "events.bytes"), _bytes_apart(value, True)
            else:
                yield (queue, "", suffix), value


def _bytes_apart(events: Any, bytes_only: bool) -> Any:
    """The stream's meaning, or only the bytes of what clients wrote into it."""
    if isinstance(events, dict):
        return {key: _bytes_apart(value, bytes_only) for key, value in events.items()}
    if not isinstance(events, list):
        return events
    return [
        {k: v for k, v in event.items() if k.endswith(".bytes") == bytes_only} if isinstance(event, dict) else event
        for event in events
    ]


def _differ(left: Any, right: Any) -> bool:
    return bool(DeepDiff(left, right, ignore_order=False, ignore_numeric_type_changes=False)) or (
        json.dumps(left, sort_keys=True) != json.dumps(right, sort_keys=True)
    )


def _implied(where: Where, left: dict[Where, Any], right: dict[Where, Any]) -> bool:
    """Bytes of a field that is missing altogether: told by the field itself."""
    queue, job, path = where
    plain = (queue, job, path.removesuffix(".bytes"))
    return path.endswith(".bytes") and plain in (left | right) and (plain in left) != (plain in right)


def _difference(scenario: str, label: str, where: Where, ours: Any, theirs: Any) -> Difference:
    queue, job, path = where
    level, why = meaning(path)
    place = " / ".join(part for part in (queue, f"job {job}" if job else "", path.removeprefix("job.")) if part)
    if path == "events":
        words = _events_in_words(ours, theirs)
    else:
        words = f"the oracle left {_show(ours)}, the port left {_show(theirs)}"
        if path.startswith("call."):
            words = words.replace(" left ", " answered ")
    return Difference(f"{scenario}#{label}/{path}", level, place, ours, theirs, f"{place}: {words}", why)


def _events_in_words(ours: Any, theirs: Any) -> str:
    """The first event that differs, not the index noise behind it."""
    if not (isinstance(ours, list) and isinstance(theirs, list)):
        return f"the oracle left {_show(ours)}, the port left {_show(theirs)}"
    for index, (left, right) in enumerate(zip(ours, theirs, strict=False)):
        if left != right:
            return f"event {index + 1}: the oracle wrote {_show(left)}, the port wrote {_show(right)}"
    shorter = min(len(ours), len(theirs))
    extra = (ours if len(ours) > len(theirs) else theirs)[shorter]
    who = "the port lacks" if len(ours) > len(theirs) else "the port has besides"
    return f"event {shorter + 1}: {who} {_show(extra)} ({len(ours)} events against {len(theirs)})"


def _show(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}`"
