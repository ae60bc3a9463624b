"""Canonical histories: what chance decides is renamed, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compat.model.capture import Key, StreamEntry
from compat.model.history import History, Notice, Outcome, Problem
from compat.model.scenario import Scenario
from compat.normalise import RULES, RUN, Place, canonical
from compat.normalise.text import json_text, number, walk

Make = Callable[..., History]
Replace = Callable[[History, dict[str, Key | None]], History]
Variant = Callable[..., Scenario]


def value(scenario: Scenario, history: History, what: str, subject: str = "", scope: str = "end") -> Any:
    return canonical(scenario, history).values.get(Place(scope, what, "mail", subject))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    start=st.integers(1_600_000_000_000, 2_000_000_000_000).filter(lambda ms: abs(ms - 1_700_000_000_000) > 10_000),
    prefix=st.from_regex(r"\{?[a-z]{3,9}-[0-9]{1,4}\}?", fullmatch=True),
    worker=st.uuids(version=4),
    node=st.uuids(version=4),
)
def test_another_clock_prefix_or_uuid_makes_no_difference(
    busy: Scenario, history: Make, start: int, prefix: str, worker: Any, node: Any
) -> None:
    """T163."""
    other = history("self", prefix, start, str(worker), str(node))
    assert canonical(busy, other).values == canonical(busy, history()).values


def test_times_of_the_cell_are_instants_and_explicit_ones_stay(busy: Scenario, history: Make) -> None:
    assert value(busy, history(), "job.timestamp", "1") == "<instant>"
    assert value(busy, history(), "job.timestamp", "6") == "1700000000000"
    assert value(busy, history(), "job.opts", "6") == {"timestamp": 1_700_000_000_000, "attempts": 0}


@pytest.mark.parametrize("shift", [-30, 30])
def test_a_timestamp_outside_the_window_of_its_call_stays_literal(
    busy: Scenario, history: Make, with_keys: Replace, shift: int
) -> None:
    one = history()
    key = one.captures[0].keys["{made-1}:mail:1"]
    text = str(int(key.fields["timestamp"]) + shift)
    changed = Key("hash", fields={**key.fields, "timestamp": text})
    assert value(busy, with_keys(one, {"1": changed}), "job.timestamp", "1") == text


def test_a_fractional_timestamp_stays_visible(busy: Scenario, history: Make, with_keys: Replace) -> None:
    one = history()
    key = one.captures[0].keys["{made-1}:mail:1"]
    text = f"{key.fields['timestamp']}.5"
    changed = with_keys(one, {"1": Key("hash", fields={**key.fields, "timestamp": text})})
    assert value(busy, changed, "job.timestamp", "1") == text


def test_a_failed_reason_is_never_parsed(busy: Scenario, history: Make, with_keys: Replace) -> None:
    one = history()
    key = one.captures[0].keys["{made-1}:mail:1"]
    quoted = with_keys(one, {"1": Key("hash", fields={**key.fields, "failedReason": '"boom"'})})
    assert value(busy, quoted, "job.failedReason", "1") == '"boom"'
    assert value(busy, one, "job.failedReason", "1") == "boom <prefix>"


def test_what_is_no_json_stays_visible() -> None:
    assert json_text("boom", str, by_client=True) == "<not JSON: boom>"
    assert json_text("NaN", str, by_client=True) == "<not JSON: NaN>"


def test_json_nested_beyond_comparison_is_compared_as_text() -> None:
    deep = "[" * 5000 + "]" * 5000
    assert json_text(deep, str, by_client=True).endswith(f"{deep}>")


def test_numbers_are_read_as_javascript_reads_them_but_for_minus_zero() -> None:
    """T145."""
    assert json_text("[1.0, -0, -0.0, 1.5, 9007199254740993]", str, by_client=True) == [
        *(1, 0, "<number -0>", 1.5, 9007199254740992.0)
    ]
    assert isinstance(json_text("1.0", str, by_client=False), float)
    assert walk([float("nan"), b"\x00"], str, fold=True) == ["<number nan>", "<bytes 00>"]


@pytest.mark.parametrize(("text", "read"), [("12", 12), ("-3", -3), ("012", "012"), ("1.0", "1.0"), ("-0", "-0")])
def test_a_counter_has_one_spelling(text: str, read: int | str) -> None:
    assert number(text) == read


def test_a_due_time_is_named_by_its_delay(busy: Scenario, history: Make) -> None:
    """T028."""
    assert value(busy, history(), "delayed") == {"<timestamp>+3600000": ["3", "4"]}
    told = [event["delay"] for event in value(busy, history(), "events") if event["event"] == "delayed"]
    assert told == ["<timestamp>+3600000", "<timestamp>+3600000", "<instant>+20"]


@pytest.mark.parametrize(
    "score",
    [
        pytest.param(1_795_503_600_012.0, id="plain milliseconds"),
        pytest.param(1_795_503_600_012.0 * 1000, id="another factor"),
        pytest.param(1_795_503_599_012.0 * 4096, id="a second early"),
    ],
)
def test_a_due_time_of_another_encoding_or_delay_stays_literal(
    busy: Scenario, history: Make, with_keys: Replace, score: float
) -> None:
    one = with_keys(history(), {"delayed": Key("zset", scores=(("3", score),))})
    assert not any("+" in due for due in value(busy, one, "delayed"))


def test_equal_scores_in_delayed_are_told(busy: Scenario, history: Make, with_keys: Replace) -> None:
    """T036."""
    one = history()
    (first, score), _ = one.captures[0].keys["{made-1}:mail:delayed"].scores
    tied = with_keys(one, {"delayed": Key("zset", scores=((first, score), ("4", score)))})
    assert value(busy, one, "delayed.ties") == "whole and distinct"
    assert value(busy, tied, "delayed.ties") == [0.0, 0.0]


def test_a_wrong_backoff_in_an_event_is_not_taken_for_the_right_one(
    busy: Scenario, history: Make, with_keys: Replace
) -> None:
    """T078."""
    one = history()
    entries = one.captures[0].keys["{made-1}:mail:events"].entries
    wrong = tuple(
        StreamEntry(e.id, (*e.fields[:2], ("delay", str(int(e.fields[2][1]) + 20))))
        if dict(e.fields).get("event") == "delayed" and dict(e.fields)["jobId"] == "1"
        else e
        for e in entries
    )
    changed = with_keys(one, {"events": Key("stream", entries=wrong)})
    told = [event["delay"] for event in value(busy, changed, "events") if event["event"] == "delayed"]
    assert told[-1].isdecimal()


def test_the_due_time_of_a_parent_that_its_own_flow_released_counts_from_that_call(
    busy: Scenario, history: Make, with_keys: Replace
) -> None:
    """T153."""
    one = history()
    entries = one.captures[0].keys["{made-1}:mail:events"].entries
    (place,) = (i for i, e in enumerate(entries) if e.fields[:2] == (("event", "delayed"), ("jobId", "1")))
    stored = int(entries[place].id.split("-")[0])
    due = str(stored - 5 + 3_600_000)
    parent = (
        StreamEntry(f"{stored}-0", (("event", "added"), ("jobId", "p"), ("name", "n"))),
        StreamEntry(f"{stored}-1", (("event", "waiting-children"), ("jobId", "p"))),
        StreamEntry(f"{stored}-2", (("event", "delayed"), ("jobId", "p"), ("delay", due))),
    )
    flow = with_keys(one, {"events": Key("stream", entries=(*entries[:place], *parent))})

    def told(*step_ms: float) -> str:
        return str(value(busy, msgspec.structs.replace(flow, step_ms=step_ms), "events")[-1]["delay"])

    assert told(stored - 5) == "<instant>+3600000"
    assert told(stored - 2) == due


def test_a_delay_that_only_a_step_writes_down_is_named(busy: Scenario, history: Make, with_keys: Replace) -> None:
    """As after `changeDelay`, when no capture shows the job before it is due (T105)."""
    one = history()
    entries = one.captures[0].keys["{made-1}:mail:events"].entries
    changed = tuple(
        StreamEntry(e.id, (*e.fields[:2], ("delay", str(int(e.fields[2][1]) - 20 + 3_600_000))))
        if dict(e.fields).get("event") == "delayed" and dict(e.fields)["jobId"] == "1"
        else e
        for e in entries
    )
    found = value(busy, with_keys(one, {"events": Key("stream", entries=changed)}), "events")
    assert [event["delay"] for event in found if event["event"] == "delayed"][-1] == "<instant>+3600000"


def test_a_range_renames_what_lies_inside_and_nothing_else(variant: Variant, history: Make, with_keys: Replace) -> None:
    ranged = variant(ranges={"d.delay": [3_500_000, 3_600_000], "e.delay": [1, 2]})
    assert value(ranged, history(), "job.delay", "3") == "<3.5e+06..3.6e+06>"
    assert value(ranged, history(), "job.delay", "4") == "3600000"


def test_the_markers_base_member_counts_only_while_all_workers_are_idle(
    busy: Scenario, history: Make, with_keys: Replace
) -> None:
    one = history()
    gone = with_keys(one, {"marker": Key("zset", scores=one.captures[0].keys["{made-1}:mail:marker"].scores[1:])})
    assert value(busy, one, "marker") == {"0": "0", "1": "<earliest due>"}
    assert value(busy, gone, "marker") == {"1": "<earliest due>"}
    for history_ in (one, gone):
        at_work = msgspec.structs.replace(history_.captures[0], workers_open=1, workers_idle=0)
        busy_history = msgspec.structs.replace(history_, captures=(at_work,))
        assert value(busy, busy_history, "marker") == {"0": "<any>", "1": "<earliest due>"}


def test_a_base_marker_with_a_score_is_told_always(busy: Scenario, history: Make, with_keys: Replace) -> None:
    one = with_keys(history(), {"marker": Key("zset", scores=(("0", 5.0),))})
    assert value(busy, one, "marker") == {"0": "5"}


def test_a_lock_names_its_holder(busy: Scenario, history: Make, with_keys: Replace) -> None:
    """T046."""
    assert value(busy, history(), "job.lock", "6") == {"holder": "<held by w>", "ttl": "<at most 30000 ms>"}
    stranger = with_keys(history(), {"6:lock": Key("string", text="t", ttl_ms=31_000)})
    assert value(busy, stranger, "job.lock", "6") == {"holder": "t", "ttl": "31000 ms"}
    assert value(busy, stranger, "job.lock.form", "6") == "another text"


@pytest.mark.parametrize(
    ("version", "told"), [("bullmq:5.62.0", "<claimed>"), ("bullmq:1.1.0", "bullmq:1.1.0"), ("", "")]
)
def test_a_version_is_the_one_claimed_or_is_told(
    busy: Scenario, history: Make, with_keys: Replace, version: str, told: str
) -> None:
    one = with_keys(history(), {"meta": Key("hash", fields={"version": version})})
    assert value(busy, one, "meta.version") == told


def test_only_the_number_of_stack_traces_counts(busy: Scenario, history: Make) -> None:
    """T077."""
    assert value(busy, history(), "job.stacktrace", "1") == "<2 stack traces>"


def test_a_key_that_expires_and_should_not_is_visible(busy: Scenario, history: Make, with_keys: Replace) -> None:
    one = with_keys(history(), {"id": Key("string", text="7", ttl_ms=1000)})
    assert value(busy, one, "ttl.id") == "<expires>"


def test_keys_that_are_nobodys_are_foreign(busy: Scenario, history: Make, with_keys: Replace) -> None:
    one = with_keys(history(), {"a:b": Key("string", text="1"), "stray": Key("list", items=("1",))})
    strays = {place.subject: kind for place, kind in canonical(busy, one).values.items() if place.what == "foreign"}
    assert strays == {"<prefix>:mail:a:b": "string", "<prefix>:mail:stray": "list"}


def test_per_job_order_keeps_each_jobs_sequence(variant: Variant, history: Make) -> None:
    by_job = value(variant(order="per-job"), history(), "events")
    assert [event["event"] for event in by_job["1"]] == [
        *("added", "waiting", "active", "delayed", "waiting", "active", "failed", "retries-exhausted")
    ]


def test_an_event_stands_in_one_capture(busy: Scenario, history: Make) -> None:
    one = history()
    events = one.captures[0].keys["{made-1}:mail:events"].entries
    early = msgspec.structs.replace(
        one.captures[0], label="mid", keys={"{made-1}:mail:events": Key("stream", entries=events[:20])}
    )
    both = msgspec.structs.replace(one, captures=(early, one.captures[0]))
    assert len(value(busy, both, "events", scope="mid")) == 20
    assert len(value(busy, both, "events")) == len(events) - 20


def test_an_answers_null_and_absent_are_the_same(busy: Scenario, history: Make) -> None:
    """T013."""
    one = history()
    first = one.outcomes[0]
    bare = {name: item for name, item in first.result.items() if item is not None}
    other = msgspec.structs.replace(one, outcomes=(msgspec.structs.replace(first, result=bare), *one.outcomes[1:]))
    assert canonical(busy, other).values == canonical(busy, one).values


def test_an_error_is_its_symbol_and_one_without_equals_nothing(busy: Scenario, history: Make) -> None:
    def told(symbol: str, text: str) -> Any:
        problem = Outcome(0, "oracle", "queue.add", 1, 2, "x", "mail", problem=Problem(symbol, text))
        one = msgspec.structs.replace(history(), outcomes=(problem,))
        return value(busy, one, "call.step 0 queue.add as x", "0", RUN)

    assert told("JobIdColon", "one") == told("JobIdColon", "another") == {"raises": "JobIdColon"}
    assert told("unclassified", "TypeError") == {"raises": "<unclassified: TypeError>"}


def test_what_is_told_of_a_job_is_a_sequence_of_events_with_their_words(busy: Scenario, history: Make) -> None:
    told = (Notice("w", "oracle", "active", "1", {}), Notice("w", "oracle", "failed", "1", {"failedReason": "no"}))
    one = msgspec.structs.replace(history(), notices=told)
    assert value(busy, one, "notices.w", "1", RUN) == ["active", {"event": "failed", "failedReason": "no"}]


def test_how_often_something_is_told_of_no_job_is_left_to_chance(busy: Scenario, history: Make) -> None:
    told = tuple(Notice("w", "oracle", event, "", {}) for event in ("drained", "closed", "drained"))
    one = msgspec.structs.replace(history(), notices=told)
    assert value(busy, one, "notices.w", "", RUN) == ["closed", "drained"]


def test_which_of_several_workers_told_is_left_to_chance_where_jobs_are_compared_one_by_one(
    busy: Scenario, history: Make
) -> None:
    loose = msgspec.structs.replace(busy, order="per-job")
    one = msgspec.structs.replace(history(), notices=(Notice("w", "oracle", "active", "1", {}),))
    assert value(loose, one, "notices.worker", "1", RUN) == ["active"]


def test_words_that_are_null_are_as_good_as_none_and_a_due_time_is_an_instant(busy: Scenario, history: Make) -> None:
    told = (
        Notice("w", "oracle", "completed", "1", {"returnvalue": None}),
        Notice("w", "oracle", "delayed", "1", {"delay": "1795500012345"}),
        Notice("w", "oracle", "delayed", "1", {"delay": "12"}),
    )
    one = msgspec.structs.replace(history(), notices=told)
    assert value(busy, one, "notices.w", "1", RUN) == [
        "completed",
        {"event": "delayed", "delay": "<instant>"},
        {"event": "delayed", "delay": "12"},
    ]


def test_every_key_is_read_by_a_rule_and_every_rule_says_why(busy: Scenario, history: Make) -> None:
    """No path is dropped: taking any key away changes the canonical history."""
    one = history()
    whole = canonical(busy, one)
    assert set(whole.rules) == set(whole.values)
    assert all(rule.__doc__ for rule in RULES)


def test_names_of_connections_are_compared_after_the_prefix(busy: Scenario, history: Make) -> None:
    """Divergence 63: a port whose workers have other names is invisible to `getWorkers()`."""
    one = history()
    named = msgspec.structs.replace(one.captures[0], clients=("{made-1}:bWFpbA==", "{made-1}:bWFpbA==:w:one"))
    changed = msgspec.structs.replace(one, captures=(named, *one.captures[1:]))
    found = canonical(busy, changed).values[Place("end", "clients")]
    assert found == ["<prefix>:bWFpbA==", "<prefix>:bWFpbA==:w:one"]
    assert Place("end", "clients") not in canonical(busy, one).values


def flow_answer(first: str, second: str, stamp: int) -> dict[str, Any]:
    job = {"id": first, "name": "n", "data": {}, "opts": {}, "timestamp": stamp}
    return {"job": job, "children": [{"job": {**job, "id": second, "parentKey": f"{{made-1}}:mail:{first}"}}]}


def test_the_jobs_of_a_flow_are_named_in_the_order_of_the_tree(busy: Scenario, history: Make) -> None:
    """Whatever order an answer's fields have."""
    one, two = "aaaaaaaa-7a51-4a2b-8f2d-5d1c6e7f8a90", "bbbbbbbb-7a51-4a2b-8f2d-5d1c6e7f8a90"
    seen = []
    for ids in ((one, two), (two, one)):
        base = history()
        answer = flow_answer(*ids, int(base.started_ms) + 5)
        if ids[0] == two:
            answer = {"children": answer["children"], "job": dict(reversed(answer["job"].items()))}
        outcome = Outcome(0, "oracle", "flow.add", base.started_ms, base.started_ms + 9, queue="mail", result=answer)
        seen.append(canonical(busy, msgspec.structs.replace(base, outcomes=(outcome,))).values)
    place = Place(RUN, "call.step 0 flow.add", "mail", "0")
    assert seen[0][place] == seen[1][place]
    tree: Any = seen[0][place]
    assert [tree["job"]["id"], tree["job"]["timestamp"]] == ["<uuid 1>", "<instant>"]
    assert tree["children"][0]["job"]["parentKey"] == "<prefix>:mail:<uuid 1>"


