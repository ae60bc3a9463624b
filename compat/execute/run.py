"""A run: servers and drivers are made ready, cells are played side by side, each is judged, the record streams out."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime
from importlib.metadata import version

from compat.drivers import Pool
from compat.drivers.implementations import NODE_TARGET
from compat.execute.options import Options
from compat.execute.players import Seats
from compat.execute.ready import jobs_at_once, ready, spared
from compat.execute.session import Session
from compat.judge import TROUBLE, exit_code
from compat.model.cell import Cell
from compat.model.run import CellEntry, Footer, Header, Record
from compat.model.scenario import TopologyName
from compat.model.verdict import CellVerdict
from compat.plan import Plan, cells, digest, sharded
from compat.protocol.messages import TELLERS, Welcome
from compat.servers import Server

SLOWEST = 10
TRACED = 30  # cells at most
WHO = {"worker": "workers", "events": "readers of events"}


async def run(options: Options) -> AsyncIterator[Record]:
    """Header, one entry a cell, footer. Raises `Unusable` when nothing can be run; closing the iterator ends it all."""
    clock = time.monotonic()
    async with AsyncExitStack() as stack:
        pool = Pool(bullmq=NODE_TARGET, transcripts=options.transcripts)
        stack.push_async_callback(pool.close)
        seats, servers = await ready(options, pool, stack)
        offered, spares = seats["port"].welcome.capabilities, spared(options, servers)
        whole = cells(options.scenarios, options.arms, tuple(servers), offered, spares)
        plan = whole if options.shard is None else sharded(whole, options.shard, options.durations)
        jobs = jobs_at_once(options, servers)
        yield _header(options, seats, servers, whole, plan, jobs)
        startup = time.monotonic() - clock
        verdicts: list[CellVerdict] = []
        session = Session(options, plan, seats, servers, pool)
        async with aclosing(session.verdicts(jobs)) as judged:
            async for verdict in judged:
                verdicts.append(verdict)
                yield CellEntry(verdict)
        if options.trace:
            for cell in _to_trace(verdicts, servers):
                yield await session.traced(cell)
        yield _footer(options, verdicts, time.monotonic() - clock, startup)


def _header(
    options: Options,
    seats: Seats,
    servers: Mapping[TopologyName, Server],
    whole: Plan,
    plan: Plan,
    jobs: int,
) -> Header:
    played = {cell.scenario for cell in (*plan.cells, *plan.not_applicable)}
    return Header(
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        harness=version("bullmq-compat"),
        oracle=options.golden.oracle if options.golden is not None else seats["oracle"].welcome,
        port=seats["port"].welcome,
        servers={topology: server.title for topology, server in servers.items()},
        scenarios=len(played),
        cells=_judged(plan) * options.repeat,
        gate=options.gate,
        jobs=jobs,
        shard=str(options.shard or ""),
        planned=_judged(whole) * options.repeat,
        plan=digest(whole),
        golden=options.golden_name,
        titles={scenario.id: scenario.title for scenario in options.scenarios if scenario.id in played},
        limits=options.limits,
        unheard=unheard(seats["port"].welcome),
    )


def unheard(port: Welcome) -> tuple[str, ...]:
    """What is not compared, because the port's driver does not say that it passes it on."""
    offered = {kind: getattr(port.capabilities, kind) for kind in TELLERS}
    return tuple(
        f"what {port.name}'s {WHO[kind]} tell their listeners is not compared: "
        f"the driver does not declare `{kind}.event` in its capabilities"
        for kind, names in offered.items()
        if names and "event" not in names
    )


def _judged(plan: Plan) -> int:
    return len(plan.not_applicable) + sum(cell.arm != "oracle" for cell in plan.cells)


def _to_trace(verdicts: list[CellVerdict], servers: Mapping[TopologyName, Server]) -> list[Cell]:
    """Cells in trouble that were judged, on servers of our own (MONITOR shows everybody's commands): one of each
    scenario before a second one of any."""
    cells = dict.fromkeys(v.cell for v in verdicts if v.word in TROUBLE - {"invalid"})
    seen: Counter[str] = Counter()
    turns: list[tuple[int, Cell]] = []
    for cell in cells:
        if servers[cell.topology].own:
            turns.append((seen[cell.scenario], cell))
            seen[cell.scenario] += 1
    return [cell for _, cell in sorted(turns, key=lambda turn: turn[0])[:TRACED]]


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
