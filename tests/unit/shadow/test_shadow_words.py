"""The report: whether it is good, in words, as JSON, as a page and as a picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from compat.model.verdict import Level
from compat.shadow import words
from compat.shadow.html import chart, page
from compat.shadow.plan import Plan
from compat.shadow.report import Report
from compat.shadow.result import Result

Make = Callable[[], Any]
PLAN = Plan("q", "p", 2, None, 100, 7, 5)


def report(*results: Result, gate: Level = "encoding", stopped: str = "", name: str = "mine 1.0") -> Report:
    return Report(PLAN, {"oracle": "bullmq 5.62.0", "port": name}, "valkey", 1.5, results, stopped, gate)


@pytest.fixture
def spaced(made: Make) -> Result:
    """A round in which the port wrote the same result in other bytes."""
    round_ = made()
    round_.fields |= {"1": {"returnvalue": '{"ok":1}'}, "2": {"returnvalue": '{"ok": 1}'}}
    result = round_.result()
    assert isinstance(result, Result)
    return result


def test_rounds_are_added_up(made: Make) -> None:
    whole = report(made().result(), made().result())
    rows = dict(words.rows(whole))
    assert whole.good
    assert rows["jobs"] == "4 added; 4 completed, 0 failed"
    assert rows["ended by"] == "bullmq 5.62.0 2, mine 1.0 2"
    assert rows["twins compared"] == "2 pairs; 0 differ"
    assert whole.latencies["port"].waited == (2, 2)
    assert list(words.findings(whole)) == []


def test_the_gate_decides_which_differences_fail(spaced: Result) -> None:
    assert not report(spaced).good
    assert report(spaced, gate="event").good
    (line,) = words.findings(report(spaced))
    assert line == (
        "encoding: job.returnvalue.bytes of 1 pair differs; payload 0: "
        'bullmq 5.62.0 left `{"ok":1}`, mine 1.0 left `{"ok": 1}`'
    )


def test_a_run_that_stopped_is_not_good(made: Make) -> None:
    stopped = report(made().result(), stopped="3 jobs are left")
    assert not stopped.good
    assert list(words.findings(stopped)) == ["stopped: 3 jobs are left"]


def test_adds_that_raised_are_counted_and_told(made: Make) -> None:
    round_ = made()
    round_.adds[1] = None
    refused = report(round_.result())
    assert dict(words.rows(refused))["adds that raised"] == "1"
    assert list(words.findings(refused)) == ["add refused: port-adder: ScriptError: out of memory"]
    assert not refused.good


def test_of_many_doubled_jobs_the_first_are_told_and_the_others_counted(made: Make) -> None:
    round_ = made()
    round_.calls += [("port", "1", 0)]
    lines = list(words.findings(report(*(round_.result() for _ in range(12)))))
    assert sum(line.startswith("run twice: ") for line in lines) == 10
    assert "2 more doubled; --json FILE has them all" in lines


def test_the_chart_has_a_bar_for_each_quantile_of_each_side(made: Make) -> None:
    lines = list(words.chart(report(made().result())))
    assert lines[0] == "added → active, bullmq 5.62.0"
    assert len(lines) == 4 * (1 + 3)
    assert lines[1].split() == ["p50", "2", "ms", "█" * 40]


def test_the_record_is_json_and_has_every_finding(made: Make, spaced: Result) -> None:
    round_ = made()
    round_.rows.append("completed 1 active")
    record = json.loads(json.dumps(words.record(report(spaced, round_.result(), stopped="why"))))
    assert (record["good"], record["stopped"], record["plan"]["seed"]) == (False, "why", 7)
    assert [d["what"] for d in record["divergences"]] == ["job.returnvalue.bytes"]
    assert {law["law"] for law in record["laws"]} == {"finished-once", "legal-life"}
    assert {"what": "active → ended", "side": "port", "p50": 1, "p95": 1, "p99": 1} in record["latencies_ms"]


def test_the_picture_is_well_formed_whatever_a_driver_calls_itself(made: Make) -> None:
    drawn = chart(report(made().result(), name='<b>&"\x00'))
    bars = ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}rect")
    assert len(list(bars)) == 4 * 3
    assert ElementTree.fromstring(chart(report())) is not None


def test_the_page_escapes_what_it_shows_and_loads_nothing(spaced: Result) -> None:
    shown = page(report(spaced, name="<script>1</script>", stopped="<img>"))
    assert "<script" not in shown and "<img" not in shown
    assert "http" not in shown.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "2 findings" in shown
    assert "nothing found" in page(report())
