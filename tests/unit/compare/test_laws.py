"""Laws: each is kept by a sound history, and each is seen to be broken."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from compat.compare import LAWS, broken_laws
from compat.model.capture import Key, StreamEntry
from compat.model.cell import Cell
from compat.model.history import History
from compat.model.scenario import Scenario

Make = Callable[..., History]
Replace = Callable[[History, dict[str, Key | None]], History]
Variant = Callable[..., Scenario]


def laws(scenario: Scenario, history: History) -> set[str]:
    return {broken.law for broken in broken_laws(scenario, history)}


def stream(*rows: str) -> Key:
    """`event job prev`, one a millisecond."""
    entries = []
    for number, row in enumerate(rows):
        event, job, *prev = row.split()
        fields = (("event", event), ("jobId", job), *(("prev", text) for text in prev))
        entries.append(StreamEntry(f"{1_795_500_000_000 + number}-0", fields))
    return Key("stream", entries=tuple(entries))


def test_a_sound_history_breaks_no_law(busy: Scenario, history: Make) -> None:
    assert broken_laws(busy, history()) == ()


def test_a_job_in_two_states_breaks_a_law(busy: Scenario, history: Make, with_keys: Replace) -> None:
    (one,) = broken_laws(busy, with_keys(history(), {"wait": Key("list", items=("1",))}))
    assert (one.law, one.capture, one.words) == ("one-state", "end", "mail: job j stands in wait and failed")


def test_a_job_twice_in_a_list_breaks_a_law(busy: Scenario, history: Make, with_keys: Replace) -> None:
    assert laws(busy, with_keys(history(), {"active": Key("list", items=("6", "6"))})) == {"one-state"}


def test_a_job_that_vanished_breaks_a_law(busy: Scenario, history: Make, with_keys: Replace) -> None:
    (one,) = broken_laws(busy, with_keys(history(), {"3": None, "delayed": Key("zset", scores=(("4", 1.0),))}))
    assert (one.law, one.words) == ("nothing-lost", "mail: job d was added and is nowhere; its last event is `delayed`")


def test_a_hash_without_a_state_breaks_a_law(busy: Scenario, history: Make, with_keys: Replace) -> None:
    changed = with_keys(history(), {"completed": None})
    assert laws(busy, changed) == {"no-stranded-hash"}


def test_an_id_without_a_hash_breaks_a_law(busy: Scenario, history: Make, with_keys: Replace) -> None:
    """The reproduced loss of jobs when two versions pause and resume."""
    assert laws(busy, with_keys(history(), {"wait": Key("list", items=("99",))})) == {"no-dangling-member"}


def test_a_lock_of_a_job_that_is_not_active_breaks_a_law(busy: Scenario, history: Make, with_keys: Replace) -> None:
    changed = with_keys(history(), {"1:lock": Key("string", text="t", ttl_ms=1)})
    assert laws(busy, changed) == {"no-orphan-lock"}


def test_two_ends_of_one_run_break_a_law(busy: Scenario, history: Make, with_keys: Replace) -> None:
    rows = ("added 2", "waiting 2", "active 2 waiting", "completed 2 active", "completed 2 active")
    assert laws(busy, with_keys(history(), {"events": stream(*rows)})) == {"finished-once", "legal-life"}


@pytest.mark.parametrize(
    "rows",
    [
        ("added 1", "waiting 1", "active 1 waiting", "failed 1 active", "waiting 1 failed", "active 1 waiting"),
        ("added 1", "waiting 1", "active 1 waiting", "waiting 1 active", "stalled 1", "active 1 waiting"),
        ("added 1", "waiting 1", "removed 1 wait", "added 1", "waiting 1", "duplicated 1", "progress 1"),
        ("added 1", "waiting 1", "active 1 waiting", "completed 1 active", "added 1", "delayed 1"),
        ("active 1 waiting", "completed 1 active"),
        ("added 1", "waiting-children 1", "waiting 1 waiting-children", "active 1 waiting"),
        ("added 1", "waiting 1", "active 1 waiting", "delayed 1", "delayed 1", "waiting 1 delayed", "debounced 1"),
    ],
)
def test_a_life_that_bullmq_allows_is_legal(
    busy: Scenario, history: Make, with_keys: Replace, rows: tuple[str, ...]
) -> None:
    assert "legal-life" not in laws(busy, with_keys(history(), {"events": stream(*rows)}))


@pytest.mark.parametrize(
    "rows",
    [
        ("added 1", "active 1 waiting"),
        ("added 1", "waiting 1", "completed 1 active"),
        ("added 1", "waiting 1", "waiting 1"),
        ("added 1", "waiting 1", "active 1 prioritized"),
        ("added 1", "waiting 1", "added 1"),
        ("added 1", "waiting 1", "retries-exhausted 1"),
        ("added 1", "waiting 1 delayed"),
    ],
)
def test_a_life_that_bullmq_never_writes_is_illegal(
    busy: Scenario, history: Make, with_keys: Replace, rows: tuple[str, ...]
) -> None:
    assert "legal-life" in laws(busy, with_keys(history(), {"events": stream(*rows)}))


def test_a_job_finished_before_it_was_processed_breaks_a_law(busy: Scenario, history: Make, with_keys: Replace) -> None:
    one = history()
    fields = {**one.captures[0].keys["{made-1}:mail:2"].fields, "processedOn": "1795500000150"}
    (broken,) = broken_laws(busy, with_keys(one, {"2": Key("hash", fields=fields)}))
    assert (broken.law, broken.words) == ("time-order", "mail: job c: finishedOn is 89 ms before processedOn")


def test_keys_of_a_queue_in_several_slots_break_a_law_on_a_cluster(busy: Scenario, history: Make) -> None:
    """T112."""
    untagged = history(prefix="made-1")
    assert broken_laws(busy, untagged) == ()
    cell = Cell("made/up", "oracle", "cluster")
    assert laws(busy, msgspec.structs.replace(untagged, cell=cell)) == {"one-slot"}
    assert broken_laws(busy, msgspec.structs.replace(history(), cell=cell)) == ()


def test_what_is_written_outside_breaks_a_law(busy: Scenario, history: Make, with_keys: Replace) -> None:
    assert laws(busy, with_keys(history(), {"a:b": Key("string")})) == {"outside"}
    assert laws(busy, msgspec.structs.replace(history(), denied=("elsewhere",))) == {"outside"}


def test_a_law_that_a_scenario_excepts_is_not_held_against_it(
    variant: Variant, history: Make, with_keys: Replace
) -> None:
    broken = with_keys(history(), {"completed": None})
    assert broken_laws(variant(laws={"except": {"no-stranded-hash": "Node does so, too."}}), broken) == ()


def test_every_law_says_what_it_is_for() -> None:
    assert all((law.__doc__ and ": else" in law.__doc__) or "come out" in (law.__doc__ or "") for law in LAWS.values())
