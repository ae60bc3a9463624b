"""Each trap of the protocol, where an independent client or a naive harness goes wrong, leads to what shows it.

A scenario or a test says `TRAP <name>` in a comment or docstring.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

TRAPS = {
    "reserved-id": "an id that is the name of a queue's key is taken for a duplicate",
    "colon-ids": "keys are split at colons: a job with colons in its id is no parent and no child",
    "rename-overwrites": "pausing and resuming rename a list over whatever stands there",
    "crossed-words": "the API's `ignored` is the key `failed`, its `failed` the key `unsuccessful`",
    "tm-false": "a bulk under telemetry stores a bare false for a job that omits its context",
    "delayed-event": "the event's `delay` is the time when it is due",
    "deduplicated-reverse": "with `replace` the event's two ids change places",
    "no-drained": "a finishing call that fetches may return before it tells `drained`",
    "dollar-id": "a reader at `$` means anew what comes after each of its calls",
    "poison": "one value that is no JSON stops Node's readers of events",
    "no-limiter": "the limiter's key is looked at only where a limit is known",
    "every-offset": "an offset beside `every` is ignored",
    "limit-precedence": "the queue's maximum goes first, the worker's duration goes first",
    "wait-first": "what waits without a priority goes before any priority",
    "removed-child": "a failing child that is removed releases its parent",
    "retry-wrongtype": "retrying an ignored child raises when it is back in wait already",
    "drain-scheduler": "draining cuts off the wrong entries where a scheduler's job waits",
    "worker-connects-first": "a worker connects before its options are looked at",
    "unknown-backoff": "an unknown backoff leaves the job active, and locked",
    "delay-and-repeat": "a delay beside a repeat is not refused",
    "mixed-pause": "a queue paused by version 6 and resumed by version 5 loses its waiting jobs",
}  # fmt: skip


def test_each_trap_is_shown_and_each_that_is_shown_is_listed() -> None:
    texts = (file.read_text("utf-8") for kind in ("tests/**/*.py", "scenarios/**/*.yaml") for file in ROOT.glob(kind))
    shown = {name for text in texts for name in re.findall(r"TRAP ([a-z][a-z-]+)", text)}
    assert shown == TRAPS.keys()
