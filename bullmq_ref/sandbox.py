"""A sandbox: processors that run in child processes, so that they may block, leak or crash."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bullmq_ref.errors import (
    BullMQError,
    DelayedError,
    Invalid,
    RateLimitError,
    UnrecoverableError,
    WaitingChildrenError,
    WaitingError,
)
from bullmq_ref.job import Job
from bullmq_ref.jsjson import UNDEFINED

#: What a sandboxed processor may call on its job; carried out by the worker's own process, as in Node.
CALLS = frozenset(
    {
        "update_progress", "update_data", "log", "move_to_delayed", "move_to_wait", "move_to_waiting_children",
        "get_children_values", "get_ignored_children_failures",
    }
)  # fmt: skip

#: What the child is told of its job.
FIELDS = (
    "id", "name", "data", "options", "timestamp", "delay", "priority", "progress", "attempts_made", "attempts_started",
    "stalled_counter", "processed_on", "processed_by", "repeat_job_key", "deduplication_id", "parent_key", "parent",
    "queue_name", "prefix", "stacktrace",
)  # fmt: skip

LIMIT = 64 * 1024 * 1024  # bytes of a message; a job's payload is far smaller
#: The child's program: it imports from where we do.
_BEGIN = (
    "import sys; descriptor, processor, *sys.path[:] = sys.argv[1:]; "
    "from bullmq_ref.sandbox_child import main; main(int(descriptor), processor)"
)
_PATIENCE = 2.0  # s that an idle child may take to end

_KNOWN: dict[str, type[BullMQError]] = {
    kind.__name__: kind
    for kind in (DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError)
}


@dataclass(frozen=True)
class Sandbox:
    """A processor by its name: `package.module:function`, or `path/to/file.py:function`; without `:function` the
    function is `process`. It may be a coroutine function or a plain one, and is called with a job that has the fields
    of FIELDS and the methods of CALLS (coroutine functions all), and the token. `environment` is added to the
    children's.

    Children are kept for the next job, as many as jobs run at once. A child that dies fails its attempt with Node's
    text, `Unexpected exit code: null signal: SIGKILL`; an attempt that is cancelled or takes too long ends its child.
    What is called on a job after its attempt has ended is refused. POSIX only.

    Raises Invalid when there is no such file or module.
    """

    processor: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self.processor)


class Children:
    """The child processes of one worker."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()

    async def run(self, job: Job[Any, Any], token: str) -> Any:
        """Run the processor on `job` in a child. Raises what it raises, under its class's name, with its stack."""
        child = await self._child()
        try:
            result = await child.work(job, token)
        except _Raised as raised:
            self._idle.append(child)
            raise raised.error from None
        except BaseException:
            self._all.discard(child)
            await child.end(kill=True)
            raise
        self._idle.append(child)
        return result

    async def close(self) -> None:
        """End them all."""
        children, self._all, self._idle = tuple(self._all), set(), []
        await asyncio.gather(*(child.end(kill=child.busy) for child in children))

    async def _child(self) -> _Child:
        """One that is idle and has not died meanwhile, else a new one."""
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
            self._all.discard(child)
            await child.end(kill=True)
        child = await _Child.start(self._sandbox)
        self._all.add(child)
        return child


class _Raised(Exception):
    """The processor raised `error`; its child is well."""

    def __init__(self, error: BullMQError) -> None:
        self.error = error


class _Child:
    """One child process and the socket to it; a JSON value a line each way."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self.busy = False

    @classmethod
    async def start(cls, sandbox: Sandbox) -> _Child:
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _BEGIN, str(theirs.fileno()), sandbox.processor, *sys.path),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, **sandbox.environment},
                start_new_session=True,  # a Ctrl-C is the worker's to handle
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        try:
            reader, writer = await asyncio.open_connection(sock=ours, limit=LIMIT)
        except BaseException:
            ours.close()  # the child ends when its socket does
            raise
        return cls(process, reader, writer)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._reader.at_eof()

    async def work(self, job: Job[Any, Any], token: str) -> Any:
        """One job: serve its calls until it has ended."""
        self.busy = True
        self._say({"job": {name: getattr(job, name) for name in FIELDS}, "token": token})
        while line := await self._hear():
            said = json.loads(line)
            if "call" in said:
                self._say(await _carry_out(job, said))
                continue
            self.busy = False
            if "raised" in said:
                raise _Raised(_error(said["raised"]))
            return said.get("returned", UNDEFINED)
        code = await self._process.wait()
        signalled = signal.Signals(-code).name if code < 0 else "null"
        raise BullMQError(f"Unexpected exit code: {'null' if code < 0 else code} signal: {signalled}")

    async def end(self, *, kill: bool) -> None:
        """End it: by closing its socket, or at once."""
        if kill:  # before it hears that its socket is closed, and ends by itself
            self._kill()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self._kill()
            await self._process.wait()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _hear(self) -> bytes:
        try:
            return await self._reader.readline()
        except ConnectionError:
            return b""

    def _say(self, value: Any) -> None:
        self._writer.write(json.dumps(value).encode() + b"\n")


async def _carry_out(job: Job[Any, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    name = said["call"]
    try:
        if said["job"] != job.id:
            raise BullMQError(f"{name}: the attempt at job {said['job']} has ended, and the call came after it")
        if name not in CALLS:
            raise BullMQError(f"A sandboxed job has no method {name}; it has {', '.join(sorted(CALLS))}")
        return {"answer": await getattr(job, name)(*said["args"])}
    except Exception as error:
        return {"refused": {"name": type(error).__name__, "text": str(error)}}


def _error(raised: Mapping[str, str]) -> BullMQError:
    """The processor's error under its own class name: that is how a worker tells one kind from another."""
    name = raised["name"]
    kind: type[BullMQError] = _KNOWN.get(name) or type(name, (BullMQError,), {})
    error = kind(raised["text"])
    error.stack = raised["stack"]
    return error


def _check(processor: str) -> None:
    module, _, _ = processor.partition(":")
    if module.endswith(".py") or "/" in module:
        if not Path(module).is_file():
            raise Invalid(f"File {module} does not exist", field="processor")
        return
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise Invalid(
            f"Module {module} does not exist; expected package.module:function or path/to/file.py:function",
            field="processor",
        )
