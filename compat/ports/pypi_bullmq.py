"""The official Python port, PyPI's `bullmq`, behind `bullmq-compat/1`, run by the Python that has it installed.

It shows what the port does, good or bad. What the port has no name for is not declared.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import inspect
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # for the siblings: this environment has no `compat`

from compat.ports.stdio import DRIVER, ENVIRONMENT, PROTOCOL, UNSUPPORTED_OPTION, Answer, Handler, Stdio

try:
    bullmq: Any = importlib.import_module("bullmq")
    connections: Any = importlib.import_module("bullmq.redis_connection")
    from compat.ports.pypi_calls import ACTIONS, FLOW, JOB, QUEUE, THROWS, WORKER, Call, Params, offered, options
    from compat.ports.pypi_values import client_of, connections_of, plain, set_offset, strategy, translate, view
except ImportError as error:
    raise SystemExit(f"{sys.executable} has no `bullmq` ({error}); `pypi-bullmq@VERSION` makes one that has") from None

VERSION = importlib.metadata.version("bullmq")
#: Whose Lua scripts a release carries, word for word: what it can be said to speak.
SCRIPTS = {"2.17.0": "5.66.0", "3.4.4": "6.4.0"}
CLUSTER: Any = getattr(connections, "RedisCluster", None)
PATIENCE = 8  # s until Redis has to have answered when an object is opened
LONGEST = 8  # s for any call but the closing of a worker
LONGEST_CLOSE = 20  # s for that
TIDY = 1  # s for what the port left running to end

# --- the driver ------------------------------------------------------------------------------------------------------


@dataclass
class Entry:
    """An open object, and the job objects it has handed out, by id."""

    name: str
    kind: str
    object: Any
    jobs: dict[str, Any] = field(default_factory=dict)
    reader: asyncio.Future[Any] | None = None


class Driver:
    """The methods of the protocol, carried out with the port."""

    def __init__(self) -> None:
        self._scenario: Params | None = None
        self._entries: dict[str, Entry] = {}
        self._opened: list[Any] = []  # all objects since `scenario.begin`, those that were closed too
        self._calls: set[asyncio.Task[Any]] = set()
        self._before: set[asyncio.Task[Any]] = set()
        life: dict[str, Handler] = {
            "initialize": self.initialize,
            "ping": self.ping,
            "shutdown": self.shutdown,
            "scenario.begin": self.begin,
            "scenario.end": self.end,
            "clock.set": self.set_clock,
            "queue.open": self.open_queue,
            "worker.open": self.open_worker,
            "flow.open": self.open_flow,
            "flow.close": self.close,
            "queue.close": self.close,
            "worker.close": self.close,
        }
        if hasattr(bullmq, "QueueEvents"):
            life |= {"events.open": self.open_events, "events.close": self.close}
        queue = {f"queue.{name}": self._on("queue", QUEUE[name]) for name in offered(QUEUE, bullmq.Queue)}
        worker = {f"worker.{name}": self._on("worker", WORKER[name]) for name in offered(WORKER, bullmq.Worker)}
        flow = {f"flow.{name}": self._on("flow", FLOW[name]) for name in offered(FLOW, bullmq.FlowProducer)}
        job = {f"job.{name}": self._on_job(name, JOB[name]) for name in offered(JOB, bullmq.Job)}
        handlers = {**life, **queue, **worker, **flow, **job}
        self.peer = Stdio({name: self._noted(name, handler) for name, handler in handlers.items()}, translate)

    def _noted(self, name: str, handler: Handler) -> Handler:
        # A call that does not come back is the port's failure, and told in time as one. A worker waits for its jobs.
        limit = {"worker.close": LONGEST_CLOSE, "scenario.end": None, "shutdown": None}.get(name, LONGEST)

        async def handle(params: Params) -> Any:
            task = asyncio.current_task()
            assert task is not None
            call = asyncio.ensure_future(handler(params))
            for mine in (task, call):
                self._calls.add(mine)
                mine.add_done_callback(self._calls.discard)
            done, _ = await asyncio.wait({call}, timeout=limit)
            if not done:  # it may swallow its cancelling: nobody waits for it, and the scenario's end deals with it
                self._calls.discard(call)
                call.cancel()
                raise Answer(f"`{name}` did not come back within {limit} s", symbol="unclassified")
            return call.result()

        return handle

    # --- life --------------------------------------------------------------------------------------------------------

    async def initialize(self, params: Params) -> Any:
        if params.get("protocol") != PROTOCOL:
            text = f"this driver speaks {PROTOCOL}; the harness asked for {params.get('protocol')}"
            raise Answer(text, UNSUPPORTED_OPTION)
        return {
            "protocol": PROTOCOL,
            "name": "bullmq",
            "version": VERSION,
            "language": "python",
            "homepage": "https://docs.bullmq.io/python/introduction",
            "issues": "https://github.com/taskforcesh/bullmq/issues",
            "bullmq": SCRIPTS.get(VERSION, ""),
            "metaVersion": f"bullmq:{VERSION}",
            "serial": False,
            "capabilities": {
                "queue": ["open", "close", *offered(QUEUE, bullmq.Queue)],
                "job": offered(JOB, bullmq.Job),
                "worker": ["open", "close", "event", *offered(WORKER, bullmq.Worker)],
                "events": ["open", "close", "event"] if hasattr(bullmq, "QueueEvents") else [],
                "processor": [*ACTIONS, "gate", *THROWS, "die"],
                "flow": ["open", "close", *offered(FLOW, bullmq.FlowProducer)],
                "scheduler": [],
                "clock": True,
                "cluster": CLUSTER is not None,
            },
        }

    async def ping(self, _: Params) -> None:
        return None

    async def shutdown(self, _: Params) -> None:
        await self.end({})
        self.peer.stop()

    async def begin(self, params: Params) -> None:
        if self._scenario is not None:
            raise Answer(f"scenario {self._scenario['id']} has not ended", DRIVER)
        self._scenario = params
        self._before = asyncio.all_tasks() - self._calls

    async def end(self, _: Params) -> None:
        """End all that the port left running, close its connections, put the clock right."""
        opened, self._opened, self._entries = self._opened, [], {}
        self._scenario = None
        deadline = time.monotonic() + TIDY
        while opened and (strays := self._strays()) and time.monotonic() < deadline:
            for task in strays:
                task.cancel()  # again and again: a client may swallow it when it has just been answered
            await asyncio.wait(strays, timeout=TIDY / 10)
        for thing in opened:
            for held in connections_of(thing):
                try:
                    await asyncio.wait_for(held.close(), TIDY)
                except Exception as error:
                    say(f"a connection did not close: {error!r}")
        set_offset(0)

    def _strays(self) -> set[asyncio.Task[Any]]:
        """What the port has started since the scenario began, and has not ended."""
        return {task for task in asyncio.all_tasks() - self._calls - self._before if not task.done()}

    async def set_clock(self, params: Params) -> None:
        set_offset(params["offsetMs"])

    # --- objects -----------------------------------------------------------------------------------------------------

    async def open_queue(self, params: Params) -> None:
        await self._open("queue", params, lambda opts: bullmq.Queue(params["name"], opts))

    async def open_worker(self, params: Params) -> None:
        by_hand = params.get("processor") is False

        async def play(job: Any, token: str) -> Any:
            entry.jobs[job.id] = job
            return await self._play(entry, job, token)

        make = lambda opts: bullmq.Worker(params["name"], None if by_hand else play, opts)  # noqa: E731
        entry = await self._open("worker", params, make)
        if not by_hand and entry.object.opts.get("autorun") is not False:
            await running(entry.object)

    async def open_flow(self, params: Params) -> None:
        # The connection is an argument of its own there; what the options say of it is ignored.
        await self._open("flow", params, lambda opts: bullmq.FlowProducer(opts.pop("connection"), opts))

    async def open_events(self, params: Params) -> None:
        opts = {"lastEventId": "0-0", **options(params), "autorun": False}
        make = lambda opts: bullmq.QueueEvents(params["name"], opts)  # noqa: E731
        entry = await self._open("events", {**params, "opts": opts}, make)
        events, last, emit = entry.object, None, entry.object.emit

        def tell(event: str, *args: Any) -> None:
            nonlocal last
            fields = args[0] if args and isinstance(args[0], dict) else None
            # An event with a job is emitted a second time, for those who wait for that job.
            if event != "error" and (fields is None or fields is not last):
                self._tell("queue.event", entry.name, event, (fields or {}).get("jobId", ""), fields or {})
                last = fields
            emit(event, *args)

        events.emit = tell
        entry.reader = asyncio.ensure_future(events.run())
        await running(events)

    async def _open(self, kind: str, params: Params, make: Callable[[Params], Any]) -> Entry:
        if self._scenario is None:
            raise Answer("no scenario is under way: scenario.begin comes first", DRIVER)
        name = params["as"]
        if name in self._entries:
            raise Answer(f"an object named {name} is open already", UNSUPPORTED_OPTION)
        opts = {"prefix": self._scenario["prefix"], **plain(options(params)), "connection": self._connection()}
        delays = opts.pop("$backoffStrategy", None)
        if delays is not None:
            opts["settings"] = {"backoffStrategy": strategy(delays)}
        entry = Entry(name, kind, make(opts))
        self._opened.append(entry.object)
        if kind == "worker":
            self._listen(entry)
        elif kind == "events":
            entry.object.on("error", lambda error, *_: say(f"{name}: {error!r}"))
        try:
            async with asyncio.timeout(PATIENCE):
                await client_of(entry.object).ping()
        except TimeoutError:
            raise Answer(f"Redis at {self._scenario['redis']['nodes']} does not answer", ENVIRONMENT) from None
        self._entries[name] = entry
        return entry

    def _connection(self) -> Any:
        assert self._scenario is not None
        redis = self._scenario["redis"]
        ((host, port), *_) = redis["nodes"]
        access = {name: redis[name] for name in ("username", "password") if redis.get(name) is not None}
        access |= {"ssl": True} if redis.get("tls") else {}
        if redis["topology"] == "cluster":
            return CLUSTER(host=host, port=port, decode_responses=True, **access)
        return {"host": host, "port": port, "db": redis.get("db") or 0, **access}

    async def close(self, params: Params) -> None:
        entry = self._entry(params)
        await (entry.object.close(bool(params.get("force"))) if entry.kind == "worker" else entry.object.close())
        self._entries.pop(entry.name, None)

    def _entry(self, params: Params) -> Entry:
        try:
            return self._entries[params["on"]]
        except KeyError:
            opened = ", ".join(self._entries) or "none"
            text = f"no object named {params.get('on')} is open (open: {opened})"
            raise Answer(text, UNSUPPORTED_OPTION) from None

    def _on(self, kind: str, call: Call) -> Handler:
        async def handle(params: Params) -> Any:
            entry = self._entry(params)
            if entry.kind != kind:
                raise Answer(f"{entry.name} is of kind {entry.kind}, not {kind}", UNSUPPORTED_OPTION)
            return seen(entry, await settled(call(entry.object, plain(params))))

        return handle

    def _on_job(self, name: str, call: Call) -> Handler:
        async def handle(params: Params) -> Any:
            entry, job_id = self._entry(params), str(params["id"])
            job = entry.jobs.get(job_id) or await bullmq.Job.fromId(entry.object, job_id)
            if job is None:
                raise Answer(f"Missing key for job {job_id}. {name}", symbol="JobNotExist")
            entry.jobs[job_id] = job
            answer = await settled(call(job, plain(params)))
            if name in ("moveToCompleted", "moveToFailed"):  # the next job, if one was fetched
                fields, following, *_ = answer if isinstance(answer, list) else (None, None)
                answer = bullmq.Job.fromJSON(entry.object, fields, following) if fields else None
            return seen(entry, answer)

        return handle

    # --- what the harness is told and asked --------------------------------------------------------------------------

    def _tell(self, method: str, on: str, event: str, job: Any = "", args: Params | None = None) -> None:
        if self._scenario is not None:
            self.peer.notify(method, {"on": on, "event": event, "job": str(job), "args": args or {}})

    def _listen(self, entry: Entry) -> None:
        def tell(event: str, words: Callable[..., tuple[Any, Params]]) -> None:
            entry.object.on(event, lambda *args: self._tell("worker.event", entry.name, event, *words(*args)))

        tell("active", lambda job, *_: (job.id, {}))
        tell("completed", lambda job, value, *_: (job.id, {"returnvalue": value}))
        tell("failed", lambda job, error, *_: (job.id, {"failedReason": str(error)}))
        tell("progress", lambda job, value, *_: (job.id, {"data": value}))
        tell("stalled", lambda job_id, *_: (job_id, {}))
        for event in ("drained", "paused", "resumed", "closed"):
            tell(event, lambda *_: ("", {}))
        entry.object.on("error", lambda error, *_: say(f"{entry.name}: {error!r}"))

    async def _play(self, entry: Entry, job: Any, token: str) -> Any:
        """The only processor there is: what shall this attempt do? Do it, and end as told."""
        answer = plain(await self.peer.call("processor.call", {"worker": entry.name, "job": view(job), "token": token}))
        for action in answer.get("do") or ():
            ((kind, value),) = action.items()
            if kind == "gate":
                await self.peer.call("processor.gate", {"worker": entry.name, "job": job.id, "gate": value})
            else:
                await ACTIONS[kind](job, value)
        end = answer["end"]
        if end.get("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if "throw" in end:
            thrown = {"message": end["throw"]} if isinstance(end["throw"], str) else end["throw"]
            kind = thrown.get("type", "error")
            if kind != "error":
                await THROWS[kind](job, token, thrown)
            raise Exception(thrown.get("message", ""))  # noqa: TRY002 — as a user's code would
        return end.get("return")


# --- beside it -------------------------------------------------------------------------------------------------------


async def running(thing: Any) -> None:
    """Wait until a worker or a reader runs, of which it tells nobody."""
    async with asyncio.timeout(PATIENCE):
        while not thing.running:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def seen(entry: Entry, answer: Any) -> Any:
    """An answer with its jobs shown; they are the objects that `job.*` acts on from now on."""
    if isinstance(answer, list):
        return [seen(entry, item) for item in answer]
    if isinstance(answer, dict) and isinstance(answer.get("job"), bullmq.Job):
        return {name: seen(entry, part) for name, part in answer.items()}
    if isinstance(answer, bullmq.Job):
        entry.jobs[str(answer.id)] = answer
        return view(answer)
    return answer


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    asyncio.run(Driver().peer.run())
