"""Cron slots against a running Node, pattern by pattern and zone by zone."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

from bullmq_ref.cron import Cron, CronError

DATA = Path(__file__).parents[2] / "data"

#: Moments shortly before the clocks change (or a leap day, or a month's end), by zone.
STARTS = (
    ("UTC", "2027-12-30T22:00:00Z"),
    ("Europe/Berlin", "2026-03-28T22:10:00Z"),
    ("Europe/Berlin", "2026-10-24T23:59:59.999Z"),
    ("America/New_York", "2026-03-08T03:00:00Z"),
    ("America/New_York", "2026-11-01T05:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T12:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T13:00:00Z"),
    ("Asia/Kolkata", "2028-02-28T18:29:59Z"),
    ("America/Sao_Paulo", "2018-11-03T20:30:00Z"),
)


def ask_node(cases: list[list[Any]]) -> list[Any]:
    script = DATA / "cron_slots.mjs"
    done = subprocess.run(["node", script], input=json.dumps(cases), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [row[3] for row in json.loads(done.stdout)]


def ask_ours(pattern: str, tz: str, start: str) -> Any:
    try:
        cron = Cron.parse(pattern)
    except CronError:
        return "refused"
    found: list[int] = []
    after = round(datetime.fromisoformat(start).timestamp() * 1000)
    while len(found) < 6:
        try:
            after = cron.next(after, tz)
        except CronError:
            break
        found.append(after)
    return found


def test_every_pattern_has_the_slots_that_node_finds_in_every_zone() -> None:
    table = json.loads((DATA / "cron_slots.json").read_text(encoding="utf-8"))
    known: dict[str, Any] = {row[0]: row[3] for row in table}
    going = [pattern for pattern, answer in known.items() if answer not in ("refused", [])]
    cases: list[list[Any]] = [[pattern, tz, start] for pattern in going for tz, start in STARTS]
    cases += [[pattern, "UTC", "2026-01-01T00:00:00Z"] for pattern in known.keys() - set(going)]

    answers = ask_node(cases)

    wrong = [(case, answer, ask_ours(*case)) for case, answer in zip(cases, answers, strict=True)]
    assert [row for row in wrong if row[1] != row[2]] == []


def test_the_table_of_the_unit_test_is_what_node_says_today() -> None:
    table = json.loads((DATA / "cron_slots.json").read_text(encoding="utf-8"))
    mixed = table[::7]  # all of it is the test above's business
    assert ask_node([row[:3] for row in mixed]) == [row[3] for row in mixed]
