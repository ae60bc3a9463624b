"""Notes of the servers' logs become lines hit, lines missed and lines excused."""

import pytest

from compat.coverage.hits import hits
from compat.coverage.unreached import UNREACHED
from compat.report.coverage import spans

LINES = {"addLog": (1, 2, 4), "pause": (1, 3)}


def note(script: int, line: int) -> str:
    return f"4711:M 24 Nov 2026 08:20:00.123 # lines {script} {line}"


def test_what_is_noted_is_hit_and_the_rest_is_missed() -> None:
    addLog, pause = hits(LINES, [note(0, 1), note(0, 4), note(0, 4), note(1, 3), "something else"])
    assert (addLog.hit, addLog.missed) == (2, (2,))
    assert (pause.hit, pause.missed, pause.reachable) == (1, (1,), 2)


def test_an_excused_line_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UNREACHED, "addLog", {"2": "nobody calls it"})
    addLog, _ = hits(LINES, [note(0, 1), note(0, 4)])
    assert (addLog.hit, addLog.reachable, addLog.missed) == (2, 2, ())
    assert addLog.stale == ()


def test_an_excuse_for_a_line_that_was_hit_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UNREACHED, "addLog", {"1-2": "nobody calls it", "9": "there is no such statement"})
    addLog, _ = hits(LINES, [note(0, 1), note(0, 2), note(0, 4)])
    assert (addLog.hit, addLog.reachable) == (3, 3)
    assert addLog.stale == (1, 2, 9)


def test_neighbouring_lines_are_told_as_spans() -> None:
    assert spans((1, 2, 4, 9, 12, 14)) == "1-4 9 12-14"
