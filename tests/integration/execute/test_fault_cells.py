"""Cells with faults: what was struck is told and is always mended; a fault that did not happen fails; given servers are
spared."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from compat.execute import Options, run
from compat.model.run import CellEntry
from compat.model.scenario import TopologyName
from compat.model.verdict import CellVerdict
from compat.scenarios import load_text, pick
from compat.servers import Server, ServerError, embedded, own
from compat.servers.process import Processes

ROOT = Path(__file__).resolve().parents[3]
NODE = "node@5.62.0"
#: A driver that is not thawed, or a server that is not started again, holds a cell up for longer.
SOON = 20.0  # s

BROKEN_OFF = """\
schema: 1
id: fault/broken-off
title: It breaks off while something is wrong
why: A fault must not outlive its cell.
covers: [T123]
needs: [own-server]
topologies: [single]
objects:
  q: {{queue: mail}}
  w: {{worker: mail}}
program:
  - then: {{return: done}}
steps:
  - start: w
  - capture: waiting
  - fault: {{kind: {kind}}}
  - until: {{event: never, deadline: 300}}
  - mend: {name}
  - stop: w
expect:
  - {{counts: {{completed: 0}}}}
"""


async def verdicts(options: Options) -> list[CellVerdict]:
    return [record.verdict async for record in run(options) if isinstance(record, CellEntry)]


async def test_a_verdict_tells_what_was_struck_and_what_it_cost() -> None:
    """(T123)"""
    scenarios = pick(ROOT / "scenarios", ["fault/restart-with-job", "fault/lock-evicted"])
    found = await verdicts(Options(scenarios, ("self",), ("single",), NODE))
    assert {v.cell.scenario: (v.word, v.losses) for v in found} == {
        "fault/restart-with-job": ("pass", {}),
        "fault/lock-evicted": ("pass", {"doubled": 1}),
    }
    told = {v.cell.scenario: v.faults for v in found}
    assert told["fault/restart-with-job"][0].startswith("node-killed at step 4, for ")
    assert told["fault/lock-evicted"][0].startswith("locks-evicted at step 4, for ")


@pytest.mark.parametrize(
    "kind",
    [
        "node-killed",
        "driver-frozen, of: w",
        "half-open, of: w",
        "read-only",
        "memory-full",
        "clock-stepped, of: w, ms: 5",
    ],
)
async def test_what_a_cell_that_breaks_off_has_struck_is_mended(kind: str) -> None:
    name = kind.partition(",")[0]
    scenario = load_text(BROKEN_OFF.format(kind=kind, name=name), "fault/broken-off.yaml")
    began = time.monotonic()
    (found,) = await verdicts(Options((scenario,), ("self",), ("single",), NODE))
    assert (found.word, found.reason[:52]) == ("invalid", "the oracle did not come to the end: late at step 4 o")
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize("topology", ["single", "cluster"])
async def test_a_node_that_does_not_start_again_is_an_error_of_its_cell(
    topology: TopologyName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever then fails at the cell's end, the run goes on, and the first reason is told."""

    def refused(*_: object) -> None:
        raise ServerError("it did not start", expected="a server", remedy="look")

    monkeypatch.setattr(Processes, "restart", refused)
    text = BROKEN_OFF.format(kind="node-killed", name="node-killed").replace("[single]", f"[{topology}]")
    text = text.replace("  - until: {event: never, deadline: 300}\n", "")
    (found,) = await verdicts(Options((load_text(text, "fault/broken-off.yaml"),), ("self",), (topology,), NODE))
    assert found.word == "invalid"
    assert "node-killed could not be mended: it did not start" in found.reason


async def test_a_reply_that_nobody_lost_is_no_fault_that_was_struck() -> None:
    text = BROKEN_OFF.format(kind="reply-lost, of: w, word: no-such-word", name="reply-lost")
    text = text.replace("  - until: {event: never, deadline: 300}\n", "")
    scenario = load_text(text, "fault/broken-off.yaml")
    (found,) = await verdicts(Options((scenario,), ("self",), ("single",), NODE))
    assert found.word == "invalid"
    assert "no command with 'no-such-word' was sent, so no reply was lost" in found.reason


async def test_a_driver_that_does_nothing_passes_no_fault() -> None:
    """(T163)"""
    null = f"cmd:{sys.executable} {ROOT / 'tests' / 'drivers' / 'null.py'}"
    scenarios = pick(ROOT / "scenarios", ["fault/restart-with-job", "fault/scripts-flushed*"])
    found = await verdicts(Options(scenarios, ("self", "consume"), ("single",), null))
    assert found and {v.word for v in found} <= {"fail", "error"}


async def test_a_server_that_was_given_suffers_nothing() -> None:
    scenarios = pick(ROOT / "scenarios", ["fault/scripts-flushed-bulk"])
    async with embedded("single") as server:
        found = await verdicts(Options(scenarios, ("self",), ("single",), NODE, server=url(server)))
        assert [v.word for v in found] == ["pass"]
        assert "cmdstat_script|flush" not in await server.client(server.nodes[0]).info("commandstats")


async def test_a_cell_whose_own_server_does_not_start_is_told_of_and_the_others_are_played(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object, **__: object) -> object:
        raise ServerError("it did not start", expected="a server", remedy="look")

    started = own.start("single")
    monkeypatch.setattr(own, "start", refused)
    scenarios = pick(ROOT / "scenarios", ["fault/restart-with-job", "job/add"])
    async with started.server() as server:
        found = await verdicts(Options(scenarios, ("self",), ("single",), NODE, server=url(server)))
    started.stop()
    assert {v.cell.scenario: v.word for v in found} == {"fault/restart-with-job": "invalid", "job/add": "pass"}
    assert any("no server of its own: it did not start" in v.reason for v in found)


def url(server: Server) -> str:
    return f"redis://{server.nodes[0]}"
