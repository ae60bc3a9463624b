"""The methods of the protocol, carried out with bullmq_ref."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bullmq_ref import (
    UNDEFINED,
    FlowProducer,
    Job,
    Limits,
    Queue,
    QueueEvents,
    QueueEventsProducer,
    RedisOptions,
    Worker,
    clock,
)
from bullmq_ref.base import QueueBase
from bullmq_ref.errors import JobNotExist
from bullmq_ref.jsjson import Undefined
from bullmq_ref.lua import VERSION
from compat.ports import stdio
from compat.ports.reference import calls, family
from compat.ports.reference.actions import ACTIONS, STRATEGIES, THROWS
from compat.ports.reference.calls import PRODUCER, WORKER, Call, Error, Params
from compat.ports.reference.values import decode, shown, translate, view
from compat.ports.stdio import PROTOCOL, Answer, Stdio

QUEUE = calls.QUEUE | family.QUEUE
JOB = calls.JOB | family.JOB

_PATIENCE = 8  # s until Redis has to have answered when an object is opened


@dataclass
class Entry:
    """An open object, and the job objects it has handed out, by id."""

    name: str
    object: Queue[Any, Any] | Worker[Any, Any] | QueueEvents | QueueEventsProducer | FlowProducer
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
            "flow.open": self.open_flow,
            "flow.close": self.close,
            "queue.close": self.close,
            "events.close": self.close,
            "producer.open": self.open_producer,
            "producer.close": self.close,
            "worker.close": self.close,
        }
        queue = {f"queue.{name}": self._on(Queue, call) for name, call in QUEUE.items()}
        worker = {f"worker.{name}": self._on(Worker, call) for name, call in WORKER.items()}
        flow = {f"flow.{name}": self._on(FlowProducer, call) for name, call in family.FLOW.items()}
        job = {f"job.{name}": self._on_job(name, call) for name, call in JOB.items()}
        producer = {f"producer.{name}": self._on(QueueEventsProducer, call) for name, call in PRODUCER.items()}
        return {**life, **queue, **worker, **job, **producer, **flow}

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
                "worker": ["open", "close", "event", *WORKER],
                "events": ["open", "close", "event"],
                "producer": ["open", "close", *PRODUCER],
                "processor": [*ACTIONS, *THROWS, "die"],
                "scheduler": ["every", "pattern", "repeat", "repeatStrategy"],
                "flow": ["open", "close", *family.FLOW],
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

    async def open_producer(self, params: Params) -> None:
        name, opts = self._opening(params)
        producer = QueueEventsProducer(params["name"], opts, connection=self._redis)
        await self._opened(Entry(name, producer), producer.ready)

    async def open_flow(self, params: Params) -> None:
        name, opts = self._opening(params)
        producer = FlowProducer(opts, connection=self._redis, limits=Limits.node())
        await self._opened(Entry(name, producer), producer.ready)

    def _opening(self, params: Params) -> tuple[str, dict[str, Any]]:
        if not self._begun:
            raise Answer("no scenario is under way: scenario.begin comes first", stdio.DRIVER)
        name = params["as"]
        if name in self._entries:
            raise Answer(f"an object named {name} is open already", stdio.UNSUPPORTED_OPTION)
        opts: dict[str, Any] = decode(params.get("opts") or {})
        settings = dict(opts.pop("settings", None) or {})
        for option, strategy in STRATEGIES.items():
            if (data := opts.pop(f"${option}", None)) is not None:
                settings[option] = strategy(data)
        return name, {"prefix": self._prefix, **opts, **({"settings": settings} if settings else {})}

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
            return shown(await call(entry.object, decode(params)), entry.jobs)

        return handle

    def _on_job(self, name: str, call: Call) -> stdio.Handler:
        async def handle(params: Params) -> Any:
            entry, job_id = self._entry(params), str(params["id"])
            if not isinstance(entry.object, QueueBase):
                raise Answer(f"{entry.name} is no queue and no worker", stdio.UNSUPPORTED_OPTION)
            job = entry.jobs.get(job_id) or await Job.from_id(entry.object, job_id)
            if job is None:
                raise JobNotExist(job=job_id, command=name)
            entry.jobs[job.id] = job
            given = {"returnValue": UNDEFINED, **decode(params)}
            if name == "waitUntilFinished":
                given["events"] = self._entry({"on": given["events"]}).object
            answer = await call(job, given)
            if name in ("moveToCompleted", "moveToFailed"):
                fields = answer.fields if answer is not None else None
                answer = Job.from_fields(entry.object, fields, answer.id) if fields else None
            return shown(answer, entry.jobs)

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


def main() -> None:
    """Serve the harness on standard input and output until it says `shutdown` or goes away."""
    asyncio.run(_serve())


async def _serve() -> None:
    driver = Driver()
    try:
        await driver.peer.run()
    finally:
        await driver.end({})