@pytest.mark.parametrize(("shift", "read"), [(5, "<instant>"), (-30, None)])
def test_the_timestamp_of_a_flows_job_lies_in_the_window_of_its_call(
    busy: Scenario, history: Make, with_keys: Replace, shift: int, read: str | None
) -> None:
    base = history()
    stamp = str(int(base.started_ms) + 40 + shift)
    key = Key("hash", fields={**base.captures[0].keys["{made-1}:mail:1"].fields, "timestamp": stamp})
    answer = flow_answer("root", "child", int(stamp))
    outcome = Outcome(0, "oracle", "flow.add", base.started_ms + 40, base.started_ms + 49, queue="post", result=answer)
    one = msgspec.structs.replace(with_keys(base, {"child": key}), outcomes=(outcome,))
    assert value(busy, one, "job.timestamp", "child") == (read or stamp)


def test_pages_of_children_are_sets_and_their_hashes_are_read_by_their_codecs(busy: Scenario, history: Make) -> None:
    base = history()
    stamp = str(int(base.started_ms) + 5)
    hashes = [
        {"name": "b", "timestamp": stamp, "data": "[1.0]", "opts": "{}", "stacktrace": '["a"]'},
        {"name": "a", "timestamp": "1700000000000", "data": "{}", "opts": "{}"},
    ]
    page = {"items": [{"id": "{made-1}:mail:2"}, {"id": "{made-1}:mail:1"}], "jobs": hashes, "total": 2}
    answers = {"queue.getDependencies": page, "job.getDependencies": {"unprocessed": ["b", "a"], "failed": ["b", "a"]}}
    outcomes = tuple(
        Outcome(0, "oracle", method, base.started_ms, base.ended_ms, "p", "mail", result=result)
        for method, result in answers.items()
    )
    values = canonical(busy, msgspec.structs.replace(base, outcomes=outcomes)).values
    listed: Any = values[Place(RUN, "call.step 0 queue.getDependencies as p", "mail", "0")]
    assert listed["items"] == [{"id": "<prefix>:mail:1"}, {"id": "<prefix>:mail:2"}]
    assert listed["jobs"] == [
        {"name": "b", "timestamp": "<instant>", "data": [1], "opts": {}, "stacktrace": "<1 stack traces>"},
        {"name": "a", "timestamp": "1700000000000", "data": {}, "opts": {}},
    ]
    kinds: Any = values[Place(RUN, "call.step 0 job.getDependencies as p", "mail", "0")]
    assert kinds == {"unprocessed": ["a", "b"], "failed": ["b", "a"]}


