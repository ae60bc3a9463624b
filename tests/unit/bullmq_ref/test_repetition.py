"""When a job comes again: dates, counts, ends, and the default strategies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from bullmq_ref import RepeatOptions, clock
from bullmq_ref.errors import Invalid
from bullmq_ref.options import repeat_options
from bullmq_ref.repetition import ask, check_end, dated, given, iteration, ms, next_in_pattern, next_repeat

NOW = 1_799_568_010_000  # 2027-01-10T08:00:10Z
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def _stopped_clock() -> Iterator[None]:
    clock.use(lambda: NOW)
    yield
    clock.use()


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (NOW, NOW),
        (NOW + 0.5, NOW + 0.5),
        ("2027-01-10T08:00:10Z", NOW),
        ("2027-01-10T10:00:10+02:00", NOW),
        ("2027-01-10", NOW - 8 * HOUR - 10_000),
        ("2039-03-08T19:46:13.411Z", 2_183_226_373_411),  # seconds as a float times 1000 are less
        ("1969-12-31T23:59:59.999500Z", -1),
        (datetime(2027, 1, 10, 8, 0, 10, tzinfo=UTC), NOW),
        (datetime(2027, 1, 10, 9, 0, 10, tzinfo=timezone(timedelta(hours=1))), NOW),
    ],
)
def test_a_date_may_be_ms_text_or_a_datetime(date: Any, expected: float) -> None:
    assert ms(date) == expected


@pytest.mark.parametrize(("date", "seen"), [("soon", "'soon' is no date"), (True, "got True"), ([1], r"got \[1\]")])
def test_what_is_no_date_is_refused_and_shown(date: Any, seen: str) -> None:
    with pytest.raises(Invalid, match=seen):
        ms(date)


def test_dates_are_stored_in_ms_and_immediately_is_not_stored() -> None:
    repeat = repeat_options(
        RepeatOptions(every=5, start_date="2027-01-10T08:00:10Z", end_date=NOW + 1, immediately=True)
    )
    assert dated(given(repeat)) == {"every": 5, "startDate": NOW, "endDate": NOW + 1}


def test_iterations_are_counted_from_one_up_to_the_limit() -> None:
    assert iteration({}) == 1
    assert iteration({"count": 4}) == 5
    assert iteration({"limit": 2, "count": 1}) == 2
    assert iteration({"limit": 2, "count": 2}) is None


def test_nothing_comes_after_the_end() -> None:
    assert iteration({"endDate": NOW}) == 1
    assert iteration({"endDate": NOW - 1}) is None
    check_end({"endDate": NOW})
    with pytest.raises(Invalid, match="End date must be greater than current timestamp") as raised:
        check_end({"endDate": NOW - 1})
    assert (raised.value.symbol, raised.value.field) == ("EndDatePast", "endDate")


def test_a_pattern_is_searched_after_the_time_given_or_the_start() -> None:
    hourly = {"pattern": "0 * * * *", "tz": "UTC"}
    assert next_in_pattern(NOW, hourly) == NOW - 10_000 + HOUR
    assert next_in_pattern(NOW, {**hourly, "startDate": NOW + 2 * HOUR}) == NOW - 10_000 + 3 * HOUR
    assert next_in_pattern(NOW, {**hourly, "startDate": NOW - 2 * HOUR}) == NOW - 10_000 + HOUR
    assert next_in_pattern(NOW, {**hourly, "endDate": NOW + 1}) is None
    assert next_in_pattern(NOW + 5 * HOUR, {**hourly, "immediately": True}) == NOW
    assert next_in_pattern(NOW, {"pattern": "0 12 * * *", "utc": True, "tz": "Asia/Tokyo"}) == NOW - 10_000 + 4 * HOUR


@pytest.mark.parametrize(
    "repeat",
    [
        {"pattern": "61 * * * *"},
        {},
        {"pattern": "* * * * *", "tz": "Mars/Olympus"},
        {"pattern": "* * * * *", "tz": "Mars/Olympus", "immediately": True},
    ],
)
def test_what_cron_cannot_read_is_refused(repeat: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as raised:
        next_in_pattern(NOW, repeat)
    assert (raised.value.symbol, raised.value.field) == ("CronInvalid", "pattern")


def test_a_repeatable_job_comes_at_the_multiples_of_its_interval() -> None:
    assert next_repeat(NOW, {"every": HOUR}) == NOW - 10_000 + HOUR
    assert next_repeat(NOW, {"every": HOUR, "immediately": True}) == NOW - 10_000
    assert next_repeat(NOW, {"pattern": "0 * * * *", "tz": "UTC"}) == NOW - 10_000 + HOUR
    with pytest.raises(Invalid, match=r"Both \.pattern and \.every options are defined for this repeatable job"):
        next_repeat(NOW, {"every": HOUR, "pattern": "* * * * *"})


async def test_a_strategy_may_answer_at_once_or_later() -> None:
    async def later(after: float, repeat: Any, name: str) -> float:
        return after + repeat["every"] + len(name)

    assert await ask(later, 1, {"every": 10}, "four") == 15
    assert await ask(lambda after, repeat, name: None, 1, {}, "") is None
