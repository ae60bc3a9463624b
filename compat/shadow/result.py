"""The result of one round: from the ledger and what Redis holds in the end, to what came of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from compat.chaos.account import Account, Kept, Strike, account
from compat.compare.laws import BrokenLaw, broken_laws
from compat.compare.lives import finishes
from compat.model.capture import Capture
from compat.model.cell import Cell, Side
from compat.model.history import History
from compat.model.scenario import Scenario, TopologyName
from compat.shadow.latencies import Latencies, latencies
from compat.shadow.ledger import WORKER, Ledger
from compat.shadow.twins import Divergence, by_adder, divergences, outcome
from compat.shadow.work import Copy
from compat.wire.states import STATES, members


@dataclass(frozen=True)
class Round:
    """What a round was: its place, its time, its faults. `whole`: it was not broken off."""

    number: int
    queue: str
    topology: TopologyName
    concurrency: int
    started_ms: float
    strikes: tuple[Strike, ...] = ()
    whole: bool = True
    faults: bool = False


@dataclass(frozen=True)
class Result:
    """`pairs` payloads were finished once by each side, and compared; `shared` jobs were worked on by both sides,
    attempt by attempt. `ended` counts jobs by the side that recorded their end."""

    number: int
    whole: bool
    account: Account
    broken: tuple[BrokenLaw, ...]
    pairs: int
    divergences: tuple[Divergence, ...]
    shared: int
    ended: Mapping[Side, int]
    latencies: Mapping[Side, Latencies]
    refused: tuple[str, ...] = ()  # adds that raised though nothing was struck
    strays: tuple[str, ...] = ()  # keys outside the prefix, on a server of our own

    @property
    def good(self) -> bool:
        """No law broken, nothing lost or doubled without a reason, nothing refused or astray; twins apart."""
        return self.account.good and not (self.broken or self.refused or self.strays)


def result(round_: Round, capture: Capture, ledger: Ledger, strays: Sequence[str] = ()) -> Result:
    """Reckon a round up."""
    base = f"{capture.prefix}:{round_.queue}"
    jobs = _jobs(capture, base)
    events = capture.keys.get(f"{base}:events")
    entries = events.entries if events is not None else ()
    by_job = ledger.by_job
    ended = {
        job: calls[-1].side
        for job, calls in by_job.items()
        if job in jobs and jobs[job].state in ("completed", "failed")
    }
    failing = {Copy(n, twin).place for n, work in ledger.works.items() if work.fails for twin in (False, True)}
    twice = [f"job {job} (`{event}`)" for job, event in finishes(entries)]
    reckoned = account(
        ledger.adds if round_.whole else (),
        ledger.runs(),
        [job for job in jobs.values() if round_.whole or job.state in ("completed", "failed")],
        round_.strikes,
        asked=0,
        ended_twice=twice,
        planned=failing.__contains__,
        title=lambda place: Copy.at(place).name if place >= 0 else "what nobody added",
    )
    pairs = list(_pairs(jobs, ended))
    return Result(
        number=round_.number,
        whole=round_.whole,
        account=reckoned,
        broken=_broken(round_, capture, ledger),
        pairs=len(pairs),
        divergences=tuple(d for pair in pairs for d in _compared(round_, capture, ledger, *pair)),
        shared=sum(len({call.side for call in calls}) > 1 for calls in by_job.values()),
        ended=Counter(ended.values()),
        latencies=latencies(
            entries,
            {job: [call.side for call in calls] for job, calls in by_job.items()},
            frozenset(job for job, kept in jobs.items() if kept.number >= 0 and ledger.works[kept.number // 2].delayed),
        ),
        refused=() if round_.faults else tuple(f"{add.adder}: {add.error}" for add in ledger.adds if add.job is None),
        strays=tuple(strays),
    )


def _jobs(capture: Capture, base: str) -> dict[str, Kept]:
    """Every job in any state, by id."""
    found: dict[str, Kept] = {}
    for state in STATES:
        key = capture.keys.get(f"{base}:{state}")
        for job in members(key) if key is not None else ():
            held = capture.keys.get(f"{base}:{job}")
            fields = held.fields if held is not None else {}
            copy = Copy.named(fields.get("name", ""))
            stalled = fields.get("stc", "0")
            found[job] = Kept(
                job,
                copy.place if copy is not None else -1,
                state,
                fields.get("failedReason", ""),
                int(stalled) if stalled.isdecimal() else 0,
            )
    return found


def _pairs(jobs: Mapping[str, Kept], ended: Mapping[str, Side]) -> Iterator[tuple[int, str, str]]:
    """(payload, the job that Node finished, the job that the port finished)."""
    by_payload: dict[int, dict[Side, str]] = defaultdict(dict)
    for job, side in ended.items():
        if jobs[job].number >= 0:
            by_payload[jobs[job].number // 2].setdefault(side, job)
    for number, sides in sorted(by_payload.items()):
        if len(sides) == 2:
            yield number, sides["oracle"], sides["port"]


def _compared(round_: Round, capture: Capture, ledger: Ledger, number: int, *pair: str) -> Iterator[Divergence]:
    """Twins, compared. What a fault disturbed was run more often than its payload asks for, and may tell of it."""
    base = f"{capture.prefix}:{round_.queue}"
    oracle, port = (outcome(capture.keys, base, job, round_.started_ms, capture.at_ms) for job in pair)
    adders = {add.job: add.adder for add in ledger.adds}
    if adders.get(pair[0], "").startswith("port") and adders.get(pair[1], "").startswith("oracle"):
        oracle, port = by_adder(oracle, port)
    runs = (str(side.get("job.ats")) for side in (oracle, port))
    disturbed = bool(round_.strikes) and any(count != str(ledger.works[number].calls) for count in runs)
    yield from divergences(number, oracle, port, disturbed=disturbed)


def _broken(round_: Round, capture: Capture, ledger: Ledger) -> tuple[BrokenLaw, ...]:
    """The laws of the arm `shadow`, held against this round as if it were a cell."""
    cell = Cell(f"shadow/round-{round_.number}", "shadow", round_.topology)
    history = History(
        cell=cell,
        prefix=capture.prefix,
        started_ms=round_.started_ms,
        ended_ms=capture.at_ms,
        sides={},
        captures=(capture,),
        attempts=ledger.attempts(round_.queue),
    )
    return broken_laws(scenario(cell.scenario, round_), history)


def scenario(id_: str, round_: Round) -> Scenario:
    """The scenario that a round is to the laws."""
    excepted = {"time-order": "a worker reads its clock before its script runs; a job added meanwhile seems younger"}
    if round_.strikes:
        excepted |= dict.fromkeys(("worked-once", "lock-kept", "slots-kept"), "a fault was struck: the account judges")
    parts = {
        "schema": 1,
        "id": id_,
        "title": "Two sides on one queue",
        "covers": [],
        "objects": {
            "q": {"queue": round_.queue},
            WORKER: {"worker": round_.queue, "opts": {"concurrency": round_.concurrency}},
        },
        "steps": [],
        "expect": [],
        "laws": {"except": excepted},
    }
    return msgspec.convert(parts, Scenario)
