"""JUnit XML: a suite for each cell, a case for each check, valid whatever the values hold."""

from xml.etree.ElementTree import Element, fromstring

import pytest
from msgspec.structs import replace

from compat.model.cell import Cell
from compat.model.verdict import CellVerdict, Difference, Word
from compat.report.collected import Run
from compat.report.junit import junit

CELL = Cell("a/b", "self", "single")
MADE = {"mid/job": 2, "mid/laws": 19, "end/events": 1, "end/expect/1": 1}


def suites(run: Run) -> list[Element]:
    return list(fromstring(junit(run)))


def suite(run: Run, name: str) -> dict[str | None, Element]:
    """The cases of a suite by their names."""
    (found,) = [suite for suite in suites(run) if suite.get("name") == name]
    return {case.get("name"): case for case in found.iter("testcase")}


def of(run: Run, *verdicts: CellVerdict) -> Run:
    return Run(run.header, verdicts)


def difference(check: str, level: str = "state") -> Difference:
    return Difference(f"a/b#{check}", level, "mail", "left", "right", "It differs.")  # type: ignore[arg-type]


def test_a_cell_is_a_suite_and_each_of_its_checks_a_case(run: Run) -> None:
    whole = of(run, CellVerdict(CELL, "pass", 23, made=MADE, seconds=0.25))
    cases = suite(whole, "a/b[self,single]")
    assert list(cases) == ["cell", *MADE]
    assert {case.get("classname") for case in cases.values()} == {"a.b.self-single"}
    assert [len(case) for case in cases.values()] == [0] * 5
    assert (cases["cell"].get("time"), cases["end/events"].get("time")) == ("0.250", "0.000")


@pytest.mark.parametrize("word", ["pass", "fail", "flaky", "stale", "known"])
def test_names_are_the_same_however_a_cell_comes_out(run: Run, word: Word) -> None:
    """A CI server follows a case over time by its name."""
    found = CellVerdict(CELL, word, 23, (difference("end/events"),), made=MADE, reason="so it is")
    assert list(suite(of(run, found), "a/b[self,single]")) == ["cell", *MADE]


def test_counts_agree_with_the_elements_in_each_suite_and_over_all(run: Run) -> None:
    root = fromstring(junit(run))
    for part in (root, *root):
        counts = [int(part.get(name, "")) for name in ("tests", "failures", "errors", "skipped")]
        assert [len(list(part.iter(tag))) for tag in ("testcase", "failure", "error", "skipped")] == counts
    assert (len(root), root.get("time")) == (10, "5.500")


def test_a_check_that_differs_fails_with_both_values_and_the_others_pass(run: Run) -> None:
    cases = suite(run, "retry/fixed[self,single]")
    (failure,) = cases["end/job.failedReason"]
    assert (failure.tag, failure.get("type")) == ("failure", "breaks-peer")
    assert failure.get("message", "").startswith("Job j's failedReason is")
    for part in ('oracle  "boom"', 'port    "\\"boom\\""', "breaks-peer", "mail / job j / failedReason", "Node shows"):
        assert part in (failure.text or "")
    assert len(cases["cell"]) == 0, "it was played and judged"


def test_several_places_of_one_check_are_one_case(run: Run) -> None:
    found = CellVerdict(CELL, "fail", 3, (difference("mid/job"), difference("mid/job")), made=MADE)
    (failure,) = suite(of(run, found), "a/b[self,single]")["mid/job"]
    assert failure.get("message") == "It differs. (and 1 more)"
    assert (failure.text or "").count("a/b#mid/job") == 2


def test_a_broken_law_fails_the_case_of_its_capture_s_laws(run: Run) -> None:
    cases = suite(of(run, CellVerdict(CELL, "fail", 3, (difference("mid/laws/one_state"),), made=MADE)), CELL.id)
    assert list(cases) == ["cell", *MADE] and cases["mid/laws"][0].tag == "failure"


def test_a_difference_below_the_gate_does_not_fail_its_case(run: Run) -> None:
    """The run's gate is `event`."""
    found = CellVerdict(CELL, "fail", 3, (difference("end/events"), difference("mid/job", "encoding")), made=MADE)
    cases = suite(of(run, found), CELL.id)
    assert (cases["end/events"][0].tag, cases["mid/job"][0].tag) == ("failure", "system-out")
    assert "It differs." in (cases["mid/job"][0].text or "")


def test_a_port_that_stuck_has_a_case_for_the_step(run: Run) -> None:
    found = CellVerdict(CELL, "fail", 3, (difference("late/step-3"),), made={"mid/job": 2})
    assert list(suite(of(run, found), CELL.id)) == ["cell", "mid/job", "late/step-3"]


def test_known_differences_are_skipped_with_their_cause(run: Run) -> None:
    found = CellVerdict(CELL, "known", 3, (difference("mid/job"),), made=MADE, reason="issue 12")
    cases = suite(of(run, found), CELL.id)
    assert [(case.tag, case.get("message")) for case in cases["mid/job"]] == [("skipped", "issue 12")]
    assert len(cases["end/events"]) == 0


def test_an_error_tells_reason_hint_and_the_driver_s_last_words(run: Run) -> None:
    cell = suite(run, "worker/death[self,single]")["cell"]
    error, stderr = cell
    assert (error.tag, error.get("type")) == ("error", "error")
    assert "exit code 2" in (error.text or "") and "last words" in (error.text or "")
    assert "\\x1b[31mnil map [bold]" in (stderr.text or "")


def test_a_flaky_cell_fails_and_tells_its_tries(run: Run) -> None:
    reason = "try 1: fail, end/events; try 2: pass"
    found = CellVerdict(CELL, "flaky", 3, (difference("end/events"),), made=MADE, reason=reason)
    (failure,) = suite(of(run, found), CELL.id)["cell"]
    assert (failure.tag, failure.get("type"), failure.get("message")) == ("failure", "flaky", reason)


def test_a_cell_that_does_not_apply_is_skipped(run: Run) -> None:
    (skipped,) = suite(run, "queue/add[self,cluster]")["cell"]
    assert (skipped.tag, skipped.get("message")) == ("skipped", "no capability `cluster`")


def test_who_was_judged_on_what_stands_in_each_suite(run: Run) -> None:
    """A CI server shows the properties of a suite, not those of all."""
    first = suites(run)[0]
    told = {one.get("name"): one.get("value") for one in first.iter("property")}
    assert told == {"port": "gopherq 0.3.1 (Go)", "oracle": "bullmq 5.62.0", "server": "", "gate": "event"}
    assert first.get("timestamp") == "2026-11-24T12:00:00+00:00"


def test_values_that_xml_cannot_hold_are_escaped(run: Run) -> None:
    """(T145)"""
    evil = "\x00\x1b\ufffe\ud83d\udcff ]]> <&>\"'"
    found = Difference(f"a/b#{evil}", "state", evil, evil, None, evil, evil)
    verdict = CellVerdict(Cell(evil, "self", "single"), "fail", 1, (found,), evil, evil, 0.0, (evil,), made={evil: 1})
    spoilt = Run(replace(run.header, servers={"single": evil}), (verdict,))
    assert "\\x00\\x1b\\ufffe\\ud83d\\xff ]]> <&>" in (suites(spoilt)[0].findall("testcase")[1][0].text or "")


def test_repeats_of_a_cell_have_suites_of_their_own(run: Run) -> None:
    verdict = CellVerdict(CELL, "pass", 1)
    assert [one.get("name") for one in suites(of(run, verdict, verdict))] == [CELL.id, f"{CELL.id} #2"]
