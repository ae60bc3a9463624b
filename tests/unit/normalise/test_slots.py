"""Slots: those that count from the clock are named, those of the calendar are exact, and nothing is hidden."""

from __future__ import annotations

import json
from typing import Any

import pytest

from compat.model.capture import Capture, Key, StreamEntry
from compat.model.cell import Cell
from compat.model.history import History, Implementation, Outcome
from compat.model.scenario import ObjectSpec, Scenario
from compat.normalise import Place, canonical
from compat.normalise.clock import Clock
from compat.normalise.slots import Slots

START = 1_795_501_234_567
FIRST = START + 15  # the slot that the script took from the clock
HOUR = 3_600_000
CALENDAR = 1_899_999_000_000
NODE = Implementation("bullmq", "5.62.0", "javascript", "5.62.0")
MAIL = Scenario(
    schema=1,
    id="made/up",
    title="t",
    covers=("FR-8",),
    objects={"q": ObjectSpec(queue="mail")},
    steps=(),
    expect=(),
)


def upserted(slot: int, repeat: dict[str, Any], *, key: str = "s", sent: float = START + 10) -> Outcome:
    view = {"id": f"repeat:{key}:{slot}", "name": "n", "opts": {"repeat": repeat}}
    return Outcome(0, "oracle", "queue.upsertJobScheduler", sent, sent + 10, None, "mail", view)


def history(*outcomes: Outcome, keys: dict[str, Key] | None = None) -> History:
    named = {f"{{p-1}}:mail:{name}": key for name, key in (keys or {}).items()}
    captures = (Capture("end", 1, START + 500, "{p-1}", named),)
    cell = Cell(MAIL.id, "oracle", "single")
    return History(cell, "{p-1}", START, START + 600, {"oracle": NODE}, captures=captures, outcomes=outcomes)


def test_the_first_slot_of_an_interval_is_named_and_the_others_count_from_it() -> None:
    slots = Slots(history(upserted(FIRST, {"every": HOUR})))
    assert slots.name("s", FIRST) == "<first>"
    assert slots.name("s", FIRST + 3 * HOUR) == f"<first>+{3 * HOUR}"
    assert slots.name("s", FIRST + 3 * HOUR + 1) == f"<first>+{3 * HOUR + 1}"
    assert slots.name("other", FIRST) == str(FIRST)
    assert slots.renamed(f"a repeat:s:{FIRST} b") == "a repeat:s:<first> b"


@pytest.mark.parametrize("late", [-30, 30])
def test_a_first_slot_outside_the_window_of_its_call_stays_literal(late: int) -> None:
    slots = Slots(history(upserted(FIRST + late, {"every": HOUR})))
    assert slots.name("s", FIRST + late) == str(FIRST + late)


def test_slots_of_the_calendar_are_literal() -> None:
    slots = Slots(history(upserted(CALENDAR, {"pattern": "0 * * * *"}), upserted(CALENDAR, {"every": HOUR}, key="e")))
    assert slots.name("s", CALENDAR) == slots.name("e", CALENDAR) == str(CALENDAR)
    assert slots.renamed(f"repeat:s:{CALENDAR}") == f"repeat:s:{CALENDAR}"


def test_a_pattern_that_began_at_once_goes_on_in_the_calendar() -> None:
    slots = Slots(history(upserted(FIRST, {"pattern": "0 * * * *"})))
    assert slots.name("s", FIRST) == "<first>"
    assert slots.name("s", CALENDAR) == str(CALENDAR)


def test_a_scheduler_that_is_made_again_has_a_second_first_slot() -> None:
    again = FIRST + 77_777
    outcomes = upserted(FIRST, {"every": HOUR}), upserted(again, {"every": HOUR}, sent=again - 5)
    slots = Slots(history(*outcomes))
    assert slots.name("s", again) == "<first 2>"
    assert slots.name("s", again + HOUR) == f"<first 2>+{HOUR}"
    assert slots.name("s", FIRST + HOUR) == f"<first>+{HOUR}"


