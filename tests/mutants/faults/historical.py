"""Faults that real ports had in their own code: when something went wrong, came late, or was not what they expected."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.exceptions import NoScriptError

from bullmq_ref import Job, JobScheduler, intake, iterations
from bullmq_ref import job_record as record
from bullmq_ref.attempts import Attempts
from bullmq_ref.client import Client
from bullmq_ref.errors import BullMQError, CommandFailed, Refused, UnrecoverableError, from_reply
from bullmq_ref.flow import FlowProducer
from bullmq_ref.getters import Getters
from bullmq_ref.intake import Intake
from bullmq_ref.repeat import Repeat
from bullmq_ref.worker import Worker

from .fault import Place
from .library import fault

_OVERSLEPT = 1.0  # s: enough to be told from a busy machine; real ports slept for five

# --- late ------------------------------------------------------------------------------------------------------------

_wait_for_limit, _drop = Intake.wait_for_limit, Client.drop


async def _oversleep(taking: Intake) -> None:
    if taking.is_limited():
        await _wait_for_limit(taking)
        await taking._worker.sleep(_OVERSLEPT)


async def _drop_late(client: Client) -> None:
    await asyncio.sleep(_OVERSLEPT)
    await _drop(client)


# --- broken connections, refusals ------------------------------------------------------------------------------------

_blocking, _completed, _reply = Client.blocking, Attempts._completed, Client._script_reply


async def _block_or_end(client: Client, seconds: float, *arguments: Any) -> Any:
    try:
        return await _blocking(client, seconds, *arguments)
    except BullMQError as error:
        raise asyncio.CancelledError from error


async def _block_for_ever(client: Client, seconds: float, *arguments: Any) -> Any:
    return await client.submit(*arguments)


async def _complete_or_end(working: Attempts, *arguments: Any) -> Any:
    try:
        return await _completed(working, *arguments)
    except CommandFailed as error:
        main = working._worker._main
        assert main is not None
        main.cancel()
        raise asyncio.CancelledError from error


async def _complete_or_fail(working: Attempts, job: Any, token: str, result: Any, span: Any) -> Any:
    if not working._worker.client.connected:
        return await working._failed(job, token, ConnectionError("Error UNKNOWN while writing to socket"), span)
    return await _completed(working, job, token, result, span)


async def _complete_or_say_so(working: Attempts, job: Any, token: str, result: Any, span: Any) -> Any:
    try:
        return await _completed(working, job, token, result, span)
    except Refused:
        working._worker.emit("completed", job, result, "active")


async def _never_the_text_again(client: Client, *given: Any) -> Any:
    future = given[-1]
    await asyncio.wait([future])
    if not future.cancelled() and isinstance(error := future.exception(), NoScriptError):
        raise from_reply(error)
    return await _reply(client, *given)


# --- what other versions, and other ports, store ---------------------------------------------------------------------

_note_delays, _refusal = Intake._note_delays, Attempts._refusal
_get_jobs, _iterate, _queue = Getters.get_jobs, JobScheduler.iterate, FlowProducer._queue


def _no_delay_known(taking: Intake, limited_for: float = 0, delayed_until: float = 0) -> None:
    if delayed_until:
        raise asyncio.CancelledError  # the main loop ends
    _note_delays(taking, limited_for, delayed_until)


def _whole_float(text: str) -> float:
    if "." in text:
        raise asyncio.CancelledError
    return float(text)


def _whole(text: str | None) -> int | None:
    return int(text) if text else None


def _refusal_trips(working: Attempts, job: Job[Any, Any]) -> UnrecoverableError | None:
    if job.deferred_failure:
        raise KeyError(job.id)
    return _refusal(working, job)


async def _no_empty_list(queue: Any, *arguments: Any, **options: Any) -> Any:
    jobs = await _get_jobs(queue, *arguments, **options)
    if not jobs:
        raise ValueError("Set of coroutines/Futures is empty.")
    return jobs


async def _iterate_templates(schedulers: JobScheduler, producer: Job[Any, Any]) -> str | None:
    repeat = producer.options.get("repeat") or {}
    return await _iterate(schedulers, producer) if producer.data or not repeat.get("pattern") else None


def _default_queue(producer: FlowProducer, name: str, prefix: str) -> Any:
    return _queue(producer, name, "bull")


async def _repeat_no_more(repeat: Repeat, producer: Job[Any, Any]) -> None:
    return None


#: An idle worker whose wait is broken off pauses for a moment.
_LOST_WAIT = Place(Worker, "sleep", lambda worker, seconds: seconds == intake._AFTER_LOSS and not worker.closing)
_REFUSED_END = Place(Attempts, "_completed", raises=True)

FAULTS = (
    fault(
        "oversleeps-its-limit",
        Intake,
        "wait_for_limit",
        _oversleep,
        "a worker that was limited sleeps on for a while",
        "PyPI bullmq 3.4.4",
        late=True,
    ),
    fault("closes-late", Client, "drop", _drop_late, "an idle worker takes its time to close", "#1975", late=True),
    fault(
        "stops-after-a-lost-wait",
        Client,
        "blocking",
        _block_or_end,
        "a worker whose wait was broken off never takes a job again",
        "#3517",
        at=_LOST_WAIT,
    ),
    fault(
        "waits-for-ever",
        Client,
        "blocking",
        _block_for_ever,
        "a wait that is never answered is waited for for ever",
        "activepieces/activepieces#14626",
        at=_LOST_WAIT,
    ),
    fault(
        "stops-after-a-refused-end",
        Attempts,
        "_completed",
        _complete_or_end,
        "a worker to whom Redis refuses the end of a job, for the moment, never takes one again",
        "#3834",
        at=_REFUSED_END,
    ),
    fault(
        "lost-connection-fails-the-job",
        Attempts,
        "_completed",
        _complete_or_fail,
        "a job whose worker's connection was lost meanwhile is failed",
        "#2542",
        at=Place(Attempts, "_completed", lambda working, *_: not working._worker.client.connected),
    ),
    fault(
        "refused-end-unheard",
        Attempts,
        "_completed",
        _complete_or_say_so,
        "listeners are told that a job completed when its end was refused",
        "Elixir port 2.1.2",
        at=_REFUSED_END,
    ),
    fault(
        "forgotten-scripts-stay-forgotten",
        Client,
        "_script_reply",
        _never_the_text_again,
        "a script that the server has forgotten is not sent again",
        "groupmq#16",
        at=Place(Client, "_reply", lambda _, packed, __: b"EVAL\r\n" in packed[:20]),
    ),
    fault(
        "delay-trips-the-worker",
        Intake,
        "_note_delays",
        _no_delay_known,
        "a fetch that tells of a delayed job ends the worker",
        "#3116",
        at=Place(Intake, "_note_delays", lambda _, limited=0, until=0: until),
    ),
    fault(
        "fraction-of-a-block",
        intake,
        "float",
        _whole_float,
        "a fraction in the time of the next delayed job ends the worker",
        "#2208",
        at=Place(record.Record, "new", lambda job, **_: (job.options.get("delay") or 0) % 1),
    ),
    fault(
        "fraction-of-a-timestamp",
        record,
        "integer",
        _whole,
        "a job whose timestamp has a fraction cannot be read, and stays active",
        "PyPI bullmq 3.4.4",
        at=Place(record, "integer", lambda text: text and not text.isdigit()),
    ),
    fault(
        "deferred-failure-trips",
        Attempts,
        "_refusal",
        _refusal_trips,
        "a job that must fail without running trips its worker",
        "#3638",
        at=Place(Attempts, "_refusal", lambda _, job: job.deferred_failure),
    ),
    fault("nothing-found-raises", Getters, "get_jobs", _no_empty_list, "getters raise when there is nothing", "#3885"),
    fault(
        "pattern-without-data-ends",
        JobScheduler,
        "iterate",
        _iterate_templates,
        "a pattern whose jobs have no data dies after its first run",
        "#3009",
        at=Place(JobScheduler, "iterate", lambda _, job: not job.data),
    ),
    fault(
        "colons-taken-for-old",
        iterations,
        "_LEGACY",
        1,
        "a scheduler with a colon in its id is taken for a repeatable job",
        "#3729",
        at=Place(iterations, "_add_next", lambda _, job: ":" in (job.repeat_job_key or "")),
    ),
    fault(
        "flow-prefix-ignored",
        FlowProducer,
        "_queue",
        _default_queue,
        "the jobs of a flow have the default prefix",
        "PyPI bullmq 2.20",
    ),
    fault("repeats-once", Repeat, "iterate", _repeat_no_more, "the first job of a repeatable job is its last", "#2612"),
)
