"""The kill matrix: every seeded fault against every scenario in which it can show, and the page that tells of it.

`python3 ci kills` runs this. It goes on where an earlier run stopped: what was played stands in `.state/kills`, and is
played again when the scenario or the fault has changed since.
"""

from __future__ import annotations

import argparse
import asyncio
import pickle
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from faults import FAULTS, Talk, Wire
from kills import BEYOND
from matrix_page import PAGE, render
from matrix_record import Kill, Played, Store, digest
from msgspec.structs import replace
from traffic import Traffic, read

from compat.compare.golden import Golden, Recording
from compat.compare.golden import digest as golden_digest
from compat.drivers import Pool
from compat.drivers.implementations import NODE_TARGET
from compat.execute import Options, run
from compat.execute.players import Seats
from compat.execute.ready import ready
from compat.execute.session import Session
from compat.model.history import History, Implementation
from compat.model.run import CellEntry, Header
from compat.model.scenario import Scenario, TopologyName
from compat.model.verdict import CellVerdict
from compat.normalise import Canonical, canonical
from compat.plan import cells
from compat.scenarios import load, select
from compat.servers import Server

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".state" / "kills"
MUTANT = f"cmd:{sys.executable} {ROOT / 'tests' / 'mutants' / 'mutant.py'}"
SHORT = 2_000  # ms: a fault that leaves nothing to wait for shall not be waited for long
JOBS = 4
MANY = 8  # cells at once where all that is left to do is to wait

Kills = AsyncGenerator[tuple[str, Kill | None], None]


@dataclass
class Sound:
    """One scenario as it should be: what the oracle left, and what a sound port said. `right` is of the port alone."""

    digest: str
    oracle: Implementation
    right: Canonical
    traffic: Traffic


class Suite:
    """The scenarios, each with what is sound in it; kept in `.state/kills/sound`, for the next run."""

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        self.scenarios = {scenario.id: scenario for scenario in scenarios}
        self.alone = [s for s in scenarios if "self" in s.arms and "single" in s.topologies]
        self.sound: dict[str, Sound] = {}

    async def prepare(self) -> None:
        """Play the scenarios that are new, by the oracle and by a sound port, and keep what each leaves and says."""
        for scenario in self.scenarios.values():
            file = _sound(scenario)
            if file.exists():
                kept = pickle.loads(file.read_bytes())  # our own file
                if kept.digest == digest(scenario):
                    self.sound[scenario.id] = kept
        new = [scenario for scenario in self.scenarios.values() if scenario.id not in self.sound]
        if new:
            _say(f"{len(new)} scenarios are played once, by Node and by a sound port")
            await self._play(new)

    async def _play(self, new: Sequence[Scenario]) -> None:
        oracle: list[Implementation] = []
        failed: set[str] = set()
        right: dict[str, Canonical] = {}

        def keep(scenario: Scenario, history: History) -> None:
            right[scenario.id] = canonical(scenario, history)

        with TemporaryDirectory(prefix="bullmq-compat-kills-") as folder:
            implementation = f"{MUTANT} --note {folder}"
            alone = [scenario for scenario in new if scenario in self.alone]
            for part, arms, topologies in (*_ways(new, alone), *([(alone, ("self",), ("single",))] if alone else ())):
                options = Options(tuple(part), arms, topologies, implementation, jobs=JOBS, keep=keep)
                async with aclosing(run(options)) as records:
                    async for record in records:
                        if isinstance(record, Header):
                            oracle.append(record.oracle)
                        elif isinstance(record, CellEntry) and record.verdict.word not in ("pass", "not-applicable"):
                            _say(f"left out, for a sound port fails: {record.verdict.cell.id}: {_why(record.verdict)}")
                            failed.add(record.verdict.cell.scenario)
            traffic = read(Path(folder))
        for scenario in new:
            if scenario.id in traffic and scenario.id not in failed:  # else the reference lacks what it asks for
                sound = Sound(
                    digest(scenario), oracle[0], right.get(scenario.id, Canonical({}, {}, {})), traffic[scenario.id]
                )
                self.sound[scenario.id] = sound
                _sound(scenario).parent.mkdir(parents=True, exist_ok=True)
                _sound(scenario).write_bytes(pickle.dumps(sound))

    def golden(self, scenarios: Iterable[Scenario]) -> Golden:
        """What the oracle leaves, for scenarios whose deadlines may be others."""
        found = {s.id: self.sound[s.id] for s in scenarios}
        recordings = {
            (s.id, "single"): Recording(s.id, "single", golden_digest(s), found[s.id].right) for s in scenarios
        }
        return Golden(next(iter(found.values())).oracle, recordings)


