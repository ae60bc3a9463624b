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


def listing(
    *differences: Difference, arms: tuple[ArmName, ...] = ("self",), reason: str = "a cause", mark: str = ""
) -> Baseline:
    entries = []
    for one in differences:
        check = one.check.partition("#")[2]
        rows = (Seen("a/b", arms, {check: mark or signature([one])}, ("single",)),)
        entries.append(Entry(reason, (f"*#{check}",), rows, chance="a race" if mark else ""))
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
    assert signature([difference(port={"a": 1, "b": 2})]) == signature([difference(port={"b": 2, "a": 1})])


def row(check: str = "end/job.x", mark: str = "s", scenario: str = "a/b") -> Seen:
    return Seen(scenario, ("self",), {check: mark})


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry(" ", ("*",), (row(),)), "has no `reason`"),
        (Entry("r", ("*/job.x",), ()), "is seen nowhere"),
        (Entry("r", ("*/job.y",), (row(),)), "nothing that is seen here matches `*/job.y`"),
        (Entry("r", ("*",), (row(scenario="a/gone"),)), "there is no cell a/gone[self,single]"),
        (Entry("r", ("*",), (row("job.x"),)), "has no scope"),
        (Entry("r", ("*",), (Seen("a/b", ("self",), {}),)), "needs `checks`"),
        (Entry("r", ("*",), (row(), row(mark="t"))), "listed twice"),
        (Entry("r", ("*",), (row(mark="varies"),)), "say why (`chance`)"),
        (Entry("r", ("*",), (row(mark="at times"),)), "say why (`chance`)"),
        (Entry("r", ("*",), (row(),), chance="a race"), "left to `chance`"),
    ],
)
def test_what_is_wrong_whatever_a_run_shows_is_told(entry: Entry, words: str) -> None:
    told = [one.message for one in complaints(Baseline(known=(entry,)), lambda cell: cell.scenario == "a/b")]
    assert any(words in message for message in told), told


def test_an_entry_is_left_to_chance_if_one_of_its_cells_is() -> None:
    rows = (Seen("a/b", ("self",), {"end/job.x": "varies"}), Seen("a/b", ("produce",), {"end/job.x": "0"}))
    assert list(complaints(Baseline(known=(Entry("r", ("*",), rows, chance="a race"),)), lambda cell: True)) == []
    (found,) = complaints(Baseline(known=(Entry("r", ("*",), rows),)), lambda cell: True)
    assert "say why" in found.message


def test_an_entry_of_chance_is_sound_and_lets_no_other_check_pass() -> None:
    varies = listing(difference(), mark="varies")
    assert [*complaints(varies, lambda cell: True)] == []
    assert settled(varies, verdict(difference(port="other"))).word == "known"
    assert settled(varies, verdict()).word == "stale"
    assert settled(varies, verdict(difference(), difference("a/b#end/job.y"))).word == "fail"


def test_what_differs_at_times_may_be_absent_and_then_the_cell_passes() -> None:
    at_times = listing(difference(), mark="at times")
    assert settled(at_times, verdict()).word == "pass"
    assert settled(at_times, verdict(difference(port="other"))).word == "known"


def test_two_entries_for_one_difference_are_told() -> None:
    twice = listing(difference(), difference())
    assert any("listed twice" in one.message for one in complaints(twice, lambda cell: True))


def test_a_cell_that_a_race_decides_is_named_whole_and_no_other() -> None:
    raced = Baseline(known=(Entry("r", ("a/b#*",), (row("*", "at times"),), chance="a race"),))
    assert [*complaints(raced, lambda cell: True)] == []
    assert settled(raced, verdict(difference())).word == "known"
    assert settled(raced, verdict()).word == "pass"
    assert settled(raced, verdict(difference(), word="error")).word == "error"
    assert settled(raced, verdict(difference(), arm="consume")).word == "fail"
    assert updated(raced, [verdict(difference())], "encoding", "gopherq").known == (
        Entry("r", ("a/b#*",), (Seen("a/b", ("self",), {"*": "at times"}),), chance="a race"),
    )
    stiff = Baseline(known=(Entry("r", ("a/b#*",), (row("*", "varies"),), chance="a race"),))
    assert any("say `at times`" in one.message for one in complaints(stiff, lambda cell: True))


