"""A shadow run as the command line sees it: followed to its end or its interruption, shown on the way, and written."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from compat.cli.exits import INTERRUPTED, TERMINATED, UNUSABLE, Terminated, Unfit
from compat.cli.signals import carried_out
from compat.cli.terminal import console
from compat.drivers.errors import ImplementationError
from compat.drivers.implementations import NODE_TARGET, command_for
from compat.model.cell import Side
from compat.model.scenario import TopologyName
from compat.model.verdict import Level
from compat.protocol.messages import Welcome
from compat.report.text import printable
from compat.servers import Server, ServerError, embedded, find_binary, given
from compat.shadow import words
from compat.shadow.crew import SideFailed
from compat.shadow.html import chart, page
from compat.shadow.plan import SIDES, Plan
from compat.shadow.report import Report
from compat.shadow.result import Result
from compat.shadow.round import Moment
from compat.shadow.runner import Unable, shadow

_WINDOW = 3.0  # s that a live rate is taken over


class Told:
    """What is seen of a run while it is made."""

    def __init__(self, color: str) -> None:
        self.console: Console = console(color)
        columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self.bar = Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        self.names: dict[Side, str] = {"oracle": "oracle", "port": "port"}
        self.server = ""
        self.results: list[Result] = []
        self._task = self.bar.add_task("starting", total=None)
        self._started = time.monotonic()
        self._marks: deque[tuple[float, Mapping[Side, int]]] = deque()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def begun(self, welcomes: Mapping[Side, Welcome], plan: Plan) -> None:
        alike = len({welcome.name for welcome in welcomes.values()}) == 1
        for side, welcome in welcomes.items():
            self.names[side] = f"{welcome.name} {welcome.version}" + f" ({welcome.language})" * alike
        if self.names["oracle"] == self.names["port"]:
            self.names["port"] += " again"
        how = f", faults: {', '.join(plan.faults)}" if plan.faults else ""
        self.console.print(
            f"{self.names['oracle']} and {self.names['port']} on {self.server}, seed {plan.seed}{how}", soft_wrap=True
        )
        self.bar.update(self._task, total=plan.jobs)

    def moment(self, moment: Moment) -> None:
        """Jobs that have ended, and each side's calls a second."""
        now = time.monotonic()
        if self._marks and any(moment.calls.get(side, 0) < self._marks[-1][1].get(side, 0) for side in SIDES):
            self._marks.clear()  # another round
        self._marks.append((now, dict(moment.calls)))
        while now - self._marks[0][0] > _WINDOW:
            self._marks.popleft()
        since, before = self._marks[0]
        rates = (
            f"{self.names[side]} {(moment.calls.get(side, 0) - before.get(side, 0)) / max(0.1, now - since):,.0f}/s"
            for side in SIDES
        )
        phase = (
            "both"
            if moment.phase == "both"
            else f"{self.names['oracle' if moment.phase == 'oracle' else 'port']} alone"
        )
        done = sum(r.account.completed + r.account.failed for r in self.results) + moment.ended
        self.bar.update(self._task, completed=done, description=f"{phase}: {', '.join(rates)}")
        if (strike := moment.strike) is not None:
            victim = f" ({strike.victim})" if strike.victim else ""
            self.bar.console.print(f"{self.seconds:6.1f} s  {strike.fault}{victim}, {done:,} ended", soft_wrap=True)


def play(
    plan: Plan, implementation: str, server: str, topology: TopologyName, told: Told, gate: Level
) -> tuple[Report, int]:
    """Make the run and tell what came of it: the report, the exit code. Raises `Unfit` when nothing could be run."""
    stopped, code, hint = "", 0, ""

    async def follow() -> str:
        commands = await asyncio.to_thread(_commands, implementation)
        async with _opened(server, topology, plan) as opened:
            told.server = opened.title
            return await shadow(
                plan,
                opened,
                commands,
                begun=lambda welcomes: told.begun(welcomes, plan),
                tell=told.moment,
                keep=told.results.append,
            )

    try:
        with told.bar:
            stopped = carried_out(follow())
    except (ServerError, ImplementationError, Unable) as error:
        raise Unfit(str(error)) from None
    except SideFailed as failed:
        stopped, code = f"{told.names[failed.side]}: {failed.error.text}", UNUSABLE
        hint = "\n".join([failed.error.hint, *(f"stderr: {line}" for line in failed.error.stderr[-5:])])
        if not told.results:
            raise Unfit(stopped, hint.strip()) from None
    except KeyboardInterrupt:
        stopped, code = "interrupted", INTERRUPTED
    except Terminated:
        stopped, code = "terminated", TERMINATED
    report = Report(plan, told.names, told.server, told.seconds, tuple(told.results), stopped, gate)
    _show(told.console, report)
    for line in hint.strip().splitlines():
        click.echo(printable(line), err=True)
    return report, code or (0 if report.good else 1)


def _commands(implementation: str) -> dict[Side, tuple[str, ...]]:
    return {"oracle": command_for(f"node@{NODE_TARGET}"), "port": command_for(implementation)}


@asynccontextmanager
async def _opened(server: str, topology: TopologyName, plan: Plan) -> AsyncIterator[Server]:
    """The server to share. One that is to feel faults keeps what it has answered, and has replicas to fail over to."""
    durable = bool(plan.faults) and topology == "single"
    replicas = "failed-over" in plan.faults
    if "://" in server:
        opening = given(server)
    elif server.startswith("container"):
        from compat.servers.containers import container  # testcontainers takes long to import, and few runs need it

        opening = container(topology, server.partition(":")[2] or None, durable=durable, replicas=replicas)
    else:
        binary = find_binary(None if server == "embedded" else server)
        opening = embedded(topology, binary=binary, durable=durable, replicas=replicas)
    async with opening as opened:
        yield opened


def _show(out: Console, report: Report) -> None:
    for name, value in words.rows(report):
        out.print(f"{name:>18}  {value}", soft_wrap=True)
    out.print()
    for line in words.chart(report):
        out.print(line, soft_wrap=True)
    found = list(words.findings(report))
    if found:
        out.print()
    for line in found:
        out.print(line, soft_wrap=True)


def write(report: Report, files: Mapping[str, Path | None]) -> None:
    """The report to the files that were asked for: `--json`, `--html`, `--chart`. Raises `Unfit`."""
    makers = {
        "--json": lambda: json.dumps(words.record(report), indent=1) + "\n",
        "--html": lambda: page(report),
        "--chart": lambda: chart(report),
    }
    for option, path in files.items():
        if path is not None:
            try:
                path.write_text(makers[option](), encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                raise Unfit(f"{option}: {path}: {error.strerror}") from None
