"""The same difference in several cells is one finding."""

import pytest

from compat.model.cell import Cell
from compat.model.verdict import CellVerdict, Difference
from compat.report.collected import Run
from compat.report.findings import findings, gated, places, subjects


def test_a_check_that_fails_in_two_arms_is_told_once_with_both(run: Run) -> None:
    found = [finding for finding in findings(run.verdicts) if finding.scenario == "retry/fixed"]
    assert [finding.subject for finding in found] == ["job.failedReason", "event.delayed"]
    assert [cell.arm for cell in found[0].cells] == ["self", "consume"]
    assert len(found[0].variants) == 1


def test_other_values_of_the_same_check_are_a_variant_and_the_rarer_comes_last() -> None:
    def verdict(arm: str, port: str) -> CellVerdict:
        difference = Difference("a/b#end/job.x", "state", "q", "left", port, "words")
        return CellVerdict(Cell("a/b", arm, "single"), "fail", 1, (difference,))  # type: ignore[arg-type]

    (finding,) = findings([verdict("self", "rare"), verdict("produce", "often"), verdict("consume", "often")])
    assert [(v.difference.port, len(v.cells)) for v in finding.variants] == [("often", 2), ("rare", 1)]


def test_one_check_that_fails_for_several_jobs_of_a_cell_counts_that_cell_once() -> None:
    differences = tuple(Difference("a/b#end/job.x", "state", f"q / job {job}", 1, 2, "words") for job in "jkl")
    (finding,) = findings([CellVerdict(Cell("a/b", "self", "single"), "fail", 9, differences)])
    assert (len(finding.variants), len(finding.cells)) == (3, 1)


@pytest.mark.parametrize(
    ("check", "subject"),
    [
        ("a/b#end/job.opts.attempts", "job.opts.attempts"),
        ("a/b#end/job.data.bytes", "job.data.bytes"),
        ("a/b#calls/call.step 2 queue.add as j", "call queue.add"),
        ("a/b#late/step-4", "late"),
        ("a/b#end/expect/3", "expect"),
        ("a/b#mid/laws/one-state", "laws/one-state"),
        ("a/b#end", "end"),
        ("odd", "odd"),
    ],
)
def test_a_subject_names_neither_scenario_nor_capture_nor_step(check: str, subject: str) -> None:
    difference = Difference(check, "state", "q", 1, 2, "words")
    (finding,) = findings([CellVerdict(Cell("a/b", "self", "single"), "fail", 1, (difference,))])
    assert finding.subject == subject


def test_subjects_gather_over_scenarios_the_worst_first(run: Run) -> None:
    assert [(s.name, s.level, s.scenarios, s.cells) for s in subjects(findings(run.verdicts))] == [
        ("job.failedReason", "breaks-peer", 1, 2),
        ("event.delayed", "event", 1, 1),
        ("job.data", "encoding", 1, 2),
    ]


def test_a_gate_lets_milder_levels_through() -> None:
    assert gated("state", "event") and gated("event", "event") and not gated("encoding", "event")


def test_places_count_repeats() -> None:
    single, cluster = Cell("a/b", "self", "single"), Cell("a/b", "self", "cluster")
    assert places([single, single, cluster]) == "self (single ×2, cluster)"
