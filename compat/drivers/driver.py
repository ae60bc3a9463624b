"""A driver: a process that speaks `bullmq-compat/1`, as the harness talks to it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from compat.drivers.attached import Attached, is_attached
from compat.drivers.errors import CallRaised, Died, DriverError, Late, Malformed, NotStarted, Rubbish, Stray, Undeclared
from compat.drivers.process import Process
from compat.drivers.transcript import Recorder
from compat.model.history import Problem
from compat.protocol import messages, values
from compat.protocol.messages import Envelope, Hello, RpcError, Welcome
from compat.protocol.methods import METHODS
from compat.protocol.symbols import UNCLASSIFIED

START_DEADLINE = 20_000  # ms for `initialize`: the first start of an interpreter on a busy machine is slow
CALL_DEADLINE = 10_000  # ms for any other call
#: ms for calls that may rightly wait for a blocking command of the port's, which lasts up to 10 s, to end.
CLOSE_DEADLINES = {"worker.close": 25_000, "scenario.end": 25_000}
PATIENT_DEADLINE = 3_600_000  # ms for any call of an attached driver: somebody reads its code at a breakpoint

#: Answers a request of the driver's (`processor.call`, `processor.gate`) by its raw parameters.
Handler = Callable[[str, msgspec.Raw], Awaitable[Any]]
#: Takes a notification of the driver's.
Listener = Callable[[str, msgspec.Raw], None]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope).decode
_decode_any = msgspec.json.Decoder().decode
_DEEPEST = 120  # levels of lists and maps in a value


def _sound(raw: msgspec.Raw) -> Any:
    """A value as it came, tags and all. Raises `ValueError` where it is none that can be compared."""
    value = _decode_any(raw)
    if values.deeper_than(value, _DEEPEST):
        raise ValueError(f"it is nested deeper than {_DEEPEST} levels")
    values.decode(value)
    return value


class Driver:
    """One driver process after its handshake. `broken` tells why it must not be used again."""

    def __init__(self, process: Process | Attached, recorder: Recorder | None = None) -> None:
        self.process = process
        self._recorder = recorder
        self.welcome = Welcome("", "", "", "")
        self.broken: DriverError | None = None
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._forgotten: set[int] = set()  # calls that were cancelled: their answers may still come
        self._handler: Handler | None = None
        self._listener: Listener | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reader = asyncio.create_task(self._read(), name=f"driver {process.pid}")

    @classmethod
    async def launch(cls, command: Sequence[str], *, bullmq: str, transcript: Path | None = None) -> Driver:
        """Start a driver, or connect to one, and shake hands. Raises `NotStarted` or any other `DriverError`.

        Their conversation is written to the file `transcript`.
        """
        words = tuple(command)
        process = await (Attached.connect(words) if is_attached(words) else Process.spawn(words))
        driver = cls(process, Recorder(transcript) if transcript is not None else None)
        try:
            answer = await driver.call("initialize", Hello(messages.PROTOCOL, bullmq), deadline=START_DEADLINE)
            driver.welcome = msgspec.convert(answer, Welcome)
        except CallRaised as raised:
            await driver.kill()
            raise NotStarted(f"`initialize` was refused: {raised.problem.text}", stderr=driver.process.stderr) from None
        except msgspec.ValidationError as error:
            await driver.kill()
            raise Malformed(
                f"the answer to `initialize` has another shape: {error}",
                "see `bullmq-compat schema protocol` for what it must hold",
                driver.process.stderr,
            ) from None
        except BaseException:
            await driver.kill()
            raise
        if driver.welcome.protocol != messages.PROTOCOL:
            await driver.kill()
            raise Malformed(
                f"the driver speaks {driver.welcome.protocol or 'no protocol it names'}, not {messages.PROTOCOL}",
                f'answer `initialize` with "protocol": "{messages.PROTOCOL}"',
            )
        return driver

    # --- towards the driver ------------------------------------------------------------------------------------------

    async def call(self, method: str, params: Any = None, *, deadline: int | None = None) -> Any:
        """Call `method` and return its result, within `deadline` ms (None: what the method is due).

        Raises `CallRaised` when the port raised, else a `DriverError`.
        """
        if self.broken is not None:
            raise self.broken
        if self.process.patient:
            deadline = PATIENT_DEADLINE
        elif deadline is None:
            deadline = CLOSE_DEADLINES.get(method, CALL_DEADLINE)
        number = next(self._ids)
        future: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        request = {
            "jsonrpc": "2.0",
            "id": number,
            "method": method,
            "params": {} if params is None else params,
            "_meta": {"deadlineMs": deadline},
        }
        try:
            with contextlib.suppress(Died):  # it has just ended: the reader tells how, and what it said before
                self._write(request)
            async with asyncio.timeout(deadline / 1000):  # `wait_for` may swallow a cancellation when the answer comes
                result = await future
        except TimeoutError:
            raise self._break(
                Late(
                    f"`{method}` was not answered within {deadline} ms",
                    "the driver hangs, or the port waits for something that does not come",
                    self.process.stderr,
                )
            ) from None
        finally:
            if self._pending.pop(number, None) is not None and future.cancelled():
                self._forgotten.add(number)
        try:
            return _sound(result)
        except (ValueError, RecursionError) as error:
            raise self._break(
                Malformed(f"the answer to `{method}` is no value that can be read: {error}", stderr=self.process.stderr)
            ) from None

    def _write(self, message: dict[str, Any]) -> None:
        line = _encode(message)
        if self._recorder is not None:
            self._recorder.note(">", line)
        self.process.write(line)

    def serve(self, handler: Handler | None, listener: Listener | None) -> None:
        """Hand what the driver asks and tells to these from now on. What the last ones have not answered is dropped."""
        for task in tuple(self._tasks):
            task.cancel()
        self._handler, self._listener = handler, listener

    # --- from the driver ---------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            async for line in self.process.lines():
                if line.strip():
                    if self._recorder is not None:
                        self._recorder.note("<", line)
                    self._take(line)
            await self.process.wait()
            self._break(self.process.death())
        except DriverError as error:
            self._break(error)

    def _take(self, line: bytes) -> None:
        try:
            message = _decode(line)
        except (ValueError, RecursionError) as error:
            shown = line[:200].decode("utf-8", "replace").rstrip("\n")
            raise Rubbish(
                f"a line on standard output is not a message of the protocol: {shown!r} ({error})",
                "standard output is the protocol's alone; log to standard error",
                self.process.stderr,
            ) from None
        if isinstance(message.method, str):
            self._take_request(message, message.method)
        elif isinstance(message.id, int) and message.id in self._pending:
            future = self._pending.pop(message.id)
            if future.done():
                return
            if isinstance(message.error, RpcError):
                future.set_exception(self._raised(message.error))
            elif isinstance(message.result, msgspec.Raw):
                future.set_result(message.result.copy())
            else:
                raise Malformed(f"the answer to call {message.id} has neither `result` nor `error`")
        elif isinstance(message.id, int) and message.id in self._forgotten:
            self._forgotten.discard(message.id)
        else:
            again = " again" if isinstance(message.id, int) and 0 < message.id < next(self._ids) else ""
            raise Stray(
                f"an answer came{again} to call {message.id!r}, which was not waiting for one",
                "answer each call once, with the id that it came with",
                self.process.stderr,
            )

    def _take_request(self, message: Envelope, method: str) -> None:
        if message.id in self._pending and method in METHODS:
            raise Malformed(
                f"this program echoes what it is sent (`{method}`); it does not speak {messages.PROTOCOL}",
                "answer each call with its `id` and a `result` or an `error`, and without its `method`",
                self.process.stderr,
            )
        params = message.params.copy() if isinstance(message.params, msgspec.Raw) else msgspec.Raw(b"{}")
        if message.id is None:
            if self._listener is not None:
                try:
                    _sound(params)
                    self._listener(method, params)
                except (ValueError, RecursionError) as error:
                    raise self._misshapen(method, error) from None
            return
        task = asyncio.create_task(self._answer(message.id, method, params), name=f"{method} {message.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int | str, method: str, params: msgspec.Raw) -> None:
        try:
            if self._handler is None:
                reply: dict[str, Any] = {"error": {"code": messages.LATE, "message": "no scenario is under way"}}
            else:
                reply = {"result": await self._handler(method, params)}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._break(self._misshapen(method, error))
            return
        if self.broken is None and self.process.alive:
            with contextlib.suppress(Died):  # it is just ending: the reader tells of it
                self._write({"jsonrpc": "2.0", "id": number, **reply})

    def _misshapen(self, method: str, error: Exception) -> Malformed:
        return Malformed(f"`{method}` has parameters of another shape: {error}", stderr=self.process.stderr)

    def _raised(self, error: RpcError) -> Exception:
        symbol = error.data.bullmq if error.data is not None else UNCLASSIFIED
        text = (error.data.message if error.data is not None else "") or error.message
        match error.code:
            case messages.RAISED:
                return CallRaised(Problem(symbol, text))
            case messages.NOT_IMPLEMENTED | messages.UNSUPPORTED_OPTION:
                return Undeclared(
                    f"the driver declares what it does not do: {text}",
                    "leave it out of `capabilities`; scenarios that need it are then not applicable",
                    self.process.stderr,
                )
            case _:
                return DriverError(f"the driver answered with error {error.code}: {text}", stderr=self.process.stderr)

    # --- its end -----------------------------------------------------------------------------------------------------

    def _break(self, error: DriverError) -> DriverError:
        """Note that this driver is beyond use, and fail whoever waits for it."""
        if self.broken is None:
            self.broken = error
        for future in self._pending.values():
            if not future.done():
                future.set_exception(self.broken)
        self._pending.clear()
        return self.broken

    async def kill(self) -> None:
        """End it without a word, as a crash would."""
        await self._end(self.process.kill())

    async def close(self) -> None:
        """End it politely: `shutdown`, then SIGTERM, then SIGKILL."""
        if self.broken is None and self.process.alive:
            with contextlib.suppress(DriverError, CallRaised):  # it is ended in any case
                await self.call("shutdown", deadline=1_000)
        await self._end(self.process.terminate())

    async def _end(self, ending: Awaitable[None]) -> None:
        self._break(DriverError("the driver was ended by the harness"))
        for task in tuple(self._tasks):
            task.cancel()
        await ending
        self._reader.cancel()
        await asyncio.gather(self._reader, *self._tasks, return_exceptions=True)
        if self._recorder is not None:
            self._recorder.close()
