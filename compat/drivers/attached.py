"""A driver that runs already, reached over a socket: under a debugger, say. The same lines as with a process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from compat.drivers.errors import Died, DriverError, NotStarted, Rubbish
from compat.protocol.messages import LINE_LIMIT

SCHEME = "attach:"
_CONNECT = 5.0  # s


def is_attached(command: tuple[str, ...]) -> bool:
    """Whether `command` names a driver to connect to, not one to start."""
    return len(command) == 1 and command[0].startswith(SCHEME)


class Attached:
    """A connection to a driver that somebody else has started, and ends. Nobody hurries it: see `patient`."""

    pid = 0
    stderr: tuple[str, ...] = ()
    patient = True

    def __init__(self, command: tuple[str, ...], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.command = command
        self._reader, self._writer = reader, writer
        self._over = asyncio.Event()

    @classmethod
    async def connect(cls, command: tuple[str, ...]) -> Attached:
        """Connect to `attach:HOST:PORT` or `attach:PATH` (a Unix socket). Raises `NotStarted`."""
        place = command[0].removeprefix(SCHEME)
        host, _, port = place.rpartition(":")
        network = port.isdigit() and bool(host)
        try:
            async with asyncio.timeout(_CONNECT):
                if network:
                    streams = await asyncio.open_connection(host, int(port), limit=LINE_LIMIT)
                else:
                    streams = await asyncio.open_unix_connection(place, limit=LINE_LIMIT)
        except (OSError, OverflowError, TimeoutError) as error:  # OverflowError: a port beyond 65535
            hint = "start it first, listening there (the skeletons of `driver new` do so with --listen PORT)"
            raise NotStarted(
                f"no driver listens at {place}: {error or f'no answer in {_CONNECT:g} s'}",
                hint if network else "name an address, attach:HOST:PORT, or the path of a Unix socket, attach:PATH",
            ) from error
        return cls(command, *streams)

    @property
    def alive(self) -> bool:
        return not self._over.is_set() and not self._writer.is_closing()

    def write(self, line: bytes) -> None:
        """Queue one line (without its end). Raises `Died` when the connection is gone."""
        if not self.alive:
            raise self.death()
        self._writer.write(line + b"\n")

    async def lines(self) -> AsyncIterator[bytes]:
        """Lines from the driver, until it hangs up. Raises `Rubbish` for a line beyond the limit."""
        try:
            while line := await self._reader.readline():
                yield line
        except ConnectionError:
            return
        except ValueError as error:
            raise Rubbish(f"a line of more than {LINE_LIMIT} bytes", "one JSON object a line") from error
        finally:
            self._over.set()

    def death(self) -> Died:
        """The end of the connection, as an error."""
        return Died("the attached driver hung up", "see what its process says")

    async def wait(self) -> None:
        """Wait until the driver hangs up."""
        await self._over.wait()

    async def kill(self) -> None:
        """Hang up. Its process lives on."""
        self._over.set()
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    terminate = kill

    def freeze(self) -> None:
        """It is not ours to stop. Raises `DriverError`."""
        raise DriverError("an attached driver cannot be stopped by the harness", "start it with --impl cmd:… instead")

    thaw = freeze
