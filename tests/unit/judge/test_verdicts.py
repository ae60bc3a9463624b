"""Verdicts and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import pytest

from compat.judge import exit_code, judge, oracle_trouble
from compat.model.capture import Key
from compat.model.cell import Cell
from compat.model.facts import Fact, Loss
from compat.model.history import Failure, History, Outcome, Problem, Struck
from compat.model.scenario import Scenario
from compat.model.verdict import CellVerdict, Difference, Level, Word
from compat.normalise import canonical

Make = Callable[..., History]
Replace = Callable[[History, dict[str, Key | None]], History]
Variant = Callable[..., Scenario]


def failing(history: History, kind: Any, step: int = 6) -> History:
    failure = Failure(kind, step, "it is so", "port", "do this", ("line",))
    return msgspec.structs.replace(history, captures=(), attempts=(), failure=failure)


def test_a_port_that_leaves_what_the_oracle_left_passes(busy: Scenario, history: Make) -> None:
    """T163."""
    verdict = judge(busy, history(), history("self", "{other}", 1_795_600_000_000))
    assert (verdict.word, verdict.differences) == ("pass", ())
    assert verdict.checks > 80


def test_a_port_that_does_nothing_never_passes(busy: Scenario, history: Make) -> None:
    """Whatever it answers: its capture is empty."""
    port = history("self")
    empty = msgspec.structs.replace(port.captures[0], keys={})
    verdict = judge(busy, history(), msgspec.structs.replace(port, captures=(empty,)))
    assert verdict.word == "fail"


def test_differences_below_the_gate_are_listed_under_a_pass(busy: Scenario, history: Make, with_keys: Replace) -> None:
    port = history("self")
    key = port.captures[0].keys["{made-1}:mail:2"]
    spaced = Key("hash", fields={**key.fields, "data": "{ }"})
    changed = with_keys(port, {"2": spaced})
    assert judge(busy, history(), changed).word == "fail"
    lax = judge(busy, history(), changed, "event")
    assert (lax.word, [one.level for one in lax.differences]) == ("pass", ["encoding"])


@pytest.mark.parametrize("kind", ["late", "refused", "unmatched"])
def test_a_port_that_stops_where_the_oracle_went_on_fails(busy: Scenario, history: Make, kind: str) -> None:
    verdict = judge(busy, history(), failing(history("self"), kind))
    assert (verdict.word, verdict.hint) == ("fail", "do this")
    (one,) = verdict.differences
    assert (one.check, one.level) == (f"made/up#{kind}/step-6", "breaks-peer")
    assert one.words == f"{kind} at step 7 of 7, `start` (port): it is so"


def test_a_port_that_stops_is_judged_by_the_captures_it_has(busy: Scenario, history: Make, with_keys: Replace) -> None:
    def checkpoint(one: History) -> History:
        mid = msgspec.structs.replace(one.captures[0], label="mid")
        return msgspec.structs.replace(one, captures=(mid, *one.captures))

    oracle = checkpoint(history())
    port = with_keys(history("self"), {"id": Key("string", text="8")})
    stopped = msgspec.structs.replace(
        checkpoint(port), captures=checkpoint(port).captures[:1], failure=Failure("late", 6, "late")
    )
    checks = [one.check for one in judge(busy, oracle, stopped).differences]
    assert checks == ["made/up#late/step-6", "made/up#mid/id"]


@pytest.mark.parametrize("kind", ["protocol", "environment"])
def test_a_broken_driver_or_machine_is_an_error_with_what_to_do(busy: Scenario, history: Make, kind: str) -> None:
    verdict = judge(busy, history(), failing(history("self"), kind))
    assert (verdict.word, verdict.hint, verdict.stderr) == ("error", "do this", ("line",))


def test_what_the_port_does_not_offer_is_not_applicable(busy: Scenario, history: Make) -> None:
    verdict = judge(busy, history(), failing(history("self"), "unsupported"))
    assert verdict.word == "not-applicable"
    assert "it is so" in verdict.reason


def test_an_oracle_that_breaks_off_makes_the_cell_invalid(busy: Scenario, history: Make) -> None:
    assert judge(busy, failing(history(), "late"), history("self")).word == "invalid"


def test_an_oracle_that_misses_a_fact_makes_the_cell_invalid(variant: Variant, history: Make) -> None:
    verdict = judge(variant(expect=[{"job": "j", "state": "wait"}]), history(), history("self"))
    assert verdict.word == "invalid"
    assert verdict.reason == (
        "the oracle misses what the scenario expects (1): expected job j: state to be wait, found failed"
    )


def test_an_oracle_that_breaks_a_law_makes_the_cell_invalid_until_it_is_excepted(
    variant: Variant, history: Make, with_keys: Replace
) -> None:
    def broken(one: History) -> History:
        return with_keys(one, {"completed": None})

    assert judge(variant(), broken(history()), broken(history("self"))).word == "invalid"
    excepting = variant(laws={"except": {"no-stranded-hash": "Node does so, too."}})
    assert judge(excepting, broken(history()), broken(history("self"))).word == "pass"


def raising(history: History, problem: Problem | None) -> History:
    result: Any = msgspec.UNSET if problem is not None else {"id": "8", "name": "n"}
    outcome = Outcome(0, "oracle", "queue.add", 1, 2, None, "mail", result, problem)
    return msgspec.structs.replace(history, outcomes=(outcome,))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Problem("unclassified", "TypeError"), "raised an error that has no symbol: TypeError"),
        (Problem("JobIdZero", ""), "raised JobIdZero, not JobIdColon"),
        (None, "should raise JobIdColon and did not"),
    ],
)
def test_an_oracle_whose_error_is_not_the_one_foreseen_makes_the_cell_invalid(
    variant: Variant, history: Make, problem: Problem | None, words: str
) -> None:
    foreseen = variant(steps=[{"add": {"on": "q", "name": "n"}, "raises": "JobIdColon"}], expect=[])
    assert words in (oracle_trouble(foreseen, raising(history(), problem)) or "")


@pytest.mark.parametrize("problem", [Problem("unclassified", "TypeError"), Problem("JobIdZero"), None])
def test_a_port_that_raises_another_error_or_none_fails(
    variant: Variant, history: Make, problem: Problem | None
) -> None:
    foreseen = variant(steps=[{"add": {"on": "q", "name": "n"}, "raises": "JobIdColon"}], expect=[])
    oracle = raising(history(), Problem("JobIdColon", "Node's text"))
    verdict = judge(foreseen, oracle, raising(history("self"), problem))
    assert [one.check for one in verdict.differences] == ["made/up#run/call.step 0 queue.add"]
    assert judge(foreseen, oracle, raising(history("self"), Problem("JobIdColon", "another text"))).word == "pass"


def test_a_fact_that_the_port_misses_is_a_difference(variant: Variant, history: Make) -> None:
    port = history("self")
    fewer = msgspec.structs.replace(port, attempts=port.attempts[:1])
    verdict = judge(variant(expect=[{"job": "j", "attempts": 2}]), history(), fewer)
    assert "made/up#end/expect/1" in [one.check for one in verdict.differences]


def test_what_a_missed_fact_names_is_the_same_in_every_run(variant: Variant, history: Make) -> None:
    """A baseline knows the difference again by these values."""
    scenario = variant(expect=[{"job": "j", "data": {"at": "<prefix>"}}])
    verdict = judge(scenario, canonical(scenario, history()), history("self"))
    assert [one.oracle for one in verdict.differences if "expect" in one.check] == [{"at": "<prefix>"}]


def test_a_law_that_only_the_port_breaks_is_a_difference(busy: Scenario, history: Make, with_keys: Replace) -> None:
    port = with_keys(history("self"), {"wait": Key("list", items=("1",))})
    told = {one.check: one for one in judge(busy, history(), port).differences}
    assert told["made/up#end/laws/one-state"].level == "breaks-peer"


def test_a_shadow_cell_is_judged_by_laws_and_facts_alone(variant: Variant, history: Make, with_keys: Replace) -> None:
    """T161."""
    scenario = variant(expect=[{"job": "j", "state": "failed"}])
    other = with_keys(history("shadow"), {"id": Key("string", text="99")})
    at_work = msgspec.structs.replace(other.captures[-1], workers_open=1)  # it has job 6 in hand
    other = msgspec.structs.replace(other, captures=(*other.captures[:-1], at_work))
    assert judge(scenario, history(), other).word == "pass"
    assert judge(scenario, history(), with_keys(other, {"1": None})).word == "fail"
    assert judge(variant(expect=[{"key": "id", "is": "7"}]), history(), other).word == "fail"


def verdict(word: Word, *levels: Level) -> CellVerdict:
    told = tuple(Difference("a#b", level, "", 1, 2, "") for level in levels)
    return CellVerdict(Cell("a", "self", "single"), word, differences=told)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([verdict("pass")], 0),
        ([verdict("pass", "note"), verdict("not-applicable"), verdict("known", "state")], 0),
        ([verdict("pass"), verdict("fail", "state")], 1),
        ([verdict("pass", "encoding")], 1),
        ([verdict("flaky")], 1),
        ([verdict("stale"), verdict("fail", "state")], 2),
        ([verdict("fail", "state"), verdict("error")], 3),
        ([verdict("invalid"), verdict("stale")], 3),
        ([verdict("not-applicable")], 3),
        ([], 3),
    ],
)
def test_the_gravest_verdict_decides_the_exit_code(verdicts: list[CellVerdict], code: Literal[0, 1, 2, 3]) -> None:
    assert exit_code(verdicts, "encoding") == code


def test_a_fault_is_told_with_the_verdict_and_its_losses_are_counted_where_they_show(
    busy: Scenario, history: Make
) -> None:
    struck = (Struck(3, "node-killed", 1_000.0, 1_250.0), Struck(5, "driver-frozen", 2_000.0, 2_001.0, "w", "port"))
    loss = Loss("doubled", "it was sent again", Fact(counts={"completed": 1}))
    costly = msgspec.structs.replace(busy, losses=(loss,))
    port = msgspec.structs.replace(history("self", "{other}", 1_795_600_000_000), struck=struck)
    verdict = judge(costly, history(), port)
    assert verdict.faults == (
        "node-killed at step 4, for 250 ms",
        "driver-frozen of w (port) at step 6, for 1 ms",
    )
    assert (verdict.word, verdict.losses) == ("pass", {"doubled": 1})
    wrong = msgspec.structs.replace(busy, losses=(Loss("lost", "why", Fact(counts={"completed": 7})),))
    assert judge(wrong, history(), port).word == "invalid"  # Node does not lose it


def test_where_more_than_one_way_is_right_facts_and_laws_judge_and_a_port_may_be_spared_a_loss(
    busy: Scenario, history: Make, with_keys: Replace
) -> None:
    port = history("self")
    key = port.captures[0].keys["{made-1}:mail:2"]
    changed = with_keys(port, {"2": Key("hash", fields={**key.fields, "data": "{ }"})})
    assert judge(busy, history(), changed).word == "fail"
    lax = msgspec.structs.replace(busy, judge="laws")
    assert judge(lax, history(), changed).word == "pass"
    loss = Loss("doubled", "Node does", Fact(key="id", value="77"))
    shown = judge(msgspec.structs.replace(lax, losses=(loss,)), history(), changed)
    assert "the oracle misses" in shown.reason  # what Node does not lose is no loss
    spared = Loss("lost", "Node does", Fact(key="2", exists=True), spared=True)
    without = with_keys(history("self"), {"2": None})
    found = judge(msgspec.structs.replace(lax, losses=(spared,)), history(), without)
    assert (found.losses, [d.check for d in found.differences if "/expect/" in d.check]) == ({}, [])
    held = msgspec.structs.replace(spared, spared=False)
    found = judge(msgspec.structs.replace(lax, losses=(held,)), history(), without)
    assert [d.check for d in found.differences if "/expect/" in d.check] == ["made/up#end/expect/2"]


def test_an_error_without_a_symbol_is_no_trouble_where_nobody_can_know(busy: Scenario, history: Make) -> None:
    step = busy.steps[0]
    oracle = history()
    raised = msgspec.structs.replace(oracle.outcomes[0], step=0, result=msgspec.UNSET, problem=Problem("unclassified"))
    lost = msgspec.structs.replace(oracle, outcomes=(raised, *oracle.outcomes[1:]))
    assert "has no symbol" in str(oracle_trouble(busy, lost))
    unknown = msgspec.structs.replace(busy, steps=(msgspec.structs.replace(step, unknown=True), *busy.steps[1:]))
    assert "has no symbol" not in str(oracle_trouble(unknown, lost))


def test_what_a_missed_fact_has_seen_is_the_same_at_any_time_of_day(history: Make, variant: Variant) -> None:
    """Else a baseline could not list it: events tell of times. A time that the scenario spells out stays."""
    scenario = variant(expect=[{"events": ["drained"]}, {"job": "a", "fields": {"timestamp": "1"}}])
    ports = history("self"), history("self", start=1_795_600_000_000)
    early, late = (judge(scenario, canonical(scenario, history()), port).differences for port in ports)
    assert [one.port for one in early] == [one.port for one in late]
    assert "delayed 3 delay=<time>" in early[0].port
    assert early[-1].port == "1700000000000"
