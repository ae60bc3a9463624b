"""What the pytest plugin needs of the harness: cells that are planned at once, and judged when their test runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
import pytest

from compat.cli.exits import Unfit
from compat.cli.known import baseline
from compat.cli.suite import chosen
from compat.execute import ARMS, Bench, Options, Unusable, bench
from compat.model.cell import Cell
from compat.model.scenario import ArmName, TopologyName
from compat.model.verdict import LEVELS, CellVerdict
from compat.report.text import pair, printable

T = TypeVar("T")
_LIMIT = 400  # characters of a value


class Cells:
    """The cells of a test session.

    Servers and drivers start with the first one that is judged, in a thread of their own: the event loops of other
    tests have nothing to do with them.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stack = AsyncExitStack()
        self._bench: Bench | None = None
        self._trouble = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def planned(self) -> tuple[Cell, ...]:
        """In the same order in every process, whatever the driver can do: what it cannot is skipped when it runs."""
        return tuple(
            Cell(scenario.id, arm, topology)
            for scenario in self._options.scenarios
            for topology in self._options.topologies
            if topology in scenario.topologies
            for arm in self._options.arms
            if arm in scenario.arms
        )

    def verdict(self, cell: Cell) -> CellVerdict:
        """Judge a cell. What cannot be started is an `error` of every cell, and is tried once."""
        if self._trouble:
            return CellVerdict(cell, "error", reason=self._trouble)
        try:
            return self._call(self._judged(cell))
        except Unusable as error:
            self._trouble = f"{error.text} {error.hint}".strip()
            return CellVerdict(cell, "error", reason=self._trouble)

    def close(self) -> None:
        """End servers, drivers and the thread."""
        if self._loop is not None and self._thread is not None:
            self._call(self._stack.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = None

    def told(self, verdict: CellVerdict) -> str:
        """A verdict for the terminal."""
        lines = [f"{verdict.cell.id}: {verdict.word}", *filter(None, (verdict.reason, verdict.hint))]
        for one in verdict.differences:
            oracle, port = pair(one.oracle, one.port, _LIMIT)
            lines += ["", f"{one.level}  {one.check}", f"  {one.words}", f"  where   {one.where}"]
            lines += [f"  oracle  {oracle}", f"  port    {port}", *([f"  why     {one.why}"] if one.why else [])]
        lines += [f"stderr: {line}" for line in verdict.stderr]
        return "\n".join(map(printable, lines))

    async def _judged(self, cell: Cell) -> CellVerdict:
        if self._bench is None:
            self._bench = await self._stack.enter_async_context(bench(self._options))
        return await self._bench.verdict(cell)

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="bullmq-compat", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def cells_of(option: Any) -> Cells:
    """The cells that pytest's options choose. Raises `pytest.UsageError`, in words."""
    arms = _checked("--bullmq-arm", option.bullmq_arm, get_args(ArmName))
    topologies = _checked("--bullmq-topology", option.bullmq_topology, get_args(TopologyName))
    (gate,) = _checked("--bullmq-gate", [option.bullmq_gate], LEVELS)
    try:
        options = Options(
            scenarios=chosen(None, option.bullmq_select),
            arms=arms or ARMS,
            topologies=topologies or ("single", "cluster"),
            implementation=option.bullmq_impl,
            server=option.bullmq_server,
            gate=gate,
            known=baseline(Path(option.bullmq_known), None) if option.bullmq_known else None,
        )
    except (Unfit, click.UsageError) as error:
        raise pytest.UsageError(error.format_message()) from None
    return Cells(options)


def _checked(name: str, values: list[Any], there: tuple[Any, ...]) -> tuple[Any, ...]:
    if wrong := [value for value in values if value not in there]:
        raise pytest.UsageError(f"{name} {wrong[0]}: there are {', '.join(there)}")
    return tuple(values)
