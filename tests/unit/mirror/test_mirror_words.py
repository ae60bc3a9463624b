"""The mirror's words."""

from __future__ import annotations

from collections import Counter

from compat.mirror.mirror import Counts
from compat.mirror.model import Divergence, Gap, Unread
from compat.mirror.words import record, summary, told


def test_a_divergence_is_told_with_its_place_and_both_sides() -> None:
    found = Divergence("7", "sum", "m-1-0", "returnvalue", "6", "5", "root['total']")
    assert list(told(found)) == [
        "returnvalue root['total']: job 7 (sum), replayed as m-1-0",
        "  production  6",
        "  new worker  5",
    ]
    assert record(found)["type"] == "divergence"


def test_a_gap_tells_how_much_is_missing_or_that_nobody_knows() -> None:
    assert "read: 1,200" in next(told(Gap("1-0", "9-0", 1_200)))
    assert "nobody knows" in next(told(Gap("1-0", "9-0", None)))


def test_names_from_production_cannot_act_on_a_terminal() -> None:
    lines = told(Divergence("\x1b[31m7", "n\nm", "m-1-0", "attempts", "1", "2"))
    assert not any("\x1b" in line or "\n" in line for line in lines)


def test_the_summary_counts_all_and_names_some() -> None:
    counts = Counts(50, 12, 10, 2, 1, 1, 30, Counter({"gone": 2}), Counter({"attempts": 2, "duration": 1}))
    assert list(summary(counts, 2, {"gone": ["7"]})) == [
        "50 events read, 12 jobs replayed, 10 compared",
        "not compared: 2 jobs",
        "  2: gone: 7, …",
        "trimmed before they were read: 30 events at least, in 1 gap",
        "2 replays had not ended; the next mirror compares them",
        "1 job took another class of time",
        "2 jobs came to another end: attempts 2",
    ]
    assert list(summary(Counts(), 0, {}))[-1] == "no divergence"
    assert list(told(Unread("7", "gone"))) == []