def test_an_update_makes_the_next_run_known_once_a_person_has_written_the_reason() -> None:
    found = verdict(difference(), difference("a/b#mid/job.x", port={"k": [1, None]}))
    made = updated(Baseline(), [found], "encoding", "gopherq")
    assert [(entry.checks, entry.reason, [*entry.seen[0].checks]) for entry in made.known] == [
        (("*/job.x",), "", ["end/job.x", "mid/job.x"])
    ]
    assert [one.message for one in complaints(made, lambda cell: True)] == [
        "`*/job.x` has no `reason`; say what causes it"
    ]
    assert settled(made, found).word == "known"


def test_an_update_puts_what_is_new_to_the_first_cause_that_takes_it() -> None:
    causes = Baseline(known=(Entry("one", ("a/*#end/job.*", "*/events"), ()), Entry("two", ("*/job.x",), ())))
    found = verdict(difference(), difference("a/b#mid/job.x"), difference("a/b#end/events"))
    made = updated(causes, [found], "encoding", "gopherq")
    assert [(entry.reason, sorted(entry.seen[0].checks)) for entry in made.known] == [
        ("one", ["end/events", "end/job.x"]),
        ("two", ["mid/job.x"]),
    ]


def test_an_update_leaves_a_listed_check_with_its_cause_even_where_another_would_take_it() -> None:
    before = listing(difference(), reason="kept")
    before = Baseline(known=(Entry("greedy", ("*",), ()), *before.known))
    after = updated(before, [verdict(difference())], "encoding", "gopherq")
    assert [entry.reason for entry in after.known] == ["kept"]


def test_an_update_keeps_causes_and_drops_what_passes() -> None:
    before = listing(difference(), difference("a/b#end/job.y"), reason="kept")
    after = updated(before, [verdict(difference(port="new"))], "encoding", "gopherq")
    assert [(entry.checks, entry.reason) for entry in after.known] == [(("*#end/job.x",), "kept")]
    assert after.known[0].seen[0].checks == {"end/job.x": signature([difference(port="new")])}


def test_an_update_keeps_what_its_record_did_not_judge() -> None:
    before = listing(difference(), arms=("self", "consume"))
    after = updated(before, [verdict(), verdict(word="error", arm="consume")], "encoding", "gopherq")
    assert [row.arms for entry in after.known for row in entry.seen] == [("consume",)]


def test_an_update_from_several_runs_tells_what_is_left_to_chance_and_the_next_one_keeps_it() -> None:
    one = [verdict(difference(), difference("a/b#end/job.y"), difference("a/b#end/job.z"))]
    other = [verdict(difference(), difference("a/b#end/job.y", port="new"))]
    made = updated(Baseline(), [*one, *other], "encoding", "gopherq")
    marks = {check: mark for entry in made.known for check, mark in entry.seen[0].checks.items()}
    assert marks == {
        "end/job.x": signature([difference()]),
        "end/job.y": "varies",
        "end/job.z": "at times",
    }
    assert updated(made, other, "encoding", "gopherq") == made


def test_cells_that_no_scenario_has_are_pruned() -> None:
    kept = pruned(listing(difference(), arms=("self", "consume")), lambda cell: cell.arm == "self")
    assert [row.arms for entry in kept.known for row in entry.seen] == [("self",)]


def test_what_is_written_is_read_back() -> None:
    row = Seen("a/b", ("self", "consume"), {"end/job.x": "s", "end/job.y": "varies"}, ("single",))
    entry = Entry('a "cause": # yes\n', ("*/job.x",), (row,), "quoted", "http://i/1", "a race")
    baseline = Baseline(port="gopherq", known=(entry, Entry("r", ("*",), (row,))))
    assert msgspec.convert(parse(write(baseline), "known.yaml").value, Baseline) == baseline
    assert msgspec.convert(parse(write(Baseline()), "known.yaml").value, Baseline) == Baseline()
