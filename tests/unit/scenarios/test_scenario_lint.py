"""Lint finds what the shape of a scenario lets through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from compat.scenarios import ScenarioError, lint, load_text

Spoil = Callable[[str, str], str]
First = Callable[[str], Any]

TREE = "{name: n, queueName: mail, children: [{name: n, queueName: mail, as: j}]}"

CASES = [
    # shape
    ("{queue: mail}", "{queue: mail, events: mail}", 7, "`queue` and `events` are both given"),
    ("{queue: mail}", "{opts: {}}", 7, "nothing is given"),
    ("- start: w", "- {start: w, stop: w}", 16, "a step does one thing"),
    ("{throw: boom}", "{throw: boom, die: true}", 12, "one of `return`, `throw`, `die`"),
    ("{throw: boom}", "{throw: {type: delayed}}", 12, "needs `ms`"),
    ("{throw: boom}", "{throw: {type: error, ms: 5}}", 12, "takes no `ms`"),
    ("gate: first\n", "gate: first\n    do: [{log: a, gate: first}]\n", 12, "`log` and `gate` are both given"),
    ("- start: w", "- start: w\n  - call: {method: pause}", 17, "exactly one of `on`, `job`"),
    ("- start: w", "- start: w\n  - expire: {}", 17, "exactly one of `lock`, `key`"),
    # header
    ("covers: [T076]", "covers: []", 5, "name the requirements"),
    ("covers: [T076]", "covers: [T189]", 5, "`T189` is no requirement"),
    ("covers: [T076]", "covers: [FR-11]", 5, "`FR-11` is no requirement"),
    ("covers: [T076]", "covers: [T076, T076]", 5, "twice"),
    ("id: retry/fixed", "id: Fixed", 2, "is no id"),
    ("why:", "tagging: queue\nwhy:", 8, "has no hash tag"),
    ("{queue: mail}", "{queue: '{mail}'}", 7, "say `tagging: queue`"),
    ("why:", "tagging: none\nwhy:", 1, "topologies: [cluster]"),
    ("why:", "arms: []\nwhy:", 4, "nothing would be run"),
    ("why:", "topologies: [single, single]\nwhy:", 4, "twice"),
    ("why:", "laws: {except: {fifo: ' '}}\nwhy:", 4, "say why"),
    ("why:", "ranges: {j.delay: [50, 25]}\nwhy:", 4, "smaller bound"),
    # names
    ("on: q, as: j", "on: qq, as: j", 15, "no object `qq`; did you mean `q`?"),
    ("on: q, as: j", "on: w, as: j", 15, "`w` is a worker, expected a queue"),
    ("- start: w", "- start: q", 16, "`q` is a queue, expected a worker"),
    ("when: {job: j,", "when: {job: k,", 10, "no step names a job `k`"),
    ("- capture: mid", "- expire: {lock: k}", 18, "no step before this one names a job `k`"),
    ("- capture: mid", "- call: {on: q, method: remove, args: {jobId: '<job:k>'}}", 18, "no step before this one"),
    ("- capture: mid", "- call: {job: {on: q, id: 'x<job:k>'}, method: promote}", 18, "no step before this one"),
    ("- capture: mid", "- add: {on: q, as: j, name: n}", 18, "a label already, of step 0"),
    ("- until: {gate: first}", "- until: {gate: frist}", 17, "did you mean `first`?"),
    ("- release: first", "- release: frist", 19, "did you mean `first`?"),
    ("- release: first", "- share: {gate: frist, seed: 1}", 19, "did you mean `first`?"),
    ("- capture: mid", "- call: {on: q, method: puase}", 18, "did you mean `pause`?"),
    ("- capture: mid", "- call: {on: q, method: drain, args: {delay: true}}", 18, "takes no `delay`"),
    ("- capture: mid", "- {call: {on: q, method: pause}, raises: Nonsense}", 18, "no error `Nonsense`"),
    ("- capture: mid", "- {capture: mid, raises: JobNotExist}", 18, "calls nothing"),
    ("q: {queue: mail}", "q: {queue: mail}\n  p: {queue: post}", 21, "more than one queue"),
    ("why:", "ranges: {k.delay: [1, 2]}\nwhy:", 4, "no place where chance decides"),
    # order
    ("- capture: mid", "- start: w", 18, "open already"),
    ("- start: w", "- stop: w", 16, "not open here"),
    ("- start: w", "- open: w", 16, "opened by `start`"),
    ("  - stop: w\n", "", 20, "still open at the end"),
    ("- until: {gate: first}\n  - capture: mid", "- capture: mid", 18, "nothing is known to be held"),
    ("  - release: first\n", "", 10, "no step releases the gate"),
    ("{worker: mail}", "{worker: mail, opts: {concurrency: 2}}\n  v: {worker: mail}", 0, ""),
    # flows
    ("- start: w", "- flow: {on: q, tree: {name: n, queueName: mail}}\n  - start: w", 16, "expected a flow"),
    ("- start: w", "- flow: {on: q}\n  - start: w", 16, "exactly one of `tree`, `trees`"),
    # waits
    ("state: {completed: 1, active: 0}", "job: j", 20, "nothing to wait for"),
    ("state: {completed: 1, active: 0}", "state: {complete: 1}", 20, "did you mean `completed`?"),
    ("active: 0}", "active: 0}, deadline: 5", 20, "out of bounds"),
    # facts
    ("expect:\n  - {job: j, state: completed}", "expect: []", 22, "it is empty"),
    ("{job: j, state: completed}", "{job: j, key: wait, exists: true}", 23, "a fact has one of"),
    ("{job: j, state: completed}", "{at: mid}", 23, "its subjects are: none"),
    ("{job: j, state: completed}", "{job: j}", 23, "nothing is said of the job"),
    ("{job: j, state: completed}", "{key: wait}", 23, "say `exists: true`"),
    ("{job: j, state: completed}", "{key: wait, exists: true, priority: 1}", 23, "said of a job"),
    ("{job: j, state: completed}", "{job: k, state: completed}", 23, "no step names a job `k`"),
    ("{job: j, state: completed}", "{job: j, state: done}", 23, "no state `done`"),
    ("{job: j, state: completed}", "{counts: {waiting: 1}}", 23, "no state `waiting`"),
    ("{job: j, state: completed}", "{at: late, job: j, state: active}", 23, "no capture `late`"),
    ("{job: j, state: completed}", "{processed: [k]}", 23, "no step names a job `k`"),
    ("{job: j, state: completed}", "{call: k, returns: 1}", 23, "no call is labelled `k`"),
    ("{job: j, state: completed}", "{call: j}", 23, "say what the call `returns`"),
    ("- capture: mid", "- capture: end", 18, "a capture `end` already"),
]


@pytest.mark.parametrize(("old", "new", "line", "part"), [case for case in CASES if case[2]])
def test_a_mistake_is_named_with_its_line(
    spoiled: Spoil, complaint: First, old: str, new: str, line: int, part: str
) -> None:
    found = complaint(spoiled(old, new))
    assert part in found.message, str(found)
    assert found.line == line, str(found)


QUIRK = """
quirks:
  - name: late
    reason: Node is late.
    mended: 5.63.0
    places: [mid/job.atm, "run/call.step 0 *"]
    expect: [{job: j, state: completed}]
