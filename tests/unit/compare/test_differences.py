"""Differences: stable check ids, levels, and one sentence each."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from compat.compare import compare, differences
from compat.compare.difference import inner
from compat.compare.levels import at_least, weight
from compat.compare.words import ABSENT, shown, stream
from compat.model.capture import Key
from compat.model.history import Failure, History, Notice
from compat.model.scenario import Scenario

Make = Callable[..., History]
Replace = Callable[[History, dict[str, Key | None]], History]


def fields(history: History, job: str, **changes: str) -> dict[str, Key | None]:
    key = history.captures[0].keys[f"{history.prefix}:mail:{job}"]
    return {job: Key("hash", fields={**key.fields, **changes})}


def test_two_runs_of_the_same_have_no_difference_and_many_checks(busy: Scenario, history: Make) -> None:
    """T163."""
    assert differences(busy, history(), history("self", "{other}", 1_795_600_000_000)) == ()
    assert compare(busy, history(), history("self")).checks > 80


def test_a_quoted_failed_reason_is_told_in_one_sentence(busy: Scenario, history: Make, with_keys: Replace) -> None:
    port = history("self")
    (one,) = differences(busy, history(), with_keys(port, fields(port, "1", failedReason='"boom {made-1}"')))
    assert (one.check, one.level) == ("made/up#end/job.failedReason", "breaks-peer")
    assert one.where == "mail / job j / failedReason"
    assert one.words == 'job j: failedReason — the oracle left `boom <prefix>`, the port left `"boom <prefix>"`'
    assert "quotes" in one.why


def test_other_bytes_of_the_same_value_are_a_matter_of_encoding(
    busy: Scenario, history: Make, with_keys: Replace
) -> None:
    port = history("self")
    changed = fields(port, "2", returnvalue='{"ok": 1.5, "\\u00fc": [true, null]}')
    (one,) = differences(busy, history(), with_keys(port, changed))
    assert (one.check, one.level) == ("made/up#end/job.returnvalue.bytes", "encoding")


def test_the_order_of_keys_in_options_does_not_count(busy: Scenario, history: Make, with_keys: Replace) -> None:
    port = history("self")
    turned = fields(port, "1", opts='{"backoff":{"delay":20,"type":"fixed"},"attempts":2}')
    assert differences(busy, history(), with_keys(port, turned)) == ()


def test_one_number_deep_in_options_is_told_with_its_path(busy: Scenario, history: Make, with_keys: Replace) -> None:
    port = history("self")
    changed = fields(port, "1", opts='{"attempts":2,"backoff":{"type":"fixed","delay":21}}')
    told = {one.check: one.words for one in differences(busy, history(), with_keys(port, changed))}
    assert told["made/up#end/job.opts"] == "job j: opts at backoff.delay — the oracle left 20, the port left 21"


def test_a_missing_job_is_told_once(busy: Scenario, history: Make, with_keys: Replace) -> None:
    told = differences(busy, history(), with_keys(history("self"), {"5": None}))
    assert [one.check for one in told if "/job" in one.check] == ["made/up#end/job"]
    assert told[0].words == "job p: the oracle left it, the port has none"


def test_events_are_told_aligned(busy: Scenario, history: Make, with_keys: Replace) -> None:
    entries = history().captures[0].keys["{made-1}:mail:events"].entries
    shorter = Key("stream", entries=entries[:1] + entries[2:])
    (one,) = differences(busy, history(), with_keys(history("self"), {"events": shorter}))
    assert one.words == "events of mail — after event 1 (added 1 name=n) the port lacks `waiting 1`"
    assert (one.level, one.check) == ("event", "made/up#end/events")


def test_streams_by_job_name_the_job() -> None:
    here = {"1": [{"event": "added", "jobId": "1"}], "": []}
    assert stream(here, {"1": [], "": []}) == "job 1: at the start the port lacks `added 1`"


def test_long_values_are_cut_to_where_they_first_differ() -> None:
    one, other = shown("x" * 500 + "a" + "y" * 500, "x" * 500 + "b" + "y" * 500)
    assert len(one) < 130
    assert one[: one.index("a")] == other[: other.index("b")]


def test_what_is_missing_is_nothing_and_null_is_null() -> None:
    assert shown(ABSENT, None) == ("nothing", "null")


@pytest.mark.parametrize(("one", "other"), [(1, True), ([1], [True]), (1, 1.0), ("1", 1), ([0], [False]), ({}, [])])
def test_values_are_told_apart_that_python_holds_for_equal(one: object, other: object) -> None:
    """T145."""
    assert inner(one, other)
    assert not inner(one, one)


def telling(one: History, *events: str, unheard: tuple[str, ...] = ()) -> History:
    notices = tuple(Notice("w", "oracle", event, "1", {}) for event in events)
    return msgspec.structs.replace(one, notices=notices, unheard=unheard)


@pytest.mark.parametrize("told", [(), ("active",), ("active", "failed", "failed")])
def test_a_worker_that_tells_otherwise_or_nothing_differs(busy: Scenario, history: Make, told: tuple[str, ...]) -> None:
    (one,) = differences(busy, telling(history(), "active", "failed"), telling(history("self"), *told))
    assert (one.check, one.level) == ("made/up#run/notices.w", "event")


@pytest.mark.parametrize("order", ["total", "per-job"])
def test_what_a_driver_does_not_claim_to_pass_on_is_not_compared(busy: Scenario, history: Make, order: str) -> None:
    scenario = msgspec.structs.replace(busy, order=order)
    assert not differences(scenario, telling(history(), "active"), telling(history("self"), unheard=("w",)))
    assert differences(scenario, telling(history(), "active"), telling(history("self")))


def test_of_a_port_that_broke_off_only_what_it_came_to_is_compared(busy: Scenario, history: Make) -> None:
    port = history("self")
    broken = msgspec.structs.replace(
        port, captures=(), outcomes=port.outcomes[:2], attempts=(), failure=Failure("late", 2, "waited")
    )
    assert differences(busy, history(), broken) == ()


def test_another_order_of_first_attempts_is_told(busy: Scenario, history: Make) -> None:
    port = history("self")
    turned = msgspec.structs.replace(port, attempts=port.attempts[::-1])
    assert [one.check for one in differences(busy, history(), turned)] == ["made/up#run/attempts.order"]


@pytest.mark.parametrize(
    ("what", "level"),
    [
        ("job.data.bytes", "encoding"),
        ("job.atm", "state"),
        ("marker", "breaks-peer"),
        ("events", "event"),
        ("job.lock.form", "note"),
        ("meta.version", "state"),
        ("meta.paused", "breaks-peer"),
        ("unheard-of", "state"),
    ],
)
def test_each_class_has_its_level_and_says_why(what: str, level: str) -> None:
    assert weight(what).level == level
    assert weight(what).why.endswith(".")


def test_levels_are_ordered_from_worst_to_mildest() -> None:
    assert at_least("breaks-peer", "encoding") and at_least("encoding", "encoding") and not at_least("note", "event")


def test_letters_of_any_language_are_shown_as_they_are_and_what_moves_the_text_about_is_not() -> None:
    assert shown("résumé €😀\n", "\u202egnp.exe") == ("`'résumé €😀\\n'`", "`'\\u202egnp.exe'`")