def _sound(scenario: Scenario) -> Path:
    return STATE / "sound" / f"{scenario.id.replace('/', '--')}.pickle"


def _ways(scenarios: Sequence[Scenario], alone: Sequence[Scenario]) -> list[tuple[list[Scenario], Any, Any]]:
    """Scenarios that no port plays alone on a single server, by arm and topology: the first that each allows."""
    ways: dict[tuple[str, str], list[Scenario]] = {}
    for scenario in scenarios:
        if scenario not in alone:
            arm = "self" if "self" in scenario.arms else scenario.arms[0]
            topology = "single" if "single" in scenario.topologies else scenario.topologies[0]
            ways.setdefault((arm, topology), []).append(scenario)
    return [(part, (arm,), (topology,)) for (arm, topology), part in ways.items()]


def hurried(scenario: Scenario) -> Scenario:
    """The scenario with short deadlines."""
    steps = (
        replace(step, until=replace(step.until, deadline=min(step.until.deadline, SHORT))) if step.until else step
        for step in scenario.steps
    )
    return replace(scenario, steps=tuple(steps))


class Stage:
    """Servers and drivers that stay from one fault to the next: a driver has the one that `told` names."""

    def __init__(self, pool: Pool, seats: Seats, servers: Mapping[TopologyName, Server], told: Path) -> None:
        self._pool, self._seats, self._servers, self._told = pool, seats, servers, told

    async def play(self, suite: Suite, fault: str, scenarios: Sequence[Scenario]) -> Kills:
        """Scenario → how the fault was seen in it, None where it was not.

        Deadlines are short at first. Where nothing but lateness or trouble tells, the scenario is played again with its
        own, and that counts: a busy machine is late, too.
        """
        self._told.write_text(fault)
        alone = [s for s in scenarios if s in suite.alone]
        doubtful: list[Scenario] = []
        for hurry in (True, False):
            played = [hurried(s) for s in alone] if hurry else doubtful
            if played:
                jobs = min(JOBS if hurry else MANY, len(played))
                options = Options(tuple(played), ("self",), ("single",), jobs=jobs, golden=suite.golden(played))
                async for name, kill in self._kills(options):
                    if hurry and kill is not None and kill.doubtful:
                        doubtful.append(suite.scenarios[name])
                    else:
                        yield name, kill
        for part, arms, topologies in _ways(scenarios, suite.alone):
            async for pair in self._kills(Options(tuple(part), arms, topologies, jobs=JOBS)):
                yield pair

    async def _kills(self, options: Options) -> Kills:
        capabilities = self._seats["port"].welcome.capabilities
        plan = cells(options.scenarios, options.arms, options.topologies, capabilities)
        session = Session(options, plan, self._seats, self._servers, self._pool)
        async with aclosing(session.verdicts(options.jobs or JOBS)) as verdicts:
            async for verdict in verdicts:
                if verdict.word == "invalid":
                    raise SystemExit(f"{verdict.cell.id} is invalid: {verdict.reason}")
                yield verdict.cell.scenario, _kill(verdict)


@asynccontextmanager
async def stage(suite: Suite) -> AsyncIterator[Stage]:
    """All that the suite's scenarios need."""
    with TemporaryDirectory(prefix="bullmq-compat-kills-") as folder:
        told = Path(folder) / "fault"
        told.write_text(next(iter(FAULTS)))
        async with AsyncExitStack() as stack:
            pool = Pool(bullmq=NODE_TARGET)
            stack.push_async_callback(pool.close)
            options = Options(tuple(suite.scenarios.values()), implementation=f"{MUTANT} --told {told}")
            seats, servers = await ready(options, pool, stack)
            yield Stage(pool, seats, servers, told)


