"""A baseline waves through what is known, as it is known, and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from compat.judge.baseline import Baseline, Entry, Seen, apply, complaints, pruned, signature, updated, write
from compat.model.cell import Cell
from compat.model.scenario import ArmName
from compat.model.verdict import CellVerdict, Difference, Level, Word
from compat.scenarios.yaml import parse


def difference(check: str = "a/b#end/job.x", port: Any = "p", level: Level = "state", where: str = "q") -> Difference:
    return Difference(check, level, where, "o", port, "words")


def verdict(*differences: Difference, arm: ArmName = "self", word: Word | None = None) -> CellVerdict:
    return CellVerdict(Cell("a/b", arm, "single"), word or ("fail" if differences else "pass"), 3, differences)


def listing(*differences: Difference, arms: tuple[ArmName, ...] = ("self",), reason: str = "a cause") -> Baseline:
    entries = (
        Entry(one.check.partition("/job")[2] and "job" + one.check.partition("/job")[2], reason,
              (Seen("a/b#end", arms, signature([one]), ("single",)),))
        for one in differences
    )  # fmt: skip
    return Baseline(known=tuple(entries))


def settled(baseline: Baseline, found: CellVerdict) -> CellVerdict:
    return apply(baseline.by_cell().get(found.cell, {}), found, "encoding")


def test_a_difference_that_is_listed_as_it_is_is_known_and_tells_its_cause() -> None:
    found = settled(listing(difference()), verdict(difference()))
    assert (found.word, found.reason) == ("known", "a cause")


def test_a_listed_difference_that_is_not_there_is_stale() -> None:
    found = settled(listing(difference()), verdict())
    assert found.word == "stale" and "where there is no difference" in found.reason and found.hint


def test_a_listed_difference_with_other_values_is_stale() -> None:
    found = settled(listing(difference()), verdict(difference(port="other")))
    assert found.word == "stale" and "otherwise" in found.reason


def test_a_difference_that_is_not_listed_fails_beside_one_that_is() -> None:
    found = settled(listing(difference()), verdict(difference(), difference("a/b#end/job.y")))
    assert found.word == "fail" and "end/job.y is not in known.yaml" in found.reason


def test_another_arm_is_not_covered() -> None:
    found = verdict(difference(), arm="consume")
    assert settled(listing(difference()), found) is found


def test_the_same_check_at_a_second_place_is_another_signature() -> None:
    """An entry cannot match more than it was written for."""
    assert settled(listing(difference()), verdict(difference(), difference(where="elsewhere"))).word == "stale"


@pytest.mark.parametrize("word", ["error", "invalid", "flaky"])
def test_what_could_not_be_judged_is_never_known(word: Word) -> None:
    assert settled(listing(difference()), verdict(difference(), word=word)).word == word


def test_a_listed_cell_that_is_not_applicable_is_stale() -> None:
    assert settled(listing(difference()), verdict(word="not-applicable")).word == "stale"


def test_differences_below_the_gate_need_no_entry() -> None:
    found = verdict(difference(), difference("a/b#end/job.z", level="note"))
    assert settled(listing(difference()), found).word == "known"


def test_a_signature_is_of_level_and_values_as_the_record_holds_them() -> None:
    one = difference(port=float("nan"))
    assert signature([one]) == signature([difference(port={"$number": "NaN"})])
    assert signature([difference()]) != signature([difference(level="event")])
    assert signature([difference(port=1)]) != signature([difference(port=True)])


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry("job.x", " ", (Seen("a/b#end", ("self",), "s"),)), "has no `reason`"),
        (Entry("job.x", "r", ()), "is seen nowhere"),
        (Entry("job.x", "r", (Seen("a/gone#end", ("self",), "s"),)), "there is no cell a/gone[self,single]"),
        (Entry("job.x", "r", (Seen("a/b", ("self",), "s"),)), "needs a scope"),
        (Entry("job.x", "r", (Seen("a/b#end", ("self",), "s"), Seen("a/b#end", ("self",), "t"))), "listed twice"),
    ],
)
def test_what_is_wrong_whatever_a_run_shows_is_told(entry: Entry, words: str) -> None:
    told = [one.message for one in complaints(Baseline(known=(entry,)), lambda cell: cell.scenario == "a/b")]
    assert any(words in message for message in told), told


def test_two_entries_for_one_difference_are_told() -> None:
    twice = listing(difference(), difference())
    assert any("listed twice" in one.message for one in complaints(twice, lambda cell: True))


def test_an_update_makes_the_next_run_known_once_a_person_has_written_the_reason() -> None:
    found = verdict(difference(), difference("a/b#mid/job.x", port={"k": [1, None]}))
    made = updated(Baseline(), [found], "encoding", "gopherq")
    assert [(entry.check, entry.reason, len(entry.seen)) for entry in made.known] == [("job.x", "", 2)]
    assert [one.message for one in complaints(made, lambda cell: True)] == [
        "`job.x` has no `reason`; say what causes it"
    ]
    assert settled(made, found).word == "known"


def test_an_update_keeps_causes_and_drops_what_passes() -> None:
    before = listing(difference(), difference("a/b#end/job.y"), reason="kept")
    after = updated(before, [verdict(difference(port="new"))], "encoding", "gopherq")
    assert [(entry.check, entry.reason) for entry in after.known] == [("job.x", "kept")]
    assert after.known[0].seen[0].signature == signature([difference(port="new")])


def test_an_update_keeps_what_its_record_did_not_judge() -> None:
    before = listing(difference(), arms=("self", "consume"))
    after = updated(before, [verdict(), verdict(word="error", arm="consume")], "encoding", "gopherq")
    assert [row.arms for entry in after.known for row in entry.seen] == [("consume",)]


def test_cells_that_no_scenario_has_are_pruned() -> None:
    kept = pruned(listing(difference(), arms=("self", "consume")), lambda cell: cell.arm == "self")
    assert [row.arms for entry in kept.known for row in entry.seen] == [("self",)]


def test_what_is_written_is_read_back() -> None:
    entry = Entry(
        "job.x", 'a "cause": # yes\n', (Seen("a/b#end", ("self", "consume"), "s", ("single",)),), "http://i/1"
    )
    baseline = Baseline(port="gopherq", known=(entry,))
    assert msgspec.convert(parse(write(baseline), "known.yaml").value, Baseline) == baseline
    assert msgspec.convert(parse(write(Baseline()), "known.yaml").value, Baseline) == Baseline()
