"""A run: servers and drivers are made ready, cells are played side by side, each is judged, the record streams out."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from compat.drivers import DriverError, ImplementationError, Pool, command_for
from compat.drivers.attached import SCHEME
from compat.drivers.implementations import NODE_TARGET, ROOT
from compat.execute.cell import CellRun
from compat.execute.players import Seat
from compat.execute.trouble import Unusable
from compat.judge import exit_code, judge, oracle_trouble
from compat.model.cell import Arm, Cell, Side
from compat.model.history import History
from compat.model.run import CellEntry, Footer, Header, Record
from compat.model.scenario import Scenario, TopologyName
from compat.model.verdict import CellVerdict, Level
from compat.plan import Plan, cells
from compat.servers import Server, ServerError, embedded, find_binary, given

ARMS: tuple[Arm, ...] = ("self", "produce", "consume", "shadow")
SLOWEST = 10


@dataclass(frozen=True)
class Options:
    """What to run. `jobs`: how many cells at once; None: as many as the machine bears."""

    scenarios: tuple[Scenario, ...]
    arms: tuple[Arm, ...] = ARMS
    topologies: tuple[TopologyName, ...] = ("single", "cluster")
    implementation: str = "ref"
    server: str = "embedded"
    jobs: int | None = None
    gate: Level = "encoding"
    fail_fast: bool = False
    repeat: int = 1
    oracle: str = f"node@{NODE_TARGET}"
    transcripts: Path | None = None  # a folder for what the drivers and the harness say to each other


async def run(options: Options) -> AsyncIterator[Record]:
    """Header, one entry a cell, footer. Raises `Unusable` when nothing can be run; closing the iterator ends it all."""
    clock = time.monotonic()
    async with AsyncExitStack() as stack:
        pool = Pool(bullmq=NODE_TARGET, cwd=ROOT, transcripts=options.transcripts)
        stack.push_async_callback(pool.close)
        seats, servers = await _ready(options, pool, stack)
        welcome = seats["port"].welcome
        plan = cells(options.scenarios, options.arms, tuple(servers), welcome.capabilities)
        jobs = _jobs(options, servers)
        yield Header(
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            harness=version("bullmq-compat"),
            oracle=seats["oracle"].welcome,
            port=welcome,
            servers={topology: server.title for topology, server in servers.items()},
            scenarios=len({cell.scenario for cell in (*plan.cells, *plan.not_applicable)}),
            cells=_judged(plan) * options.repeat,
            gate=options.gate,
            jobs=jobs,
        )
        startup = time.monotonic() - clock
        verdicts: list[CellVerdict] = []
        session = _Session(options, plan, seats, servers, pool)
        async for verdict in session.verdicts(jobs):
            verdicts.append(verdict)
            yield CellEntry(verdict)
        yield _footer(options, verdicts, time.monotonic() - clock, startup)


async def _ready(
    options: Options, pool: Pool, stack: AsyncExitStack
) -> tuple[dict[Side, Seat], dict[TopologyName, Server]]:
    """Drivers that have shaken hands, and open servers, all at once."""
    try:
        commands = await asyncio.to_thread(
            lambda: {"oracle": command_for(options.oracle), "port": command_for(options.implementation)}
        )
        wanted = {t for scenario in options.scenarios for t in scenario.topologies} & set(options.topologies)
        seat = {side: asyncio.create_task(_seat(pool, command)) for side, command in commands.items()}
        try:
            servers = await _servers(options, wanted, stack)
            seats: dict[Side, Seat] = {"oracle": await seat["oracle"], "port": await seat["port"]}
        finally:
            for task in seat.values():
                task.cancel()
            await asyncio.gather(*seat.values(), return_exceptions=True)
    except ImplementationError as error:
        raise Unusable(str(error)) from None
    except ServerError as error:
        raise Unusable(str(error)) from None
    except DriverError as error:
        tail = "".join(f"\n  stderr: {line}" for line in error.stderr[-5:])
        raise Unusable(f"{error.text}{tail}", error.hint) from None
    return seats, servers


async def _seat(pool: Pool, command: tuple[str, ...]) -> Seat:
    driver = await pool.take(command)
    await pool.give_back(driver)
    return Seat(command, driver.welcome)


async def _servers(options: Options, wanted: set[TopologyName], stack: AsyncExitStack) -> dict[TopologyName, Server]:
    if "://" in options.server:
        server = await stack.enter_async_context(given(options.server))
        return {server.topology: server}
    kind, _, image = options.server.partition(":")
    if kind == "container":
        from compat.servers.containers import container  # testcontainers takes long to import, and few runs need it

        opened = partial(container, image=image or None)
    else:
        opened = partial(embedded, binary=_binary(options))
    order: tuple[TopologyName, ...] = ("single", "cluster")
    return {t: await stack.enter_async_context(opened(t)) for t in order if t in wanted}


def _binary(options: Options) -> Path | None:
    """The server to start; None: the one that is found."""
    named = options.server != "embedded" and "://" not in options.server and not options.server.startswith("container")
    return find_binary(options.server).path if named else None


def _jobs(options: Options, servers: Mapping[TopologyName, Server]) -> int:
    if not all(server.own for server in servers.values()) or options.implementation.startswith(SCHEME):
        return 1  # connections can be told apart only by age there; and one steps through one cell at a time
    return options.jobs or min(8, 2 * (os.cpu_count() or 2))


def _judged(plan: Plan) -> int:
    return len(plan.not_applicable) + sum(cell.arm != "oracle" for cell in plan.cells)


class _Session:
    """Cells under way: each oracle cell first, then the arms that are compared with it."""

    def __init__(
        self,
        options: Options,
        plan: Plan,
        seats: Mapping[Side, Seat],
        servers: Mapping[TopologyName, Server],
        pool: Pool,
    ) -> None:
        self._options, self._plan, self._seats, self._servers, self._pool = options, plan, seats, servers, pool
        self._scenarios = {scenario.id: scenario for scenario in options.scenarios}
        self._prefixes = itertools.count(1)
        self._token = secrets.token_hex(3)
        self._found: asyncio.Queue[CellVerdict | BaseException | None] = asyncio.Queue()
        arms: dict[Cell, list[Cell]] = defaultdict(list)
        for cell in plan.cells:
            if cell.arm != "oracle":
                arms[cell.oracle].append(cell)
        #: Work still to do: an oracle cell with no history, or an arm with its oracle's.
        rounds = [oracle for _ in range(options.repeat) for oracle in arms]
        self._todo: list[tuple[Cell, History | None]] = [(oracle, None) for oracle in reversed(rounds)]
        self._arms = arms
        self._under_way = 0
        self._wake = asyncio.Condition()

    async def verdicts(self, jobs: int) -> AsyncIterator[CellVerdict]:
        for _ in range(self._options.repeat):
            for cell, reason in self._plan.not_applicable.items():
                yield CellVerdict(cell, "not-applicable", reason=reason)
        crew = [asyncio.create_task(self._work(), name=f"cells {number}") for number in range(jobs)]
        end = asyncio.create_task(self._finish(crew), name="end of cells")
        try:
            while (item := await self._found.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
                if self._options.fail_fast and item.word in ("fail", "invalid", "error", "stale", "flaky"):
                    return
        finally:
            for task in (end, *crew):
                task.cancel()
            await asyncio.gather(end, *crew, return_exceptions=True)

    async def _finish(self, crew: list[asyncio.Task[None]]) -> None:
        for result in await asyncio.gather(*crew, return_exceptions=True):
            if isinstance(result, BaseException):
                self._found.put_nowait(result)
        self._found.put_nowait(None)

    async def _work(self) -> None:
        while True:
            async with self._wake:
                await self._wake.wait_for(lambda: self._todo or not self._under_way)
                if not self._todo:
                    return
                cell, oracle = self._todo.pop()
                self._under_way += 1
            try:
                await self._one(cell, oracle)
            finally:
                async with self._wake:
                    self._under_way -= 1
                    self._wake.notify_all()

    async def _one(self, cell: Cell, oracle: History | None) -> None:
        scenario = self._scenarios[cell.scenario]
        history = await self._play(scenario, cell)
        if oracle is not None:
            self._found.put_nowait(judge(scenario, oracle, history, self._options.gate))
            return
        arms = self._arms[cell]
        if (trouble := oracle_trouble(scenario, history)) is not None:
            for arm in arms:
                self._found.put_nowait(
                    CellVerdict(arm, "invalid", reason=trouble, seconds=history.seconds, stderr=_stderr(history))
                )
            return
        async with self._wake:
            self._todo.extend((arm, history) for arm in reversed(arms))
            self._wake.notify_all()

    async def _play(self, scenario: Scenario, cell: Cell) -> History:
        number = next(self._prefixes)
        stem = f"compat-{self._token}-{number}"
        prefix = f"{{{stem}}}" if cell.topology == "cluster" and scenario.tagging == "prefix" else stem
        if "own-server" in scenario.needs:
            async with embedded(cell.topology, binary=_binary(self._options)) as server:
                return await self._on(scenario, cell, prefix, server)
        return await self._on(scenario, cell, prefix, self._servers[cell.topology])

    async def _on(self, scenario: Scenario, cell: Cell, prefix: str, server: Server) -> History:
        return await CellRun(scenario, cell, prefix, server, self._pool, self._seats).play()


def _stderr(history: History) -> tuple[str, ...]:
    return history.failure.stderr if history.failure is not None else ()


def _footer(options: Options, verdicts: list[CellVerdict], seconds: float, startup: float) -> Footer:
    times = sorted(((v.cell.id, v.seconds) for v in verdicts if v.seconds), key=lambda pair: -pair[1])
    return Footer(
        scenarios=len({verdict.cell.scenario for verdict in verdicts}),
        cells=len(verdicts),
        checks=sum(verdict.checks for verdict in verdicts),
        verdicts=dict(sorted(Counter(verdict.word for verdict in verdicts).items())),
        differences=dict(sorted(Counter(d.level for verdict in verdicts for d in verdict.differences).items())),
        seconds=round(seconds, 3),
        startup_seconds=round(startup, 3),
        exit_code=exit_code(verdicts, options.gate),
        slowest=tuple((cell, round(s, 3)) for cell, s in times[:SLOWEST]),
        median_cell_seconds=round(statistics.median(s for _, s in times), 4) if times else 0.0,
    )