def _kill(verdict: CellVerdict) -> Kill | None:
    if verdict.word in ("pass", "not-applicable"):
        return None
    cut = len(verdict.cell.scenario) + 1
    checks = tuple(dict.fromkeys(difference.check[cut:] for difference in verdict.differences))
    return Kill(checks or (verdict.word,), doubtful=all(check.startswith(("late/", verdict.word)) for check in checks))


def _why(verdict: CellVerdict) -> str:
    return verdict.reason or "; ".join(difference.words for difference in verdict.differences)


def _due(suite: Suite, store: Store, fault: str) -> list[Scenario]:
    """The scenarios in which a fault can show and that it was not played in as they are now."""
    planted = FAULTS[fault]
    known = store.of(fault)
    return [
        scenario
        for scenario in suite.scenarios.values()
        if (scenario in suite.alone or not isinstance(planted, Wire) or scenario.topologies != ("cluster",))
        and (sound := suite.sound.get(scenario.id)) is not None
        and sound.traffic.shows(planted)
        and (scenario.timing or isinstance(planted, Talk) or not planted.late)
        and known.get(scenario.id, Played("")).digest != digest(scenario)
    ]


async def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 ci kills", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="play these anew; without any, all that is missing")
    parser.add_argument("--scenarios", action="append", default=[], metavar="PATTERN", help="only in these")
    parser.add_argument("--shard", default="1/1", metavar="I/N", help="every Nth fault, from the Ith on")
    parser.add_argument("--page", action="store_true", help="write the page of what was played, and play nothing")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.faults if name not in FAULTS]:
        parser.error(f"there is no fault {unknown[0]!r}; tests/mutants/faults has {len(FAULTS)}, e.g. {min(FAULTS)}")
    everything = load([ROOT / "scenarios"])
    store = Store(STATE / "played.jsonl", FAULTS)
    if not given.page:
        suite = Suite(select(everything, given.scenarios, ()))
        await suite.prepare()
        first, step = map(int, given.shard.split("/"))
        names = (given.faults or list(FAULTS))[first - 1 :: step]
        async with stage(suite) as ready_stage:
            for number, fault in enumerate(names, 1):
                if given.faults:
                    store.forget(fault, suite.scenarios)
                await _one(suite, ready_stage, store, fault, f"{number}/{len(names)}")
    if given.scenarios or given.faults or given.shard != "1/1":
        return 0
    return _tell(everything, store)


def _tell(everything: Sequence[Scenario], store: Store) -> int:
    """Write the page; 1 if a scenario kills nothing or a fault is seen by nothing."""
    missing = store.missing(everything)
    (ROOT / PAGE).write_text(render(everything, FAULTS, store), encoding="utf-8")
    _say(f"{PAGE}: {len(FAULTS)} faults" + f"; never played in: {', '.join(missing)}" * bool(missing))
    useless = sorted({scenario.id for scenario in everything} - store.killers() - BEYOND.keys())
    unseen = [fault for fault in FAULTS if not any(played.kill for played in store.of(fault).values())]
    for words, names in (("kill nothing", useless), ("are seen by nothing", unseen)):
        if names:
            _say(f"{len(names)} {words}: {', '.join(names)}")
    return 1 if useless or unseen else 0


async def _one(suite: Suite, on: Stage, store: Store, fault: str, count: str) -> None:
    due = _due(suite, store, fault)
    began = time.monotonic()
    if due:
        async for name, kill in on.play(suite, fault, due):
            store.add(fault, name, Played(digest(suite.scenarios[name]), kill))
    kills = {name: played.kill for name, played in store.of(fault).items() if played.kill}
    first = next(iter(kills.items()), None)
    _say(
        f"{count} {fault}: killed by {len(kills)}"
        + (f", {first[0]} {first[1].checks[0]}" if first else "")
        + f"; {len(due)} cells in {time.monotonic() - began:.1f} s"
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
