"""A session: cells under way side by side, each oracle cell before the arms that are compared with it."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack

from msgspec import structs

from compat.drivers import Pool
from compat.execute.cell import CellRun
from compat.execute.options import Options
from compat.execute.players import Seats
from compat.execute.ready import jobs_at_once, own
from compat.execute.timing import sampled
from compat.execute.tracing import Watch, watching
from compat.faults import CATALOGUE, Need
from compat.judge import TROUBLE, judge, oracle_trouble, together
from compat.judge.baseline import apply
from compat.model.cell import Cell
from compat.model.history import Failure, History
from compat.model.run import TraceEntry
from compat.model.scenario import Scenario, TopologyName
from compat.model.verdict import CellVerdict
from compat.normalise import Canonical
from compat.plan import Plan
from compat.servers import Server, ServerError

#: What an arm is compared with: the oracle's history, its canonical results from a golden, or why there is neither.
Right = History | Canonical | CellVerdict


class Session:
    """Cells under way: each oracle cell first, then the arms that are compared with it."""

    def __init__(
        self,
        options: Options,
        plan: Plan,
        seats: Seats,
        servers: Mapping[TopologyName, Server],
        pool: Pool,
    ) -> None:
        self._options, self._plan, self._seats, self._servers, self._pool = options, plan, seats, servers, pool
        self._scenarios = {scenario.id: scenario for scenario in options.scenarios}
        self._listed = options.known.by_cell() if options.known is not None else {}
        self._prefixes = itertools.count(1)
        self._token = secrets.token_hex(3)
        self._found: asyncio.Queue[CellVerdict | BaseException | None] = asyncio.Queue()
        arms: dict[Cell, list[Cell]] = defaultdict(list)
        for cell in plan.cells:
            if cell.arm != "oracle" and not self.is_timed(cell):
                arms[cell.oracle].append(cell)
        timed = [cell for cell in plan.cells if cell.arm != "oracle" and self.is_timed(cell)]
        self._timed = timed * options.repeat
        #: Work still to do: an oracle cell with nothing, or an arm with what it is compared with.
        rounds = [oracle for _ in range(options.repeat) for oracle in arms]
        self._todo: list[tuple[Cell, History | Canonical | None]] = [(oracle, None) for oracle in reversed(rounds)]
        self._arms = arms
        self._under_way = 0
        self._wake = asyncio.Condition()

    async def verdicts(self, jobs: int) -> AsyncGenerator[CellVerdict, None]:
        for _ in range(self._options.repeat):
            for cell, reason in self._plan.not_applicable.items():
                yield self.known(CellVerdict(cell, "not-applicable", reason=reason))
        crew = [asyncio.create_task(self._work(), name=f"cells {number}") for number in range(jobs)]
        crew.append(asyncio.create_task(self._alone(tuple(crew)), name="timed cells"))
        end = asyncio.create_task(self._finish(crew), name="end of cells")
        try:
            while (item := await self._found.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
                if self._options.fail_fast and item.word in TROUBLE:
                    return
        finally:
            self._todo.clear()  # a cell may not hear that it is cancelled: it is the last one then
            self._timed.clear()
            for task in (end, *crew):
                task.cancel()
            await asyncio.gather(end, *crew, return_exceptions=True)

    async def verdict(self, cell: Cell, right: Right | None = None) -> CellVerdict:
        """One cell on its own, with its oracle's cell played first unless `right` is what that came to. A cell that is
        timed needs oracle's cells of its own, beside it."""
        if self.is_timed(cell):
            timed_scenario = self._scenarios[cell.scenario]
            return self.known(await sampled(timed_scenario, lambda: self._pair(cell), self._options.gate))
        right = await self.right(cell.oracle) if right is None else right
        if isinstance(right, CellVerdict):
            return self.known(structs.replace(right, cell=cell))
        scenario = self._scenarios[cell.scenario]
        return self.known(judge(scenario, right, await self._play(scenario, cell), self._options.gate))

    def is_timed(self, cell: Cell) -> bool:
        """Whether a cell's lateness is taken: a golden tells none."""
        return bool(self._scenarios[cell.scenario].timing) and self._options.golden is None

    async def _pair(self, cell: Cell) -> tuple[History, History]:
        """The oracle's cell and the port's, at once where connections can be told apart, so that both meet one load."""
        scenario = self._scenarios[cell.scenario]
        if jobs_at_once(self._options, self._servers) == 1:
            return await self._play(scenario, cell.oracle), await self._play(scenario, cell)
        async with asyncio.TaskGroup() as group:
            oracle = group.create_task(self._play(scenario, cell.oracle))
            port = group.create_task(self._play(scenario, cell))
        return oracle.result(), port.result()

    async def _alone(self, crew: tuple[asyncio.Task[None], ...]) -> None:
        """Timed cells, one after the other, when all others are over."""
        await asyncio.gather(*crew)
        while self._timed:
            self._found.put_nowait(await self._tried(await self.verdict(self._timed.pop(0))))

    async def _tried(self, first: CellVerdict) -> CellVerdict:
        """The verdict on a cell, tried again as long as it is in trouble and the options allow it."""
        tries = [first]
        while tries[-1].word in TROUBLE and len(tries) <= self._options.retry:
            tries.append(await self.verdict(first.cell))
        return together(tries)

    async def right(self, oracle: Cell) -> Right:
        """What an oracle cell comes to; a verdict where nothing can be compared with it."""
        scenario = self._scenarios[oracle.scenario]
        if self._options.golden is not None:
            recorded = self._options.golden.of(scenario, oracle.topology)
            return CellVerdict(oracle, "invalid", reason=recorded) if isinstance(recorded, str) else recorded
        history = await self._play(scenario, oracle)
        if (trouble := oracle_trouble(scenario, history)) is not None:
            return CellVerdict(oracle, "invalid", reason=trouble, seconds=history.seconds, stderr=_stderr(history))
        if self._options.keep is not None:
            self._options.keep(scenario, history)
        return history

    async def traced(self, cell: Cell) -> TraceEntry:
        """A cell and its oracle's, played again one after the other, with all that both sides send."""
        scenario = self._scenarios[cell.scenario]
        right: History | Canonical | None = None
        watches = (Watch(), Watch())
        if self._options.golden is None:
            right = await self._play(scenario, cell.oracle, watches[0])
        history = await self._play(scenario, cell, watches[1])
        word = judge(scenario, right, history, self._options.gate).word if right is not None else ""
        (oracle, cut), (port, more) = (watch.told() for watch in watches)
        return TraceEntry(cell, word, oracle, port, cut + more)

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
                cell, right = self._todo.pop()
                self._under_way += 1
            try:
                await self._one(cell, right)
            finally:
                async with self._wake:
                    self._under_way -= 1
                    self._wake.notify_all()

    async def _one(self, cell: Cell, oracle: History | Canonical | None) -> None:
        if oracle is not None:
            self._found.put_nowait(await self._tried(await self.verdict(cell, oracle)))
            return
        arms = self._arms[cell]
        right = await self.right(cell)
        if isinstance(right, CellVerdict):
            for arm in arms:
                self._found.put_nowait(await self._tried(await self.verdict(arm, right)))
            return
        async with self._wake:
            self._todo.extend((arm, right) for arm in reversed(arms))
            self._wake.notify_all()

    def known(self, verdict: CellVerdict) -> CellVerdict:
        """The verdict in the light of the baseline."""
        return apply(self._listed.get(verdict.cell, {}), verdict, self._options.gate)

    async def _play(self, scenario: Scenario, cell: Cell, watch: Watch | None = None) -> History:
        number = next(self._prefixes)
        stem = f"compat-{self._token}-{number}"
        prefix = f"{{{stem}}}" if cell.topology == "cluster" and scenario.tagging == "prefix" else stem
        if "own-server" in scenario.needs:
            opened = own(
                self._options,
                cell.topology,
                durable=_faults_need(scenario, "durable"),
                replicas=cell.topology == "cluster" and _faults_need(scenario, "replicas"),
            )
            async with AsyncExitStack() as stack:
                began = time.time() * 1000
                try:
                    server = await stack.enter_async_context(opened)
                except ServerError as error:  # this cell cannot be played; the others can
                    failure = Failure("environment", -1, f"no server of its own: {error}")
                    return History(cell, prefix, began, time.time() * 1000, {}, failure=failure)
                return await self._on(scenario, cell, prefix, server, watch)
        return await self._on(scenario, cell, prefix, self._servers[cell.topology], watch)

    async def _on(self, scenario: Scenario, cell: Cell, prefix: str, server: Server, watch: Watch | None) -> History:
        cell_run = CellRun(scenario, cell, prefix, server, self._pool, self._seats)
        if watch is None:
            return await cell_run.play()
        async with watching(watch, server, prefix, lambda: {p.user: p.side for p in cell_run.players.all}):
            return await cell_run.play()


def _faults_need(scenario: Scenario, need: Need) -> bool:
    return any(step.fault is not None and need in CATALOGUE[step.fault.kind].needs for step in scenario.steps)


def _stderr(history: History) -> tuple[str, ...]:
    return history.failure.stderr if history.failure is not None else ()