def test_a_phase_is_named_only_when_it_is_the_first_slots() -> None:
    slots = Slots(history(upserted(FIRST, {"every": HOUR})))
    assert slots.phase("s", FIRST % HOUR, HOUR) == f"<phase of {HOUR}>"
    assert slots.phase("s", FIRST % HOUR, 60_000) == f"<phase of {HOUR}>"  # kept from the interval before
    assert slots.phase("s", FIRST % HOUR + 1, HOUR) == FIRST % HOUR + 1
    assert slots.phase("t", 0, HOUR) == 0
    assert slots.phase("s", "x", None) == "x"
    assert slots.phase("s", str(FIRST % HOUR), HOUR) == str(FIRST % HOUR)  # a text is no number


def iterated(**changes: str) -> dict[str, Key]:
    """What a scheduler's first job leaves; its second is delayed."""
    slot, made = FIRST + HOUR, FIRST + 40
    repeat = {"every": HOUR, "count": 2}
    opts = json.dumps({"repeat": repeat, "timestamp": made - 1, "delay": slot - made, "jobId": f"repeat:s:{slot}"})
    fields = {"name": "n", "data": "{}", "opts": opts, "timestamp": str(made), "delay": str(slot - made), "rjk": "s"}
    record = {"name": "n", "every": str(HOUR), "offset": str(FIRST % HOUR), "ic": "2", "data": '{"a":1}'}
    told = (("event", "added"), ("jobId", f"repeat:s:{slot}"), ("name", "n"))
    delayed = (("event", "delayed"), ("jobId", f"repeat:s:{slot}"), ("delay", changes.pop("told", str(slot))))
    return {
        "repeat": Key("zset", scores=(("s", float(changes.pop("score", str(slot)))),)),
        "repeat:s": Key("hash", fields={**record, **{k: v for k, v in changes.items() if k in record}}),
        f"repeat:s:{slot}": Key("hash", fields={**fields, **{k: v for k, v in changes.items() if k not in record}}),
        "delayed": Key("zset", scores=((f"repeat:s:{slot}", float(changes.pop("due", str(slot))) * 4096),)),
        "events": Key("stream", entries=(StreamEntry(f"{made}-0", told), StreamEntry(f"{made}-1", delayed))),
    }


def test_an_iteration_is_told_by_its_slot_in_every_place() -> None:
    seen = canonical(MAIL, history(upserted(FIRST, {"every": HOUR}), keys=iterated())).values
    job = f"repeat:s:<first>+{HOUR}"
    assert seen[Place("end", "job.delay", "mail", job)] == "<until due>"
    assert seen[Place("end", "job.opts", "mail", job)] == {
        "repeat": {"every": HOUR, "count": 2},
        "timestamp": "<instant>",
        "delay": "<until due>",
        "jobId": job,
    }
    assert seen[Place("end", "delayed", "mail")] == {"<due>": [job]}
    assert seen[Place("end", "repeat", "mail")] == {"s": f"<first>+{HOUR}"}
    assert seen[Place("end", "repeat", "mail", "s")] == {
        "name": "n",
        "every": str(HOUR),
        "offset": f"<phase of {HOUR}>",
        "ic": "2",
        "data": {"a": 1},
    }
    assert seen[Place("end", "events", "mail")][1] == {"event": "delayed", "jobId": job, "delay": "<due>"}


def test_a_previous_slot_is_told_from_a_time_that_was_read_from_the_clock() -> None:
    """Later ports note when they made the job, where Node notes its slot."""
    slots, clock = Slots(history(upserted(FIRST, {"every": HOUR}))), Clock(history())
    told = [
        slots.options(f"repeat:s:{FIRST + HOUR}", {"prevMillis": ms}, clock, START + 500, lambda at: True)["prevMillis"]
        for ms in (FIRST + HOUR, START + 30, CALENDAR)
    ]
    assert told == ["<slot>", "<instant>", CALENDAR]


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("delay", str(HOUR)),
        ("timestamp", str(FIRST + 41)),
        ("score", str(FIRST + HOUR + 1)),
        ("due", str(FIRST + HOUR + 1)),
        ("told", str(FIRST + HOUR + 1)),
        ("offset", "0"),
        ("ic", "3"),
        ("every", "60000"),
        ("data", '{"a": 1}'),
        ("rjk", "t"),
    ],
)
def test_every_change_of_an_iteration_or_its_record_is_noticed(field: str, other: str) -> None:
    made = upserted(FIRST, {"every": HOUR})
    both = iterated(), iterated(**{field: other})
    one, changed = (canonical(MAIL, history(made, keys=keys)).values for keys in both)
    assert one != changed