"""


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("reason: Node is late.", "reason: ''", "say it in words"),
        ("[mid/job.atm, ", "['*', ", "`*` allows too much"),
        ("[mid/job.atm, ", "['*/job.atm', ", "`*/job.atm` allows too much"),
        ('[mid/job.atm, "run/call.step 0 *"]', "[]", "name the checks"),
        ("[{job: j, state: completed}]", "[]", "say what holds where the quirk is mended"),
        ("[{job: j, state: completed}]", "[{job: k, state: completed}]", "no step names a job `k`"),
        ("[{job: j, state: completed}]", "[{job: j, state: done}]", "no state `done`"),
        ("    expect: [{", "    expect: [{queue: nobody, ", "no object `nobody`"),
    ],
)
def test_a_quirk_is_told_whole(good: str, complaint: First, old: str, new: str, part: str) -> None:
    assert old in QUIRK
    assert part in str(complaint(good + QUIRK.replace(old, new)))


def test_a_quirk_that_is_told_whole_is_fine_and_two_of_one_name_are_not(good: str, complaint: First) -> None:
    assert load_text(good + QUIRK).quirks[0].name == "late"
    assert "is a quirk already" in str(complaint(good + QUIRK + QUIRK.replace("\nquirks:\n", "")))


def test_a_call_that_may_raise_needs_a_quirk_that_says_why(spoiled: Spoil, complaint: First) -> None:
    add = "- add: {on: q"
    assert "no quirk says why" in str(complaint(spoiled(add, "- mayRaise: JobIdColon\n    add: {on: q")))
    assert "no error `JobColon`" in str(complaint(spoiled(add, "- mayRaise: JobColon\n    add: {on: q") + QUIRK))
    call = "- {mayRaise: JobIdColon, raises: JobIdColon, call: {on: q, method: pause}}"
    assert "remove one of" in str(complaint(spoiled("- start: w", f"{call}\n  - start: w") + QUIRK))


def test_a_good_scenario_has_no_complaints(good: str) -> None:
    assert lint(load_text(good)) == ()


def test_a_short_delay_makes_a_count_of_delayed_jobs_a_coin_toss(spoiled: Spoil, complaint: First) -> None:
    text = spoiled("opts: {attempts: 2}", "opts: {attempts: 2, backoff: {type: fixed, delay: 20}}")
    text = text.replace("{state: {completed: 1, active: 0}}", "{state: {delayed: 1}}")
    found = complaint(text)
    assert "coin toss" in found.message and found.line == 20


def test_a_node_added_while_its_worker_is_open_is_matched_by_name(spoiled: Spoil, complaint: First) -> None:
    text = spoiled("on: q, as: j", "on: q, as: i").replace("{job: j, state", "{job: i, state")
    text = text.replace("q: {queue: mail}", "q: {queue: mail}\n  f: {flow: mail}")
    text = text.replace("  - until: {gate: first}", f"  - flow: {{on: f, tree: {TREE}}}\n  - until: {{gate: first}}")
    assert "`j` is added while a worker is open" in complaint(text).message


def test_the_labels_of_a_flow_are_labels_like_others(spoiled: Spoil, complaint: First) -> None:
    text = spoiled("q: {queue: mail}", "q: {queue: mail}\n  f: {flow: mail}")
    found = complaint(text.replace("- start: w", f"- flow: {{on: f, tree: {TREE}}}\n  - start: w"))
    assert "`j` is a label already, of step 0" in found.message and found.line == 17


def test_a_short_delay_within_a_flow_is_seen(spoiled: Spoil, complaint: First) -> None:
    text = spoiled("q: {queue: mail}", "q: {queue: mail}\n  f: {flow: mail}")
    tree = "{name: n, queueName: mail, opts: {delay: 9}}"
    text = text.replace("- start: w", f"- flow: {{on: f, tree: {tree}}}\n  - start: w")
    assert "coin toss" in complaint(text.replace("{completed: 1, active: 0}", "{delayed: 1}")).message


def test_a_long_delay_may_be_waited_for(spoiled: Spoil) -> None:
    text = spoiled("opts: {attempts: 2}", "opts: {attempts: 2, backoff: {type: fixed, delay: 3600000}}")
    load_text(text.replace("{state: {completed: 1, active: 0}}", "{state: {delayed: 1}}"))


def test_a_count_of_active_jobs_needs_a_gate(spoiled: Spoil, complaint: First) -> None:
    text = (
        spoiled("    gate: first\n", "").replace("  - until: {gate: first}\n", "").replace("  - release: first\n", "")
    )
    found = complaint(text.replace("{completed: 1, active: 0}", "{active: 1}"))
    assert "hold it at a gate" in found.message


def test_jobs_at_once_need_an_order(spoiled: Spoil, complaint: First) -> None:
    text = spoiled("{worker: mail}", "{worker: mail, opts: {concurrency: 2}}")
    text = text.replace("  - when: {job: j, attempt: 1}\n    gate: first\n    then: {throw: boom}\n", "")
    text = text.replace("  - until: {gate: first}\n", "").replace("  - release: first\n", "")
    assert "order: per-job" in complaint(text).message
    load_text(text.replace("why:", "order: per-job\nwhy:"))


def test_two_gates_are_not_released_at_once(spoiled: Spoil, complaint: First) -> None:
    text = spoiled("{worker: mail}", "{worker: mail, opts: {concurrency: 2}}")
    text = text.replace("- then: {return: 1}", "- gate: second\n    then: {return: 1}")
    text = text.replace("- until: {gate: first}", "- until: {gate: first}\n  - until: {gate: second}")
    found = complaint(text.replace("- release: first", "- release: first\n  - release: second"))
    assert "wait for the end of the one released before" in found.message


def test_what_is_shared_needs_no_wait_before_and_no_release(spoiled: Spoil) -> None:
    for share in ("first", "{gate: first, seed: 4}"):
        assert (
            lint(load_text(spoiled("  - until: {gate: first}\n", "").replace("release: first", f"share: {share}")))
            == ()
        )


def test_in_the_arm_shadow_the_other_sides_worker_outlives_a_kill(spoiled: Spoil, complaint: First) -> None:
    killed = spoiled("  - release: first", "  - kill: w\n  - release: first")
    assert "`w` is not open here" in complaint(killed).message
    shared = killed.replace("objects:", "arms: [shadow]\nobjects:")
    assert lint(load_text(shared)) == ()


def test_null_is_a_value_that_an_attempt_may_return(spoiled: Spoil) -> None:
    load_text(spoiled("{return: 1}", "{return: null}"))


def test_a_worker_that_dies_need_not_be_stopped(spoiled: Spoil) -> None:
    load_text(spoiled("{throw: boom}", "{die: true}").replace("  - stop: w\n", ""))


def test_a_job_added_to_an_open_worker_is_matched_by_name(spoiled: Spoil, complaint: First) -> None:
    add = "  - add: {on: q, as: j, name: n, data: {a: 1}, opts: {attempts: 2}}\n"
    found = complaint(spoiled(add, "").replace("  - start: w\n", f"  - start: w\n{add}"))
    assert "match it by `name`" in found.message and found.line == 10


def test_all_mistakes_are_named_at_once(spoiled: Spoil) -> None:
    from compat.scenarios import ScenarioError

    text = spoiled("covers: [T076]", "covers: [T999]").replace("- {job: j, state: completed}", "- {job: k, state: no}")
    with pytest.raises(ScenarioError) as raised:
        load_text(text)
    assert len(raised.value.complaints) == 3


HOLDING = """\
schema: 1
id: job/held
title: Whoever holds nothing shows nothing
covers: [T076]
arms: {arms}
objects:
  o: {holder}
steps:
  - capture: then
expect:
  - {{key: wait, exists: false}}
"""


@pytest.mark.parametrize(("holder", "arm"), [("{queue: mail}", "consume"), ("{worker: mail}", "produce")])
def test_an_arm_in_which_the_port_holds_nothing_is_refused(holder: str, arm: str, complaint: First) -> None:
    """A port that does nothing would pass there (T163)."""
    found = complaint(HOLDING.format(holder=holder, arms=f"[self, {arm}]"))
    assert found.line == 5 and f"in `{arm}` the port plays nothing" in found.message
    assert "plays nothing" not in str(lint_words(HOLDING.format(holder=holder, arms="[self]")))


def lint_words(text: str) -> list[str]:
    try:
        load_text(text)
    except ScenarioError as error:
        return [found.message for found in error.complaints]
    return []
