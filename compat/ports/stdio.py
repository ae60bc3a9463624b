"""A driver's side of `bullmq-compat/1` on stdin and stdout: the standard library alone, so that any venv can run it."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import math
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, Final

PROTOCOL: Final = "bullmq-compat/1"
LINE_LIMIT: Final = 16 * 1024 * 1024  # bytes

RAISED: Final = -32000
NOT_IMPLEMENTED: Final = -32601
UNSUPPORTED_OPTION: Final = -32602
ENVIRONMENT: Final = -32001
DRIVER: Final = -32002

Handler = Callable[[dict[str, Any]], Awaitable[Any]]


class Answer(Exception):
    """Ends a request with an error: `code` as above; `symbol` as in the protocol's table, when the port raised."""

    def __init__(self, text: str, code: int = RAISED, symbol: str = "unclassified") -> None:
        super().__init__(text)
        self.text, self.code, self.symbol = text, code, symbol

    def error(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.text, "data": {"bullmq": self.symbol, "message": self.text}}


class Undefined:
    """JavaScript's `undefined`: an absent value, told apart from None."""

    def __repr__(self) -> str:
        return "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()

_SAFE = 2**53
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}


def decode(value: Any) -> Any:
    """Untag what the harness sent: `$undefined`, `$number`, `$int`, `$bytes`, `$utf16` become what they stand for."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        tag, content = next(iter(value.items()))
        if tag == "$undefined":
            return UNDEFINED
        if tag == "$number":
            return _NUMBERS[content]
        if tag == "$int":
            return int(content)
        if tag == "$bytes":
            return base64.b64decode(content)
        if tag == "$utf16":
            units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in content.split())
            return units.decode("utf-16-be", "surrogatepass")
    return {key: decode(item) for key, item in value.items()}


def encode(value: Any) -> Any:
    """Tag what JSON cannot hold. Whole floats become integers, as JavaScript writes them."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if _plain(value) else {"$utf16": value.encode("utf-16-be", "surrogatepass").hex(" ", 2)}
    if isinstance(value, int):
        return value if -_SAFE <= value <= _SAFE or _is_double(value) else {"$int": str(value)}
    if isinstance(value, float):
        return _encode_float(value)
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, Undefined):
        return {"$undefined": True}
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    return [encode(item) for item in value]


def _is_double(value: int) -> bool:
    """Whether JavaScript, too, would show these digits: those that a double's shortest notation is padded with."""
    return abs(value) < 10**21 and int(Decimal(repr(float(value)))) == value


def _encode_float(value: float) -> Any:
    if math.isnan(value):
        return {"$number": "NaN"}
    if math.isinf(value):
        return {"$number": "Infinity" if value > 0 else "-Infinity"}
    if value == 0 and math.copysign(1, value) < 0:
        return {"$number": "-0"}
    return int(Decimal(repr(value))) if value.is_integer() and abs(value) < 1e21 else value


def _plain(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Stdio:
    """The conversation: requests are handled concurrently, `call` asks the harness, `notify` tells it.

    `handlers` maps a method's full name to an `async` function of its parameters (a dict, not yet untagged). What a
    handler returns is tagged with `encode`. `translate` makes an `Answer` of any other error a handler raises.
    """

    def __init__(self, handlers: Mapping[str, Handler], translate: Callable[[Exception], Answer]) -> None:
        self._handlers = handlers
        self._translate = translate
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer: asyncio.WriteTransport | None = None
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Serve until `stop()` or the end of stdin. File descriptor 1 is then stderr's: prints cannot spoil a line."""
        loop = asyncio.get_running_loop()
        out = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        reader = asyncio.StreamReader(limit=LINE_LIMIT)
        incoming, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        self._writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, out)
        reading = asyncio.create_task(self._read(reader), name="stdin")
        over = asyncio.create_task(self._over.wait(), name="over")
        try:
            await asyncio.wait({reading, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pending = [reading, over, *self._tasks]
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            incoming.close()
            self._writer.close()

    def stop(self) -> None:
        """End `run` once what is being answered now has been written."""
        asyncio.get_running_loop().call_soon(self._over.set)

    async def call(self, method: str, params: Mapping[str, Any]) -> Any:
        """Ask the harness; its answer, still tagged. Raises `Answer` when it answers with an error."""
        number = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        try:
            self._write({"jsonrpc": "2.0", "id": number, "method": method, "params": encode(params)})
            return await future
        finally:
            del self._asked[number]

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Tell the harness; no answer comes."""
        self._write({"jsonrpc": "2.0", "method": method, "params": encode(params)})

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.strip():
                self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            task = asyncio.create_task(self._serve(message), name=f"{message['method']} {message.get('id')}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif (future := self._asked.get(message.get("id", 0))) is not None and not future.done():
            if error := message.get("error"):
                future.set_exception(Answer(error.get("message", ""), error.get("code", DRIVER)))
            else:
                future.set_result(message.get("result"))

    async def _serve(self, message: dict[str, Any]) -> None:
        method, reply = message["method"], {}
        handler = self._handlers.get(method)
        try:
            if handler is None:
                raise Answer(f"{method} is not implemented by this driver", NOT_IMPLEMENTED)
            reply["result"] = encode(await handler(message.get("params") or {}))
        except Answer as answer:
            reply["error"] = answer.error()
        except Exception as error:
            reply["error"] = self._translate(error).error()
        if "id" in message:
            self._write({"jsonrpc": "2.0", "id": message["id"], **reply})

    def _write(self, message: dict[str, Any]) -> None:
        if self._writer is not None and not self._writer.is_closing():
            line = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            self._writer.write(line.encode("utf-8", "replace") + b"\n")
