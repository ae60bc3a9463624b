"""Records written by hand, as a run leaves them."""

from __future__ import annotations

import pytest

from compat.model.cell import Cell
from compat.model.history import Implementation
from compat.model.run import CellEntry, Footer, Header, Record
from compat.model.verdict import CellVerdict, Difference
from compat.report.collected import Run, collected

NODE = Implementation("bullmq", "5.62.0", "JavaScript", "5.62.0", "https://bullmq.io")
PORT = Implementation("gopherq", "0.3.1", "Go", "5.62.0", issues="https://example.org/gopherq/issues")

REASON = Difference(
    "retry/fixed#end/job.failedReason",
    "breaks-peer",
    "mail / job j / failedReason",
    "boom",
    '"boom"',
    "Job j's failedReason is `boom` where Node worked, and the same text JSON-encoded where the port did.",
    "Node shows the quotes to its users, and code that compares the reason no longer matches.",
)
EVENT = Difference(
    "retry/fixed#end/event.delayed",
    "event",
    "mail / events / 4",
    {"event": "delayed", "jobId": "<job:j>", "delay": "+20"},
    None,
    "The event `delayed` of job j is missing.",
)
ENCODING = Difference(
    "queue/add#end/job.data", "encoding", "mail / job j / data", '{"a":1}', '{"a": 1}', "A blank follows each colon."
)


@pytest.fixture
def records() -> tuple[Record, ...]:
    """Every word a cell can come out with, in one run."""
    verdicts = (
        CellVerdict(Cell("events/priority", "self", "cluster"), "not-applicable", reason="no capability `cluster`"),
        CellVerdict(Cell("queue/add", "self", "cluster"), "not-applicable", reason="no capability `cluster`"),
        CellVerdict(Cell("queue/add", "self", "single"), "pass", 31, (ENCODING,), seconds=0.12),
        CellVerdict(Cell("queue/add", "consume", "single"), "known", 31, (ENCODING,), reason="issue 12", seconds=0.1),
        CellVerdict(Cell("retry/fixed", "self", "single"), "fail", 40, (REASON, EVENT), seconds=0.4),
        CellVerdict(Cell("retry/fixed", "consume", "single"), "fail", 40, (REASON,), seconds=0.5),
        CellVerdict(Cell("retry/fixed", "produce", "single"), "pass", 40, seconds=0.5),
        CellVerdict(
            Cell("worker/death", "self", "single"),
            "error",
            reason="the driver ended with exit code 2 in step 3",
            hint="its last words are below",
            seconds=2.0,
            stderr=("goroutine 1 [running]:", "panic: \x1b[31mnil map [bold]"),
        ),
        CellVerdict(Cell("worker/death", "consume", "single"), "invalid", reason="Node left `failed: 1`", seconds=1.0),
        CellVerdict(Cell("rate/limit", "self", "single"), "stale", 12, reason="known.yaml: passes now", seconds=0.2),
    )
    header = Header(
        started="2026-11-24T12:00:00+00:00",
        harness="0.1.0",
        oracle=NODE,
        port=PORT,
        servers={"single": "valkey 9.1.2, embedded"},
        scenarios=5,
        cells=len(verdicts),
        gate="event",
        jobs=4,
    )
    footer = Footer(
        scenarios=5,
        cells=len(verdicts),
        checks=194,
        verdicts={"pass": 2, "fail": 2},
        differences={"breaks-peer": 2, "event": 1, "encoding": 2},
        seconds=5.5,
        startup_seconds=0.5,
        exit_code=3,
        slowest=(("worker/death[self,single]", 2.0), ("worker/death[consume,single]", 1.0)),
        median_cell_seconds=0.4,
    )
    return (header, *map(CellEntry, verdicts), footer)


@pytest.fixture
def run(records: tuple[Record, ...]) -> Run:
    whole = collected(records)
    assert whole is not None
    return whole