def test_a_hash_that_a_port_has_parsed_already_is_judged_as_it_is(busy: Scenario, history: Make) -> None:
    """Node 6 answers `getDependencies` with values where Node 5 hands on what is stored."""
    base = history()
    page = {"items": [], "jobs": [{"name": "a", "opts": {"attempts": 1.0}, "timestamp": 1700000000000}], "total": 1}
    outcome = Outcome(0, "port", "queue.getDependencies", base.started_ms, base.ended_ms, "p", "mail", result=page)
    values = canonical(busy, msgspec.structs.replace(base, outcomes=(outcome,))).values
    listed: Any = values[Place(RUN, "call.step 0 queue.getDependencies as p", "mail", "0")]
    assert listed["jobs"] == [{"name": "a", "opts": {"attempts": 1}, "timestamp": 1700000000000}]


def test_ids_that_a_port_drew_in_a_form_of_its_own_are_renamed_and_the_form_told(
    busy: Scenario, history: Make, with_keys: Replace
) -> None:
    """PyPI's bullmq writes UUIDs without dashes; short ids may be counted ones and stay."""
    base = history()
    drawn, fields = "0123456789abcdef0123456789abcdef", base.captures[0].keys["{made-1}:mail:1"].fields
    answer = flow_answer(drawn, "7", int(base.started_ms) + 5)
    outcome = Outcome(0, "oracle", "flow.add", base.started_ms, base.started_ms + 9, queue="mail", result=answer)
    one = with_keys(base, {drawn: Key("hash", fields={**fields, "parentKey": f"{{made-1}}:mail:{drawn}"})})
    values = canonical(busy, msgspec.structs.replace(one, outcomes=(outcome,))).values
    assert values[Place("end", "job.parentKey", "mail", "<uuid 1>")] == "<prefix>:mail:<uuid 1>"
    assert values[Place("end", "job.id.form", "mail", "<uuid 1>")] == "another text"
    forms = [value for place, value in values.items() if place.what == "job.id.form"]
    assert sorted(forms) == ["<uuid>", "another text"]
    tree: Any = values[Place(RUN, "call.step 0 flow.add", "mail", "0")]
    assert tree["children"][0]["job"]["id"] == "7"
