"""A round as it should come out, to be spoiled by the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from compat.chaos.account import Added, Strike
from compat.model.capture import Capture, Key, StreamEntry
from compat.model.cell import Side
from compat.shadow.ledger import Ledger
from compat.shadow.result import Result, Round, result
from compat.shadow.work import Work

START = 1_795_500_000_000
WORK = Work(0, {"a": 1}, {}, 1, {"ok": True})


@dataclass
class Made:
    """One payload: job 1 was finished by Node, its twin 2 by the port. Whatever is here may be changed."""

    work: Work = WORK
    rows: list[str] = field(
        default_factory=lambda: [
            line
            for job in ("1", "2")
            for line in (f"added {job}", f"waiting {job}", f"active {job} waiting", f"completed {job} active")
        ]
    )
    states: dict[str, str] = field(default_factory=lambda: {"1": "completed", "2": "completed"})
    names: dict[str, str] = field(default_factory=lambda: {"1": "job-0", "2": "twin-0"})
    fields: dict[str, Mapping[str, str]] = field(default_factory=dict)  # over those that a job has anyway
    calls: list[tuple[Side, str, int]] = field(default_factory=lambda: [("oracle", "1", 0), ("port", "2", 0)])
    adds: list[str | None] = field(default_factory=lambda: ["1", "2"])
    adders: tuple[Side, Side] = ("oracle", "port")
    strikes: tuple[Strike, ...] = ()
    whole: bool = True
    strays: tuple[str, ...] = ()

    def result(self) -> Result:
        ledger = Ledger({0: self.work})
        for number, (side, job, made) in enumerate(self.calls):
            view = {"id": job, "name": self.names[job], "attemptsMade": made}
            call = ledger.begin(f"{side}-1", side, view, "t", START + number)
            assert call is not None
            call.ended_ms = START + number + 1
        for place, job_id in enumerate(self.adds):
            error = "" if job_id else "ScriptError: out of memory"
            ledger.adds.append(Added(f"{self.adders[place]}-adder", place, job_id, START, START, error))
        round_ = Round(1, "q", "single", 1, START - 1_000, self.strikes, self.whole, bool(self.strikes))
        return result(round_, self._capture(), ledger, self.strays)

    def _capture(self) -> Capture:
        entries = []
        for number, row in enumerate(self.rows):
            event, job, *prev = row.split()
            row_fields = (("event", event), ("jobId", job), *(("prev", text) for text in prev))
            entries.append(StreamEntry(f"{START + number}-0", row_fields))
        keys = {"p:q:events": Key("stream", entries=tuple(entries))}
        for job, state in self.states.items():
            own = {"name": self.names[job], "data": '{"a":1}', "opts": "{}", "atm": "1", "ats": "1"}
            keys[f"p:q:{job}"] = Key("hash", fields={**own, **self.fields.get(job, {})})
            key = keys.get(f"p:q:{state}")
            if state in ("wait", "active", "paused"):
                keys[f"p:q:{state}"] = Key("list", items=(*(key.items if key else ()), job))
            else:
                keys[f"p:q:{state}"] = Key("zset", scores=(*(key.scores if key else ()), (job, 1.0)))
        return Capture("end", 0, START + 1_000, "p", keys)


@pytest.fixture
def made() -> Callable[[], Made]:
    return Made
