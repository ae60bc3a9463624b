"""Which scenario kills which seeded fault, and by which check: the pairs that are tested.

The whole matrix, every fault against every scenario, is made by `python tests/mutants/matrix.py`.
"""

from __future__ import annotations

#: fault → (scenario, the check that must tell it)
KILLS: dict[str, tuple[str, str]] = {
    "quoted-failed-reason": ("retry/fixed", "job.failedReason"),
    "raw-returnvalue": ("worker/return-values", "job.returnvalue"),
    "no-retries-exhausted": ("retry/fixed", "events"),
    "reversed-priority": ("priority/order", "prioritized"),
    "plain-ms-delayed-score": ("delay/add", "delayed"),
    "no-marker": ("job/add", "marker"),
    "no-waiting-event": ("job/add", "events"),
    "no-added-event": ("job/add", "events"),
    "delay-zero-in-opts": ("job/add", "job.opts"),
    "wrong-progress-field": ("progress/values", "job.progress"),
    "lifo-reversed": ("job/lifo", "wait"),
    "key-outside-the-prefix": ("job/update-data", "laws/outside"),
    "delay-kept-on-promotion": ("delay/promote", "job.delay"),
    "pause-unsaid": ("pause/lists", "events"),
    "log-prepended": ("progress/logs", "job.logs"),
    "wrong-delay-of-change": ("delay/change", "job.delay"),
    "stack-limit-ignored": ("retry/stack-trace-limit", "job.stacktrace"),
    "wrong-stacktrace-limit": ("retry/stack-trace-limit", "job.stacktrace"),
    "plain-client-names": ("manage/connections", "clients"),
    "discard-ignored": ("manage/discard", "job.finishedOn"),
    "defaults-ignored": ("job/bulk-default-options", "job.opts"),
    "never-sweeps": ("stalled/first-sweep", "step-1"),
    "sweep-keys-shifted": ("stalled/first-sweep", "stalled-check"),
    "scheduler-counted-anew": ("scheduler/upsert-again", "repeat"),
    "next-iteration-unsaid": ("scheduler/pattern-iterations", "job.nrjid"),
    "removed-scheduler-leaves-its-job": ("scheduler/remove", "job"),
    "schedule-of-one": ("scheduler/iterations", "step-2"),
    "slots-in-utc": ("scheduler/time-zone", "step-4"),
    "quoted-result-of-a-child": ("flow/completed", "job.processed"),
    "parent-without-a-time": ("flow/family", "waiting-children"),
    "no-failure-flags": ("flow/fail-parent", "job.parent"),
}
