"""A driver's process: lines in, lines out, standard error kept, the whole process group ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Sequence

from compat.drivers.errors import Died, NotStarted, Rubbish
from compat.protocol.messages import LINE_LIMIT

STDERR_LINES = 200
_GRACE = 1.0  # s between SIGTERM and SIGKILL


class Process:
    """A spawned driver. Its standard error is drained at all times and never decides a verdict."""

    patient = False  # deadlines hold for it

    def __init__(self, command: Sequence[str], process: asyncio.subprocess.Process) -> None:
        self.command = tuple(command)
        self._process = process
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._drain = asyncio.create_task(self._drain_stderr(), name=f"stderr of {self.pid}")

    @classmethod
    async def spawn(cls, command: Sequence[str]) -> Process:
        """Start `command`, in the caller's folder and a group of its own. Raises `NotStarted` when it cannot."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE_LIMIT,
                start_new_session=True,
            )
        except OSError as error:
            raise NotStarted(
                f"the driver could not be started: {' '.join(command)}: {error.strerror or error}",
                "check the path, and that the file may be executed",
            ) from error
        return cls(command, process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def stderr(self) -> tuple[str, ...]:
        """The last lines of standard error."""
        return tuple(self._stderr)

    async def _drain_stderr(self) -> None:
        assert self._process.stderr is not None
        # Read in blocks, not lines: a line without an end must not stop the driver.
        rest = b""
        while block := await self._process.stderr.read(65536):
            *lines, rest = (rest + block).split(b"\n")
            self._stderr.extend(line.decode("utf-8", "replace") for line in lines)
            rest = rest[-4096:]
        if rest:
            self._stderr.append(rest.decode("utf-8", "replace"))

    def write(self, line: bytes) -> None:
        """Queue one line (without its end). Raises `Died` when the process has ended."""
        assert self._process.stdin is not None
        if not self.alive or self._process.stdin.is_closing():
            raise self.death()
        self._process.stdin.write(line + b"\n")

    async def lines(self) -> AsyncIterator[bytes]:
        """Lines of standard output, until it ends. Raises `Rubbish` for a line beyond the limit."""
        assert self._process.stdout is not None
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError as error:
                raise Rubbish(
                    f"a line of more than {LINE_LIMIT} bytes on standard output",
                    "one JSON object a line; log to standard error",
                    self.stderr,
                ) from error
            if not line:
                return
            yield line

    def death(self) -> Died:
        """How the process ended, as an error."""
        code = self._process.returncode
        if code is None:
            how = "it closed its standard output"
        elif code < 0:
            how = f"killed by {signal.Signals(-code).name}"
        else:
            how = f"exit code {code}"
        return Died(f"the driver's process ended: {how}", "its standard error may say why", self.stderr)

    def hang_up(self) -> None:
        """End its standard input: nothing more will be asked of it."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def wait(self) -> None:
        """Wait for the end of the process and of its standard error."""
        await self._process.wait()
        await self._drain

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def kill(self) -> None:
        """SIGKILL to the group, at once: what a crash looks like to Redis."""
        self._signal(signal.SIGKILL)
        await self._reap()

    def freeze(self) -> None:
        """SIGSTOP to the group, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT to the group. May be called again."""
        self._signal(signal.SIGCONT)

    async def terminate(self) -> None:
        """SIGTERM to the group, SIGKILL a second later."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._process.wait()
        self._signal(signal.SIGKILL)  # what the driver itself started may outlive it
        await self._reap()

    async def _reap(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        try:
            # A grandchild outside the group may hold the pipe open for ever.
            async with asyncio.timeout(_GRACE):
                await asyncio.shield(self._drain)
        except TimeoutError:
            self._drain.cancel()
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()
