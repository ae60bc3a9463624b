"""Faults of a port's own code that no call and no command shows: planted in `bullmq_ref`."""

from __future__ import annotations

import builtins
from functools import partial
from inspect import isfunction
from typing import Any

from bullmq_ref import Job, JobScheduler, Queue
from bullmq_ref import job_attempt as attempt
from bullmq_ref import job_record as record
from bullmq_ref.attempts import Attempts
from bullmq_ref.client import Client
from bullmq_ref.cron import Cron
from bullmq_ref.flow import FlowProducer
from bullmq_ref.keys import Keys
from bullmq_ref.stalled import StalledCheck

from .fault import Fault, Place, put


def _puts(owner: Any, attribute: str, fault: Any) -> None:
    if not hasattr(owner, attribute) and not hasattr(builtins, attribute) and not isinstance(fault, property):
        raise SystemExit(f"{owner} has no {attribute}")
    put(owner, attribute, fault)


def fault(
    name: str,
    owner: Any,
    attribute: str,
    instead: Any,
    story: str,
    bug: str = "",
    at: Place | None = None,
    late: bool = False,
) -> Fault:
    """`at`: where it shows, if not wherever the function is called that is replaced."""
    called = Place(owner, attribute) if isfunction(getattr(owner, attribute, None)) else None
    places = tuple(filter(None, (at or called,)))
    return Fault(name, story, partial(_puts, owner, attribute, instead), bug, places=places, late=late)


def _keep_one_trace_less(job: Job[Any, Any], error: BaseException) -> None:
    limit = job.options.get("stackTraceLimit")
    traces = [*(job.stacktrace or []), attempt.stack(error)]
    job.stacktrace = traces[1 - limit :] if limit and limit > 1 else [] if limit is not None else traces


async def _one_attempt_more(job: Job[Any, Any], error: BaseException) -> float | None:
    job.options = {**job.options, "attempts": (job.options.get("attempts") or 0) + 1}
    return await _delay_of(job, error)


async def _late_first_sweep(check: StalledCheck) -> None:
    import asyncio

    await asyncio.sleep(check._worker.options.stalled_interval / 1000)
    await _keep(check)


async def _never_iterate(schedulers: JobScheduler, producer: Job[Any, Any]) -> None:
    return None


def _next_in_utc(cron: Cron, after: int, tz: str | None = None, *, until: int | None = None) -> int:
    return _next_slot(cron, after, "UTC", until=until)


async def _one_by_one(client: Client, *calls: Any) -> list[Any]:
    return [await client.script(*call) for call in calls]


def _flow_in_pieces() -> None:
    _puts(Client, "scripts", _one_by_one)
    _puts(FlowProducer, "_check_slots", lambda producer, queues: None)


_next_slot = Cron.next
_delay_of, _keep = attempt.Attempt._retry_delay, StalledCheck.keep

FAULTS = (
    fault(
        "wrong-stacktrace-limit",
        Job,
        "_trace",
        _keep_one_trace_less,
        "one stack trace too few is kept",
        "PyPI bullmq 2.17.0",
    ),
    fault(
        "plain-client-names",
        Keys,
        "client_name",
        lambda keys, suffix="": f"{keys.prefix}:{keys.name}{suffix}",
        "connections are named in plain text, so getWorkers() finds none",
        "PyPI bullmq 3.4.4",
    ),
    fault("discard-ignored", Job, "discard", lambda job: None, "a discarded job is tried again"),
    fault(
        "defaults-ignored",
        Queue,
        "_defaults",
        property(lambda queue: {}, lambda queue, given: None),
        "default job options are ignored",
        "#3695",
    ),
    fault(
        "one-attempt-more", attempt.Attempt, "_retry_delay", _one_attempt_more, "a job is tried once too often", "#3598"
    ),
    fault(
        "deferred-failure-processed",
        Attempts,
        "_refusal",
        lambda attempts, job: None,
        "a job that must fail without running runs",
        "#4458",
        at=Place(Attempts, "_refusal", lambda _, job: job.deferred_failure),
    ),
    fault(
        "nothing-is-validated", record, "validate", lambda *_: None, "job options are not checked", "PyPI bullmq 3.4.4"
    ),
    fault(
        "late-first-sweep",
        StalledCheck,
        "keep",
        _late_first_sweep,
        "the first stalled sweep comes an interval late",
        "PyPI bullmq 2.17.0",
    ),
    fault(
        "schedule-of-one", JobScheduler, "iterate", _never_iterate, "the first job of a scheduler is its last", "#4483"
    ),
    fault("slots-in-utc", Cron, "next", _next_in_utc, "patterns mean the hours of UTC, wherever they are written"),
    Fault(
        "flow-in-pieces",
        "the jobs of a flow are added one by one, wherever each belongs",
        _flow_in_pieces,
        "#4058",
        places=(Place(Client, "scripts"), Place(FlowProducer, "_check_slots")),
    ),
    fault(
        "no-failure-flags",
        record,
        "_FLAGS",
        {},
        "a child does not say what its failure means",
        "#3620",
        at=Place(record.Record, "new"),
    ),
)
