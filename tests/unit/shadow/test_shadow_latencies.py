"""Latencies: from a stream to what each side's jobs waited and took."""

from __future__ import annotations

import pytest

from compat.model.capture import StreamEntry
from compat.model.cell import Side
from compat.shadow.latencies import Latencies, latencies, quantile

ROWS = (
    (100, "added", "a"),
    (105, "waiting", "a"),
    (110, "active", "a"),
    (130, "completed", "a"),
    (140, "added", "b"),
    (150, "active", "b"),
    (155, "delayed", "b"),  # to be tried again: no end
    (200, "active", "b"),
    (230, "failed", "b"),
)
STARTERS: dict[str, tuple[Side, ...]] = {"a": ("oracle",), "b": ("port", "oracle")}


def found(starters: dict[str, tuple[Side, ...]], *delayed: str) -> dict[Side, Latencies]:
    entries = [StreamEntry(f"{at}-0", (("event", event), ("jobId", job))) for at, event, job in ROWS]
    return latencies(entries, starters, frozenset(delayed))


def test_waiting_is_the_first_starters_and_work_the_last_ones() -> None:
    assert found(STARTERS) == {"oracle": Latencies((10,), (20, 30)), "port": Latencies((10,), ())}


def test_a_job_that_was_told_to_wait_did_not_wait_for_a_worker() -> None:
    assert found(STARTERS, "b")["port"] == Latencies((), ())


def test_a_start_that_no_call_belongs_to_is_nobodys() -> None:
    assert found({"a": ("oracle",)}) == {"oracle": Latencies((10,), (20,)), "port": Latencies((), ())}


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (99, 99), (100, 100), (0, 1)])
def test_a_quantile_is_a_value_that_was_measured(percent: int, value: int) -> None:
    assert quantile(tuple(range(100, 0, -1)), percent) == value


def test_there_is_no_quantile_of_nothing() -> None:
    assert quantile((), 50) is None
    assert quantile((7,), 99) == 7
