"""Twins: two jobs of one payload, one finished by each side; where what they left differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compat.compare.difference import inner
from compat.compare.levels import weight
from compat.compare.words import ABSENT, shown
from compat.model.capture import Key
from compat.model.verdict import Level
from compat.normalise.clock import INSTANT
from compat.normalise.jobs import traces
from compat.normalise.text import json_text
from compat.wire.fields import FIELDS, Codec
from compat.wire.states import state_of

#: What two twins have of their own: their names, and who worked on them.
_OWN: Final = frozenset({"name", "pb"})
_SLACK: Final = 1_000  # ms that two clocks may be apart
#: What tells how often a job was run: not compared where something befell one of the twins.
COUNTED: Final = ("job.ats", "job.stc", "job.stacktrace", "job.logs")

#: Fields that whoever adds a job writes; the others are the worker's that finished it.
ADDED: Final = frozenset({"data", "opts", "priority", "timestamp", "parentKey", "parent", "rjk", "deid"})

Outcome = Mapping[str, Any]


@dataclass(frozen=True)
class Divergence:
    """One place where twins differ. `oracle` and `port` are what each side wrote, as text."""

    number: int  # of the payload
    what: str
    level: Level
    oracle: str
    port: str


def outcome(keys: Mapping[str, Key], base: str, job: str, since_ms: float, until_ms: float) -> Outcome:
    """What became of a job, place by place: its state, its fields by their codecs, its logs. A time that a clock can
    have shown between `since_ms` and `until_ms` is `<instant>`."""
    found: dict[str, Any] = {"job.state": state_of(keys, base, job)}
    key = keys.get(f"{base}:{job}")
    for field, text in (key.fields if key is not None else {}).items():
        codec = FIELDS.get(field, Codec.RAW)
        if field in _OWN:
            continue
        match codec:
            case Codec.CLIENT_JSON:
                found[f"job.{field}"] = json_text(text, str, by_client=True)
                found[f"job.{field}.bytes"] = text
            case Codec.REDIS_JSON:
                found[f"job.{field}"] = json_text(text, str, by_client=False)
            case Codec.TRACES:
                found[f"job.{field}"] = traces(json_text(text, str, by_client=True))
            case Codec.INSTANT if text.isdecimal() and since_ms - _SLACK <= int(text) <= until_ms + _SLACK:
                found[f"job.{field}"] = INSTANT
            case _:
                found[f"job.{field}"] = text
    logs = keys.get(f"{base}:{job}:logs")
    found["job.logs"] = list(logs.items) if logs is not None else []
    return found


def by_adder(oracle: Outcome, port: Outcome) -> tuple[Outcome, Outcome]:
    """Outcomes of twins that each side finished, with what each side added: for twins of which the port added the one
    that Node finished, and Node the other."""

    def mixed(finished: Outcome, other: Outcome) -> Outcome:
        return {k: v for k, v in finished.items() if not _added(k)} | {k: v for k, v in other.items() if _added(k)}

    return mixed(oracle, port), mixed(port, oracle)


def _added(what: str) -> bool:
    return what.split(".")[1] in ADDED


def divergences(number: int, oracle: Outcome, port: Outcome, *, disturbed: bool = False) -> Iterator[Divergence]:
    """Where two outcomes differ. A text whose value differs is told as the value only."""
    for what in dict.fromkeys((*oracle, *port)):
        if disturbed and what in COUNTED:
            continue
        if not _differ(oracle, port, what):
            continue
        if what.endswith(".bytes") and _differ(oracle, port, what.removesuffix(".bytes")):
            continue
        words = shown(oracle.get(what, ABSENT), port.get(what, ABSENT))
        yield Divergence(number, what, weight(what).level, *words)


def _differ(oracle: Outcome, port: Outcome, what: str) -> bool:
    return bool(inner(*([side[what]] if what in side else [] for side in (oracle, port))))
