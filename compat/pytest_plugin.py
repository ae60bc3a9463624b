"""The pytest plugin: `pytest --bullmq-impl 'cmd:./driver'` has a test for each cell; without it, nothing.

Loading it must cost nobody anything, so that the harness is imported only when the option is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from compat.cli.plugged import Cells
    from compat.model.cell import Cell
    from compat.model.verdict import CellVerdict

NAME = "bullmq-compat"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(NAME, "BullMQ conformance")
    group.addoption("--bullmq-impl", metavar="IMPL", help="collect a test for each cell of this port: cmd:COMMAND, …")
    group.addoption("--bullmq-select", action="append", default=[], metavar="PATTERN", help="scenarios by id or glob")
    group.addoption("--bullmq-arm", action="append", default=[], metavar="ARM", help="self, produce, consume, shadow")
    group.addoption("--bullmq-topology", action="append", default=[], metavar="TOPOLOGY", help="single, cluster")
    group.addoption("--bullmq-server", default="embedded", metavar="SERVER", help="as `bullmq-compat run --server`")
    group.addoption("--bullmq-known", metavar="FILE", help="a baseline, known.yaml")
    group.addoption("--bullmq-gate", default="encoding", metavar="LEVEL", help="the mildest level that fails")


class CellItem(pytest.Item):
    """One cell."""

    def __init__(self, *, cell: Cell, cells: Cells, **more: Any) -> None:
        super().__init__(**more)
        self.cell, self.cells = cell, cells

    def runtest(self) -> None:
        verdict = self.cells.verdict(self.cell)
        if verdict.word == "not-applicable":
            pytest.skip(verdict.reason)
        if verdict.word == "known":
            pytest.xfail(verdict.reason)
        if verdict.word != "pass":
            raise CellFailed(verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CellFailed):
            return self.cells.told(excinfo.value.verdict)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{NAME}: {self.cell.id}"


class CellFailed(Exception):
    """A cell that does not pass; `verdict` says how."""

    def __init__(self, verdict: CellVerdict) -> None:
        super().__init__(f"{verdict.cell.id}: {verdict.word}")
        self.verdict = verdict


class Suite(pytest.Collector):
    """All cells that the options choose."""

    def collect(self) -> Iterator[pytest.Item]:
        from compat.cli.plugged import cells_of

        cells = cells_of(self.config.option)
        self.config.add_cleanup(cells.close)
        for cell in cells.planned:
            yield CellItem.from_parent(self, name=cell.id, cell=cell, cells=cells)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Before `-k` and `-m` choose among the tests."""
    if config.option.bullmq_impl:
        suite = Suite.from_parent(session, name=NAME, nodeid=NAME)
        items.extend(item for item in suite.collect() if isinstance(item, pytest.Item))
