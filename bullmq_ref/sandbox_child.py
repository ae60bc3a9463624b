"""The child's side of a sandbox: imports the processor, and runs it on the jobs that come through the socket."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import socket
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from bullmq_ref.errors import BullMQError
from bullmq_ref.job_attempt import stack
from bullmq_ref.jsjson import Undefined
from bullmq_ref.processors import Processors
from bullmq_ref.sandbox import CALLS, LIMIT


class SandboxedJob:
    """The job as its processor sees it: the fields of `sandbox.FIELDS`, and the methods of `sandbox.CALLS`, each a
    coroutine function."""

    def __init__(self, fields: dict[str, Any], token: str, call: Callable[..., Any]) -> None:
        self.__dict__.update(fields, token=token)
        self._call = call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in CALLS:
            raise AttributeError(f"a sandboxed job has no {name!r}; its methods are {', '.join(sorted(CALLS))}")

        async def method(*args: Any) -> Any:
            if name in ("update_progress", "update_data"):
                self.__dict__[name.removeprefix("update_")] = args[0]
            return await self._call(name, args)

        return method


class Service:
    """Runs `processor` on one job after the other, for the worker at the other end of the socket."""

    def __init__(self, processor: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._name = processor
        self._reader, self._writer = reader, writer
        self._processors: Processors | None = None
        self._asked: deque[asyncio.Future[dict[str, Any]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Until the worker hangs up. What runs then is nobody's any more: it is not waited for. An attempt that cannot
        say how it ended ends the child: the worker would wait for ever."""
        async with asyncio.TaskGroup() as attempts:
            while line := await self._reader.readline():
                said = json.loads(line)
                if "job" in said:
                    self._task = attempts.create_task(self._attempt(said["job"], said["token"]), name="attempt")
                elif not (answer := self._asked.popleft()).done():  # else who called has given up
                    answer.set_result(said)
            if self._task is not None and not self._task.done():
                os._exit(1)

    async def _attempt(self, fields: dict[str, Any], token: str) -> None:
        try:
            result = await self._run(fields, token)
            text = json.dumps({} if isinstance(result, Undefined) else {"returned": result})
        except Exception as error:
            text = json.dumps({"raised": {"name": type(error).__name__, "text": str(error), "stack": stack(error)}})
        self._writer.write(text.encode() + b"\n")

    async def _run(self, fields: dict[str, Any], token: str) -> Any:
        self._processors = self._processors or Processors(load(self._name), 1)
        job: Any = SandboxedJob(fields, token, partial(self._call, fields["id"]))
        try:
            return await self._processors.run(job, token)
        except asyncio.CancelledError as error:  # a worker cancels nothing here: it kills the child
            raise BullMQError(f"The processor was cancelled from within: {error}") from error

    async def _call(self, job: str, name: str, args: tuple[Any, ...]) -> Any:
        text = json.dumps({"job": job, "call": name, "args": args})
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._writer.write(text.encode() + b"\n")
        said = await answer
        if "refused" in said:
            refused = said["refused"]
            raise type(refused["name"], (BullMQError,), {})(refused["text"])
        return said["answer"]


def load(processor: str) -> Callable[..., Any]:
    """The function that `processor` names. Raises what importing it raises, and BullMQError when it has none."""
    place, _, name = processor.partition(":")
    name = name or "process"
    if place.endswith(".py") or "/" in place:
        spec = importlib.util.spec_from_file_location("bullmq_processor", place)
        if spec is None or spec.loader is None:
            raise BullMQError(f"File {place} is no Python module")
        module = importlib.util.module_from_spec(spec)
        sys.modules["bullmq_processor"] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(place)
    found: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(found):
        raise BullMQError(f"{place} has no function {name}: name it as {place}:function")
    return found


def main(descriptor: int, processor: str) -> None:
    """Serve the worker at the socket `descriptor`."""

    async def serve() -> None:
        reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor), limit=LIMIT)
        await Service(processor, reader, writer).serve()
        writer.close()

    asyncio.run(serve())
