"""bullmq_ref behind `bullmq-compat/1`: `python -m compat.ports.reference`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bullmq_ref import (
    UNDEFINED,
    DelayedError,
    Job,
    Limits,
    Queue,
    QueueEvents,
    RateLimitError,
    RedisOptions,
    UnrecoverableError,
    WaitingChildrenError,
    WaitingError,
    Worker,
    clock,
)
from bullmq_ref.errors import BullMQError, JobNotExist
from bullmq_ref.jsjson import Undefined
from bullmq_ref.lua import VERSION
from compat.ports import stdio
from compat.ports.calls import JOB, QUEUE, WORKER, Call, Error, Params
from compat.ports.stdio import PROTOCOL, Answer, Stdio

_PATIENCE = 8  # s until Redis has to have answered when an object is opened


@dataclass
class Entry:
    """An open object, and the job objects it has handed out, by id."""

    name: str
    object: Queue[Any, Any] | Worker[Any, Any] | QueueEvents
    jobs: dict[str, Job[Any, Any]] = field(default_factory=dict)


class Telling(QueueEvents):
    """A reader that tells of every event, whatever its name."""

    tell: Callable[[str, str, Mapping[str, Any]], None]
    _told: object = None

    def emit(self, event: str, *arguments: Any) -> None:
        fields = arguments[0] if arguments and isinstance(arguments[0], dict) else None
        if event != "error" and (fields is None or fields is not self._told):
            self.tell(event, str((fields or {}).get("jobId", "")), fields or {})
            self._told = fields
        super().emit(event, *arguments)


class Driver:
    """The methods of the protocol, carried out with bullmq_ref."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._prefix = "bull"
        self._redis = RedisOptions()
        self._begun = False
        self.peer = Stdio(self._handlers(), translate)

    def _handlers(self) -> dict[str, stdio.Handler]:
        life = {
            "initialize": self.initialize,
            "ping": self.ping,
            "shutdown": self.shutdown,
            "scenario.begin": self.begin,
            "scenario.end": self.end,
            "clock.set": self.set_clock,
            "queue.open": self.open_queue,
            "worker.open": self.open_worker,
            "events.open": self.open_events,
            "queue.close": self.close,
            "events.close": self.close,
            "worker.close": self.close,
        }
        queue = {f"queue.{name}": self._on(Queue, call) for name, call in QUEUE.items()}
        worker = {f"worker.{name}": self._on(Worker, call) for name, call in WORKER.items()}
        job = {f"job.{name}": self._on_job(name, call) for name, call in JOB.items()}
        return {**life, **queue, **worker, **job}

    # --- life --------------------------------------------------------------------------------------------------------

    async def initialize(self, params: Params) -> Any:
        if params.get("protocol") != PROTOCOL:
            text = f"this driver speaks {PROTOCOL}; the harness asked for {params.get('protocol')}"
            raise Answer(text, stdio.UNSUPPORTED_OPTION)
        return {
            "protocol": PROTOCOL,
            "name": "bullmq_ref",
            "version": VERSION,
            "language": "python",
            "bullmq": VERSION,
            "metaVersion": f"bullmq:{VERSION}",
            "serial": False,
            "capabilities": {
                "queue": ["open", "close", *QUEUE],
                "job": [*JOB],
                "worker": ["open", "close", *WORKER],
                "events": ["open", "close"],
                "processor": [*ACTIONS, *THROWS, "die"],
                "flow": [],
                "scheduler": [],
                "clock": True,
                "cluster": True,
            },
        }

    async def ping(self, _: Params) -> None:
        return None

    async def shutdown(self, _: Params) -> None:
        await self.end({})
        self.peer.stop()

    async def begin(self, params: Params) -> None:
        if self._begun:
            raise Answer("the last scenario has not ended", stdio.DRIVER)
        redis = params["redis"]
        self._redis = RedisOptions(
            nodes=tuple((host, int(port)) for host, port in redis["nodes"]),
            cluster=redis.get("topology") == "cluster",
            username=redis.get("username"),
            password=redis.get("password"),
            tls=bool(redis.get("tls")),
            db=redis.get("db") or 0,
        )
        self._prefix, self._begun = params["prefix"], True

    async def end(self, _: Params) -> None:
        """Close everything, workers without waiting for their jobs."""
        entries, self._entries, self._begun = list(self._entries.values()), {}, False
        closing = (e.object.close(force=True) if isinstance(e.object, Worker) else e.object.close() for e in entries)
        for entry, result in zip(entries, await asyncio.gather(*closing, return_exceptions=True), strict=True):
            if isinstance(result, BaseException):
                sys.stderr.write(f"{entry.name} did not close: {result}\n")
        clock.use()

    async def set_clock(self, params: Params) -> None:
        offset = int(params["offsetMs"])
        clock.use(lambda: clock.system() + offset)

    # --- objects -----------------------------------------------------------------------------------------------------

    async def open_queue(self, params: Params) -> None:
        name, opts = self._opening(params)
        queue: Queue[Any, Any] = Queue(params["name"], opts, connection=self._redis, limits=Limits.node())
        await self._opened(Entry(name, queue), queue.ready)

    async def open_worker(self, params: Params) -> None:
        name, opts = self._opening(params)
        strategy = opts.pop("$backoffStrategy", None)
        if strategy is not None:
            opts["settings"] = {"backoffStrategy": _strategy(strategy)}
        autorun, by_hand = opts.pop("autorun", True), params.get("processor") is False

        async def play(job: Job[Any, Any], token: str) -> Any:
            entry.jobs[job.id] = job
            return await self._play(entry, job, token)

        processor = None if by_hand else play
        opts["autorun"] = False  # it must not work before it is listened to
        worker: Worker[Any, Any] = Worker(params["name"], processor, opts, connection=self._redis, limits=Limits.node())
        entry = Entry(name, worker)
        self._tell_of_worker(name, worker)
        await self._opened(entry, worker.ready)
        if autorun and not by_hand:
            worker.run()

    async def open_events(self, params: Params) -> None:
        name, opts = self._opening(params)
        events = Telling(params["name"], {"lastEventId": "0-0", **opts, "autorun": False}, connection=self._redis)
        events.tell = lambda event, job, args: self._notify("queue.event", name, event, job, args)

        async def ready() -> None:
            await events.client.command("PING")

        await self._opened(Entry(name, events), ready)
        events.run()

    def _opening(self, params: Params) -> tuple[str, dict[str, Any]]:
        if not self._begun:
            raise Answer("no scenario is under way: scenario.begin comes first", stdio.DRIVER)
        name = params["as"]
        if name in self._entries:
            raise Answer(f"an object named {name} is open already", stdio.UNSUPPORTED_OPTION)
        opts: dict[str, Any] = decode(params.get("opts") or {})
        return name, {"prefix": self._prefix, **opts}

    async def _opened(self, entry: Entry, ready: Callable[[], Awaitable[Any]]) -> None:
        entry.object.on("error", lambda error: sys.stderr.write(f"{entry.name}: {error}\n"))
        try:
            async with asyncio.timeout(_PATIENCE):
                await ready()
        except TimeoutError:
            await entry.object.close()
            raise Answer(f"Redis at {self._redis.nodes} does not answer", stdio.ENVIRONMENT) from None
        except BaseException:
            await entry.object.close()
            raise
        self._entries[entry.name] = entry

    async def close(self, params: Params) -> None:
        entry = self._entry(params)
        if isinstance(entry.object, Worker):
            await entry.object.close(force=bool(params.get("force")))
        else:
            await entry.object.close()
        self._entries.pop(entry.name, None)

    def _entry(self, params: Params) -> Entry:
        try:
            return self._entries[params["on"]]
        except KeyError:
            opened = ", ".join(self._entries) or "none"
            text = f"no object named {params.get('on')} is open (open: {opened})"
            raise Answer(text, stdio.UNSUPPORTED_OPTION) from None

    def _on(self, kind: type, call: Call) -> stdio.Handler:
        async def handle(params: Params) -> Any:
            entry = self._entry(params)
            if not isinstance(entry.object, kind):
                raise Answer(f"{entry.name} is no {kind.__name__}", stdio.UNSUPPORTED_OPTION)
            return _seen(entry, await call(entry.object, decode(params)))

        return handle

    def _on_job(self, name: str, call: Call) -> stdio.Handler:
        async def handle(params: Params) -> Any:
            entry, job_id = self._entry(params), str(params["id"])
            job = entry.jobs.get(job_id) or await Job.from_id(entry.object, job_id)
            if job is None:
                raise JobNotExist(job=job_id, command=name)
            entry.jobs[job.id] = job
            answer = await call(job, {"returnValue": UNDEFINED, **decode(params)})
            if name in ("moveToCompleted", "moveToFailed"):
                fields = answer.fields if answer is not None else None
                answer = Job.from_fields(entry.object, fields, answer.id) if fields else None
            return _seen(entry, answer)

        return handle

    # --- what the harness is told and asked --------------------------------------------------------------------------

    def _notify(self, method: str, on: str, event: str, job: str = "", args: Mapping[str, Any] | None = None) -> None:
        if self._begun:
            told = {name: value for name, value in (args or {}).items() if not isinstance(value, Undefined)}
            self.peer.notify(method, {"on": on, "event": event, "job": job, "args": told})

    def _tell_of_worker(self, name: str, worker: Worker[Any, Any]) -> None:
        def tell(event: str, words: Callable[..., tuple[str, dict[str, Any]]]) -> None:
            worker.on(event, lambda *args: self._notify("worker.event", name, event, *words(*args)))

        tell("active", lambda job, _: (job.id, {}))
        tell("completed", lambda job, value, _: (job.id, {"returnvalue": value}))
        tell("failed", lambda job, error, _: (job.id, {"failedReason": str(error)}))
        tell("progress", lambda job, value: (job.id, {"data": value}))
        tell("stalled", lambda job_id, _: (job_id, {}))
        for event in ("drained", "paused", "resumed", "closed"):
            tell(event, lambda: ("", {}))

    async def _play(self, entry: Entry, job: Job[Any, Any], token: str) -> Any:
        """The only processor there is: what shall this attempt do? Do it, and end as told."""
        asked = {"worker": entry.name, "job": view(job), "token": token}
        answer = decode(await self.peer.call("processor.call", asked))
        for action in answer.get("do") or ():
            ((kind, value),) = action.items()
            if kind == "gate":
                await self.peer.call("processor.gate", {"worker": entry.name, "job": job.id, "gate": value})
            else:
                await ACTIONS[kind](job, token, value)
        end = answer["end"]
        if end.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if "throw" in end:
            thrown = end["throw"]
            thrown = {"message": thrown} if isinstance(thrown, str) else thrown
            kind = thrown.get("type", "error")
            if kind != "error":
                await THROWS[kind](entry.object, job, token, thrown)
            raise Error(thrown.get("message", ""))
        return end.get("return", UNDEFINED)


