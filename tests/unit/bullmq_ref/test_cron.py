"""Cron slots against those that Node's cron-parser found: a table made by tests/data/cron_slots.mjs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bullmq_ref.cron import Cron, CronError
from bullmq_ref.zones import zone

TABLE: list[tuple[str, str, str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "cron_slots.json").read_text(encoding="utf-8")
)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def slots(pattern: str, tz: str, start: str, count: int = 6) -> Any:
    """As tests/data/cron_slots.mjs says it."""
    try:
        cron = Cron.parse(pattern)
    except CronError:
        return "refused"
    found: list[int] = []
    after = ms(start)
    while len(found) < count:
        try:
            after = cron.next(after, tz)
        except CronError:
            break
        found.append(after)
    return found


@pytest.mark.parametrize("pattern", list(dict.fromkeys(row[0] for row in TABLE)))
def test_the_slots_of_a_pattern_are_those_of_node(pattern: str) -> None:
    rows = [row for row in TABLE if row[0] == pattern]
    assert {(tz, start): slots(pattern, tz, start) for _, tz, start, _ in rows} == {
        (tz, start): answer for _, tz, start, answer in rows
    }


def test_the_table_has_patterns_zones_and_refusals_enough_to_mean_something() -> None:
    assert len({row[0] for row in TABLE if row[3] != "refused"}) >= 80
    assert len({row[1] for row in TABLE}) >= 15
    assert sum(row[3] == "refused" for row in TABLE) >= 40


def test_no_slot_comes_after_the_end() -> None:
    cron, at = Cron.parse("0 * * * *"), ms("2026-01-01T00:30:00Z")
    first = cron.next(at, "UTC")
    assert cron.next(at, "UTC", until=first) == first
    with pytest.raises(CronError, match="Out of the timespan range"):
        cron.next(at, "UTC", until=first - 1)


def test_a_refused_pattern_says_what_is_wrong_with_it() -> None:
    with pytest.raises(CronError, match="got value 61 expected range 0-59"):
        Cron.parse("61 * * * *")
    with pytest.raises(CronError, match='cannot resolve alias "foo"'):
        Cron.parse("0 0 1 foo *")


def test_an_unknown_time_zone_is_named_with_what_was_expected() -> None:
    with pytest.raises(ValueError, match="'Europe/Berln' is no time zone: expected an IANA name"):
        zone("Europe/Berln")


def test_the_machines_own_zone_is_used_where_none_is_named() -> None:
    at = ms("2026-06-01T12:00:00Z")
    assert zone(None)(at) == datetime.fromtimestamp(at / 1000).astimezone().utcoffset().total_seconds() * 1000  # type: ignore[union-attr]
