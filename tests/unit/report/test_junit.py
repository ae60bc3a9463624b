"""JUnit XML: a case for each cell, valid whatever the values hold."""

from xml.etree.ElementTree import Element, fromstring

from msgspec.structs import replace

from compat.model.cell import Cell
from compat.model.verdict import CellVerdict, Difference
from compat.report.collected import Run
from compat.report.junit import junit


def cases(run: Run) -> list[Element]:
    return list(fromstring(junit(run)).iter("testcase"))


def test_there_is_one_case_for_each_cell_and_the_counts_agree(run: Run) -> None:
    suite = fromstring(junit(run))[0]
    counts = [int(suite.get(name, "")) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == [10, 3, 2, 3]
    assert [len(list(suite.iter(tag))) for tag in ("testcase", "failure", "error", "skipped")] == counts


def test_a_failure_lists_its_differences_with_both_values(run: Run) -> None:
    (failure,) = next(case for case in cases(run) if case.get("name") == "retry/fixed[self,single]")
    assert failure.get("message", "").endswith("(and 1 more)")
    assert failure.text is not None
    for part in ('oracle  "boom"', 'port    "\\"boom\\""', "breaks-peer", "mail / job j / failedReason", "Node shows"):
        assert part in failure.text


def test_an_error_tells_reason_hint_and_the_driver_s_last_words(run: Run) -> None:
    error, stderr = next(case for case in cases(run) if case.get("name") == "worker/death[self,single]")
    assert "exit code 2" in (error.text or "") and "last words" in (error.text or "")
    assert "\\x1b[31mnil map [bold]" in (stderr.text or "")


def test_values_that_xml_cannot_hold_are_escaped(run: Run) -> None:
    """(T145)"""
    evil = "\x00\x1b\ufffe\ud83d\udcff ]]> <&>\"'"
    difference = Difference(f"a/b#{evil}", "state", evil, evil, None, evil, evil)
    verdict = CellVerdict(Cell(evil, "self", "single"), "fail", 1, (difference,), reason=evil, stderr=(evil,))
    spoilt = Run(replace(run.header, servers={"single": evil}), (verdict,))
    assert "\\x00\\x1b\\ufffe\\ud83d\\xff ]]> <&>" in (cases(spoilt)[0][0].text or "")


def test_repeats_of_a_cell_have_names_of_their_own(run: Run) -> None:
    verdict = CellVerdict(Cell("a/b", "self", "single"), "pass", 1)
    names = [case.get("name") for case in cases(Run(run.header, (verdict, verdict)))]
    assert names == ["a/b[self,single]", "a/b[self,single] #2"]
