"""Options: names, defaults, bounds (T010–T014, T026–T038)."""

from __future__ import annotations

from typing import Any

import pytest

from bullmq_ref.errors import Invalid
from bullmq_ref.jsjson import UNDEFINED
from bullmq_ref.options import (
    Backoff,
    JobOptions,
    Keep,
    Limits,
    WorkerOptions,
    decoded,
    encoded,
    job_options,
    normalised,
    validate,
)


def test_python_names_and_nodes_names_say_the_same() -> None:
    typed = JobOptions(attempts=3, backoff=Backoff(type="fixed", delay=5), remove_on_complete=Keep(count=2))
    mapping = {"attempts": 3, "backoff": {"type": "fixed", "delay": 5}, "removeOnComplete": {"count": 2}}
    assert job_options(typed, {}) == mapping == job_options(mapping, {})
    assert job_options(mapping, {"attempts": 4})["attempts"] == 4


def test_an_unknown_keyword_is_named() -> None:
    with pytest.raises(Invalid, match="atempts"):
        job_options(None, {"atempts": 3})


def test_attempts_are_always_there_and_backoff_is_an_object() -> None:
    assert normalised({"backoff": 1000, "repeatJobKey": "r"}) == {
        "attempts": 0,
        "backoff": {"type": "fixed", "delay": 1000},
    }


def test_stored_names_are_short_and_undefined_is_dropped() -> None:
    options = {"keepLogs": 5, "deduplication": {"id": "d"}, "failParentOnFailure": True, "x": UNDEFINED, "y": None}
    stored = {"kl": 5, "de": {"id": "d"}, "fpof": True, "y": None}
    assert encoded(options) == stored
    assert decoded(stored) == {k: v for k, v in options.items() if k != "x"}
    telemetry = {"telemetry": {"metadata": "m", "omitContext": True}}
    assert encoded(telemetry) == {"tm": "m", "omc": True}
    assert decoded(encoded(telemetry)) == telemetry


@pytest.mark.parametrize(
    ("options", "symbol", "text"),
    [
        ({"priority": 1.5}, "PriorityNotInteger", "Priority should not be float"),
        ({"priority": 2097153}, "PriorityOutOfRange", "Priority should be between 0 and 2097152"),
        ({"jobId": "12"}, "JobIdInteger", "Custom Id cannot be integers"),
        ({"jobId": "-1"}, "JobIdInteger", "Custom Id cannot be integers"),
        ({"jobId": "9007199254740992"}, "JobIdInteger", "Custom Id cannot be integers"),
        ({"jobId": "1234567890123456800"}, "JobIdInteger", "Custom Id cannot be integers"),
        ({"jobId": "NaN"}, "JobIdInteger", "Custom Id cannot be integers"),
        ({"jobId": "a:b"}, "JobIdColon", "Custom Id cannot contain :"),
        ({"sizeLimit": 3}, "SizeLimitExceeded", "The size of job n exceeds the limit 3 bytes"),
        ({"deduplication": {}}, "DeduplicationIdMissing", "Deduplication id must be provided"),
        ({"debounce": {"id": ""}}, "DebounceIdMissing", "Debounce id must be provided"),
        ({"backoff": {"type": "fixed", "jitter": 1.1}}, "JitterOutOfRange", "Jitter should be between 0 and 1"),
        (
            {"failParentOnFailure": True, "removeDependencyOnFailure": True},
            "ExclusiveParentOptions",
            "The following options cannot be used together: removeDependencyOnFailure, failParentOnFailure",
        ),
    ],
)
def test_each_refusal_has_nodes_text_and_a_symbol(options: dict[str, Any], symbol: str, text: str) -> None:
    """(T032)"""
    with pytest.raises(Invalid) as raised:
        validate("n", '{"ü":1}', options)
    assert (raised.value.symbol, str(raised.value)) == (symbol, text)


@pytest.mark.parametrize(
    "options",
    [
        {"jobId": "01"},
        {"jobId": "9007199254740993"},
        {"jobId": "1234567890123456768"},  # a double, but JavaScript shows that one as 1234567890123456800
        {"jobId": "1000000000000000000000"},
        {"jobId": "a:b:c"},
        {"jobId": ""},
        {"priority": -1},
    ],
)
def test_what_node_accepts_passes(options: dict[str, Any]) -> None:
    validate("n", "{}", options)
    Limits.node().check("n", "{}", options)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"delay": -1}, "delay"),
        ({"attempts": -1}, "attempts"),
        ({"priority": -1}, "priority"),
        ({"backoff": {"type": "fibonacci"}}, "backoff.type"),
    ],
)
def test_the_librarys_own_bounds_name_the_field(options: dict[str, Any], field: str) -> None:
    """(T032)"""
    with pytest.raises(Invalid) as raised:
        Limits().check("n", "{}", options)
    assert raised.value.field == field
    assert raised.value.bound is not None


def test_a_payload_over_ten_mebibytes_is_refused_with_size_and_limit() -> None:
    """(T031)"""
    with pytest.raises(Invalid, match=r"exceeds the limit 10485760 bytes: it takes 10485762 bytes"):
        Limits().check("n", "x" * 10485760, {})
    Limits(custom_backoffs=frozenset({"mine"})).check("n", "{}", {"backoff": {"type": "mine"}})


@pytest.mark.parametrize(
    ("options", "symbol"),
    [
        ({"concurrency": 0}, "ConcurrencyInvalid"),
        ({"concurrency": float("inf")}, "ConcurrencyInvalid"),
        ({"drainDelay": 0}, "DrainDelayInvalid"),
        ({"stalledInterval": 0}, "StalledIntervalInvalid"),
        ({"maxStalledCount": -1}, "MaxStalledCountInvalid"),
        ({"maxStartedAttempts": -1}, "MaxStartedAttemptsInvalid"),
    ],
)
def test_a_workers_options_are_checked(options: dict[str, Any], symbol: str) -> None:
    with pytest.raises(Invalid) as raised:
        WorkerOptions.of(options, {})
    assert raised.value.symbol == symbol


def test_a_worker_renews_by_half_of_the_locks_duration() -> None:
    assert WorkerOptions.of({"lockDuration": 800}, {}).renew_time == 400
