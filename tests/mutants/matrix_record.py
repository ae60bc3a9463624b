"""What was played of the kill matrix, kept as lines of JSON, so that a run goes on where another stopped."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from compat.model.scenario import Scenario


class Kill(Struct, frozen=True, omit_defaults=True):
    """How a scenario told of a fault: the checks that came out differently (`end/job.failedReason`). `doubtful`: none
    but that something came late, or not at all."""

    checks: tuple[str, ...]
    doubtful: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """The checks without the capture they were made at."""
        return tuple(dict.fromkeys(check.partition("/")[2] or check for check in self.checks))


class Played(Struct, frozen=True, omit_defaults=True):
    """One fault in one scenario, which had this digest."""

    digest: str
    kill: Kill | None = None


class Line(Struct, frozen=True, omit_defaults=True):
    fault: str
    scenario: str
    played: Played


def digest(scenario: Scenario) -> str:
    """Of all that a scenario does and expects."""
    return hashlib.sha256(msgspec.json.encode(scenario, order="deterministic")).hexdigest()[:12]


class Store:
    """The lines of a file, the last of each fault and scenario; faults that there are not are passed over."""

    def __init__(self, file: Path, faults: Collection[str]) -> None:
        self._file = file
        self._played: dict[str, dict[str, Played]] = defaultdict(dict)
        if file.exists():
            for line in file.read_bytes().splitlines():
                read = msgspec.json.decode(line, type=Line)
                if read.fault in faults:
                    self._played[read.fault][read.scenario] = read.played

    def of(self, fault: str) -> Mapping[str, Played]:
        """Scenario → what was played of a fault."""
        return self._played[fault]

    def add(self, fault: str, scenario: str, played: Played) -> None:
        self._played[fault][scenario] = played
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(Line(fault, scenario, played)) + b"\n")

    def forget(self, fault: str, scenarios: Iterable[str]) -> None:
        """Have these played anew."""
        for scenario in scenarios:
            self._played[fault].pop(scenario, None)

    def killers(self) -> set[str]:
        """The scenarios that kill a fault."""
        return {name for played in self._played.values() for name, one in played.items() if one.kill}

    def missing(self, scenarios: Iterable[Scenario]) -> list[str]:
        """Scenarios, as they are now, that no fault was played in."""
        seen = {(name, one.digest) for played in self._played.values() for name, one in played.items()}
        return [scenario.id for scenario in scenarios if (scenario.id, digest(scenario)) not in seen]
