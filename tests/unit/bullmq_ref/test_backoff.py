"""How long a retry waits (T020, T021, T076–T086)."""

from __future__ import annotations

from typing import Any

import pytest

from bullmq_ref.backoff import delay, exponential
from bullmq_ref.connection import pause_after
from bullmq_ref.errors import BullMQError

BOOM = ValueError("boom")


async def test_fixed_and_exponential_delays() -> None:
    """(T078)"""
    assert await delay({"type": "fixed", "delay": 7}, 3, BOOM, None) == 7
    assert [await delay({"type": "exponential", "delay": 50}, n, BOOM, None) for n in (1, 2, 3)] == [50, 100, 200]
    assert await delay(None, 1, BOOM, None) == 0


async def test_jitter_stays_in_its_bounds_and_varies() -> None:
    """(T079)"""
    found = {await delay({"type": "fixed", "delay": 1000, "jitter": 0.5}, 1, BOOM, None) for _ in range(100)}
    assert all(500 <= wait <= 1000 for wait in found)
    assert len(found) > 1


async def test_the_longest_delay_caps_but_never_hides_a_refusal() -> None:
    """(T080)"""
    assert await delay({"type": "exponential", "delay": 1000}, 40, BOOM, None, longest=3_600_000) == 3_600_000

    def never(*_: Any) -> int:
        return -1

    assert await delay({"type": "mine"}, 1, BOOM, None, never, longest=10) == -1


async def test_a_custom_strategy_gets_the_attempt_type_error_and_job() -> None:
    """(T081)"""
    seen: list[Any] = []

    async def strategy(*args: Any) -> int:
        seen.extend(args)
        return 12

    assert await delay({"type": "mine"}, 2, BOOM, "job", strategy) == 12
    assert seen == [2, "mine", BOOM, "job"]


async def test_an_unknown_type_is_told() -> None:
    with pytest.raises(BullMQError, match=r"^Unknown backoff strategy odd\."):
        await delay({"type": "odd"}, 1, BOOM, None)


def test_no_attempt_overflows() -> None:
    assert exponential(1000, 10_000) > 0


def test_reconnecting_pauses_double_to_half_a_minute() -> None:
    """(T127)"""
    found = [pause_after(attempts) for attempts in range(1, 13)]
    for pause, nominal in zip(found, [0.1 * 2**n for n in range(9)], strict=False):
        assert 0.8 * nominal <= pause <= 1.2 * nominal
    assert all(24 <= pause <= 36 for pause in found[9:])
