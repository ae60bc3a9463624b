"""Twins: what is compared of two jobs of one payload, and what is their own."""

from __future__ import annotations

from typing import Any

import pytest

from compat.model.capture import Key
from compat.shadow.twins import Outcome, divergences, outcome

SINCE, UNTIL = 1_795_500_000_000, 1_795_500_060_000
FIELDS = {
    "name": "job-1",
    "data": '{"a":1}',
    "opts": '{"attempts":2,"priority":1}',
    "timestamp": str(SINCE + 5),
    "processedOn": str(SINCE + 7),
    "finishedOn": str(SINCE + 9),
    "pb": "worker-1",
    "ats": "2",
    "atm": "2",
    "returnvalue": '{"ok":true}',
    "failedReason": "boom",
    "stacktrace": '["Error: boom\\n  at somewhere"]',
}


def left(state: str = "completed", logs: tuple[str, ...] = (), **fields: str | None) -> Outcome:
    """What a job left with these fields instead of `FIELDS`; None: without."""
    held = {name: text for name, text in {**FIELDS, **fields}.items() if text is not None}
    keys = {f"p:q:{state}": Key("zset", scores=(("9", 1.0),)), "p:q:9": Key("hash", fields=held)}
    if logs:
        keys["p:q:9:logs"] = Key("list", items=logs)
    return outcome(keys, "p:q", "9", SINCE, UNTIL)


def differing(port: Outcome, **how: Any) -> dict[str, tuple[str, str]]:
    return {d.what: (d.oracle, d.port) for d in divergences(1, left(), port, **how)}


def test_names_times_workers_and_frames_are_a_jobs_own() -> None:
    other = left(
        name="twin-1", timestamp=str(SINCE + 50), processedOn=str(SINCE + 60), pb="w", stacktrace='["mine\\nline 1"]'
    )
    assert differing(other) == {}


@pytest.mark.parametrize(
    ("port", "what", "values"),
    [
        (left("failed"), "job.state", ("`completed`", "`failed`")),
        (left(failedReason='"boom"'), "job.failedReason", ("`boom`", '`"boom"`')),
        (left(failedReason=None), "job.failedReason", ("`boom`", "nothing")),
        (left(returnvalue='{"ok":1}'), "job.returnvalue", ("{ok: true}", "{ok: 1}")),
        (left(returnvalue="ok"), "job.returnvalue", ("{ok: true}", "`<not JSON: ok>`")),
        (left(returnvalue='{"ok": true}'), "job.returnvalue.bytes", ('`{"ok":true}`', '`{"ok": true}`')),
        (left(opts='{"attempts":2}'), "job.opts", ("{attempts: 2, priority: 1}", "{attempts: 2}")),
        (left(atm="1"), "job.atm", ("`2`", "`1`")),
        (left(stacktrace="[]"), "job.stacktrace", ("`<1 stack traces>`", "`<0 stack traces>`")),
        (left(finishedOn="17955"), "job.finishedOn", ("`<instant>`", "`17955`")),
        (left(logs=("one",)), "job.logs", ("[]", "[`one`]")),
    ],
)
def test_every_other_difference_is_told_once(port: Outcome, what: str, values: tuple[str, str]) -> None:
    assert differing(port) == {what: values}


def test_how_often_a_job_was_run_is_not_held_against_a_disturbed_twin() -> None:
    port = left(ats="3", stc="1", logs=("one",), failedReason="other")
    assert set(differing(port)) == {"job.ats", "job.stc", "job.logs", "job.failedReason"}
    assert set(differing(port, disturbed=True)) == {"job.failedReason"}


def test_a_difference_is_as_bad_as_in_a_scenario() -> None:
    levels = {d.what: d.level for d in divergences(1, left(), left(failedReason="", returnvalue='{"ok": true}'))}
    assert levels == {"job.failedReason": "breaks-peer", "job.returnvalue.bytes": "encoding"}