# --- what an attempt does, and how it ends ---------------------------------------------------------------------------


async def _spin(ms: int) -> None:
    """Block the thread, on purpose."""
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


async def _gate(*_: Any) -> None:
    raise AssertionError("gates are asked of the harness")


ACTIONS: dict[str, Callable[[Job[Any, Any], str, Any], Awaitable[Any]]] = {
    "progress": lambda job, token, value: job.update_progress(value),
    "log": lambda job, token, value: job.log(value),
    "updateData": lambda job, token, value: job.update_data(value),
    "extendLock": lambda job, token, value: job.extend_lock(token, value),
    "spin": lambda job, token, value: _spin(value),
    "gate": _gate,
}


async def _unrecoverable(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    raise UnrecoverableError(*([thrown["message"]] if "message" in thrown else []))


async def _delayed(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    await job.move_to_delayed(clock.now() + (thrown.get("ms") or 0), token)
    raise DelayedError


async def _waiting(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    await job.move_to_wait(token)
    raise WaitingError


async def _waiting_children(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    await job.move_to_waiting_children(token)
    raise WaitingChildrenError


async def _rate_limit(worker: Any, job: Job[Any, Any], token: str, thrown: Params) -> None:
    await worker.rate_limit(thrown["ms"])
    raise RateLimitError


THROWS: dict[str, Callable[[Any, Job[Any, Any], str, Params], Awaitable[None]]] = {
    "unrecoverable": _unrecoverable,
    "delayed": _delayed,
    "waiting": _waiting,
    "waitingChildren": _waiting_children,
    "rateLimit": _rate_limit,
}


# --- values ----------------------------------------------------------------------------------------------------------


def decode(value: Any) -> Any:
    """Untagged, with the library's own `undefined`."""
    return _undefined(stdio.decode(value))


def _undefined(value: Any) -> Any:
    if isinstance(value, list):
        return [_undefined(item) for item in value]
    if isinstance(value, dict):
        return {key: _undefined(item) for key, item in value.items()}
    return UNDEFINED if isinstance(value, stdio.Undefined) else value


def _seen(entry: Entry, answer: Any) -> Any:
    """An answer with its jobs shown; they are the objects that `job.*` acts on from now on."""
    if isinstance(answer, Job):
        entry.jobs[answer.id] = answer
        return view(answer)
    if isinstance(answer, list):
        return [stdio.UNDEFINED if item is None else _seen(entry, item) for item in answer]
    slots = getattr(answer, "__dataclass_fields__", None)
    return {name: getattr(answer, name) for name in slots} if slots else answer


def view(job: Job[Any, Any]) -> dict[str, Any]:
    """What an answer shows of a job, by Node's names."""
    shown = {
        "id": int(job.id) if job.id.startswith("-") and job.id[1:].isdigit() else job.id,
        "name": job.name,
        "data": job.data,
        "opts": job.options,
        "progress": job.progress,
        "delay": job.delay,
        "priority": job.priority,
        "timestamp": job.timestamp,
        "attemptsMade": job.attempts_made,
        "attemptsStarted": job.attempts_started,
        "stalledCounter": job.stalled_counter,
        "failedReason": job.failed_reason,
        "stacktrace": job.stacktrace,
        "returnvalue": job.returnvalue,
        "finishedOn": job.finished_on,
        "processedOn": job.processed_on,
        "processedBy": job.processed_by,
        "deferredFailure": job.deferred_failure,
        "parentKey": job.parent_key,
        "parent": job.parent,
        "deduplicationId": job.deduplication_id,
        "repeatJobKey": job.repeat_job_key,
    }
    absent = (n for n, v in shown.items() if isinstance(v, Undefined) or (v is None and n not in _NULLS))
    for name in tuple(absent):
        del shown[name]
    return shown


#: What is `null` in Node where other properties are undefined.
_NULLS = frozenset({"data", "progress", "returnvalue", "stacktrace"})


def _strategy(delays: Mapping[str, list[int]]) -> Callable[..., float]:
    """`{"<type>": [delay of the first retry in ms, of the second, …]}` as a custom strategy."""

    def strategy(attempts: int, kind: str, _error: BaseException, _job: Any) -> float:
        listed = delays.get(kind)
        if listed is None:
            raise BullMQError(f"Unknown backoff strategy {kind}.")
        return listed[min(attempts, len(listed)) - 1]

    return strategy


def translate(error: Exception) -> Answer:
    """The answer for what the library raised."""
    if isinstance(error, BullMQError):
        return Answer(str(error), symbol=error.symbol)
    if isinstance(error, KeyError):
        return Answer(f"the parameter {error} is missing", stdio.UNSUPPORTED_OPTION)
    return Answer(f"{type(error).__name__}: {error}")


def main() -> None:
    asyncio.run(_main())


async def _main() -> None:
    driver = Driver()
    try:
        await driver.peer.run()
    finally:
        await driver.end({})


if __name__ == "__main__":
    main()
