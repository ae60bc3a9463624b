"""A golden: what one version of the oracle leaves in each scenario, canonical, as lines of JSON that stay the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct, structs

from compat.model.history import Implementation
from compat.model.scenario import Scenario, TopologyName
from compat.normalise import Canonical, Place
from compat.protocol.values import decode, encode

FORMAT = 1


class GoldenError(Exception):
    """A file is no golden; the text says where, what was seen and what to do."""


class Recording(Struct, frozen=True):
    """One scenario on one topology. `digest` tells the scenario that was played from one that was changed since."""

    scenario: str
    topology: TopologyName
    digest: str
    canonical: Canonical


class Golden(Struct, frozen=True):
    oracle: Implementation
    recordings: dict[tuple[str, TopologyName], Recording]

    def of(self, scenario: Scenario, topology: TopologyName) -> Canonical | str:
        """What the oracle left; or why the golden cannot tell."""
        found = self.recordings.get((scenario.id, topology))
        if found is None:
            return "the golden has no recording of this scenario on this topology; make a new one with `record`"
        if found.digest != digest(scenario):
            return "the scenario was changed after the golden was recorded; make a new one with `record`"
        return found.canonical


def digest(scenario: Scenario) -> str:
    """Equal as long as a scenario does the same; its words may change, and what it expects."""
    silent = structs.replace(
        scenario, title="", why="", covers=(), tags=(), expect=(), quirks=(), arms=(), topologies=()
    )
    return hashlib.sha256(msgspec.json.encode(silent, order="deterministic")).hexdigest()[:16]


def write(golden: Golden) -> Iterator[str]:
    """The lines, by scenario; what is the same on both topologies is written once."""
    who = Implementation(**{name: getattr(golden.oracle, name) for name in Implementation.__struct_fields__})
    yield _line({"golden": FORMAT, "oracle": msgspec.to_builtins(who)})
    bodies: dict[str, dict[str, list[str]]] = {}
    for (scenario, topology), recording in sorted(golden.recordings.items(), key=lambda entry: entry[0]):
        canonical = recording.canonical
        body = {
            "digest": recording.digest,
            "titles": [[*key, title] for key, title in canonical.titles.items()],
            "values": [[p.scope, p.what, p.queue, p.subject, encode(v)] for p, v in canonical.values.items()],
        }
        bodies.setdefault(scenario, {}).setdefault(json.dumps(body), []).append(topology)
    for scenario, variants in bodies.items():
        for text, topologies in variants.items():
            yield _line({"scenario": scenario, "topologies": topologies, **json.loads(text)})


def read(lines: Iterable[str], name: str) -> Golden:
    """The golden in a file; `name` is for the errors. Raises `GoldenError`."""
    rows = enumerate(lines, 1)
    row, first = next(rows, (1, ""))
    try:
        head = json.loads(first)
        if head["golden"] != FORMAT:
            raise GoldenError(f"{name} has format {head['golden']!r}, this program reads {FORMAT}; record a new one")
        oracle = msgspec.convert(head["oracle"], Implementation)
        recordings: dict[tuple[str, TopologyName], Recording] = {}
        for number, line in rows:
            row = number
            for recording in _recordings(json.loads(line)):
                recordings[recording.scenario, recording.topology] = recording
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise GoldenError(f"{name}:{row} is no line of a golden ({error}); make one with `record`") from None
    return Golden(oracle, recordings)


def _recordings(row: dict[str, Any]) -> Iterator[Recording]:
    canonical = Canonical(
        values={Place(*(str(part) for part in entry[:4])): decode(entry[4]) for entry in row["values"]},
        titles={(queue, job): title for queue, job, title in row["titles"]},
        rules={},
    )
    for topology in row["topologies"]:
        yield Recording(row["scenario"], topology, row["digest"], canonical)


def _line(value: dict[str, Any]) -> str:
    """ASCII: text that is not UTF-8 keeps its bytes as escapes."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
