"""Tracing: what the players of one cell send to Redis, as MONITOR tells it, with scripts by name."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache

import msgpack  # type: ignore[import-untyped]
from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import RedisError

from compat.drivers.places import ROOT
from compat.execute.facts import poll
from compat.model.cell import Side
from compat.model.run import ScriptCall
from compat.servers import Server
from compat.wire.monitor import Command, parse

CALLS = 400  # of one side, at most
_DEADLINE = 5_000  # ms for MONITOR to catch up
_LONGEST = 2_000  # characters of an argument
_TEXT = re.compile(r"const content = `((?:[^`\\]|\\.)*)`;", re.DOTALL)
_SCRIPTED = (b"evalsha", b"eval")


class Watch:
    """The commands seen, each with the user whose connection sent it."""

    def __init__(self) -> None:
        self.seen: list[tuple[Command, str]] = []
        self.sides: dict[str, Side] = {}
        self.prefix = ""

    def echoed(self, nodes: int) -> Callable[[], Awaitable[bool | None]]:
        """To be polled: has every node told of the ECHO that ends the trace?"""
        mark = self.prefix.encode("utf-8", "surrogateescape")

        async def look() -> bool | None:
            return sum(_is_echo(command) and mark in command.words for command, _ in self.seen) >= nodes or None

        return look

    def told(self) -> tuple[tuple[ScriptCall, ...], int]:
        """The calls that concern the cell, in order; and how many are left out for their number."""
        mine = sorted(self.seen, key=lambda entry: entry[0].at_ms)
        first = mine[0][0].at_ms if mine else 0.0
        calls = tuple(
            script_call(command, self.sides[user], self.prefix, round(command.at_ms - first, 1))
            for command, user in mine[:CALLS]
        )
        return calls, max(0, len(mine) - CALLS)


@asynccontextmanager
async def watching(
    watch: Watch, server: Server, prefix: str, users: Callable[[], dict[str, Side]]
) -> AsyncIterator[None]:
    """MONITOR on every master for as long as this is open; `users` are asked for at the end."""
    watch.prefix = prefix
    listeners: list[asyncio.Task[None]] = []
    connections: list[tuple[Redis, Connection]] = []
    try:
        for node in server.nodes:
            client = server.client(node)
            connection = await client.connection_pool.get_connection()  # type: ignore[no-untyped-call]
            connections.append((client, connection))
            await connection.send_command("MONITOR")
            await connection.read_response()
            listeners.append(asyncio.create_task(_listen(watch, client, connection)))
        yield
        for client, _ in connections:  # what was sent before this line has been told before its echo
            await client.echo(prefix)
        await poll(watch.echoed(sum(not task.done() for task in listeners)), _DEADLINE)  # a fault may have ended some
    finally:
        for task in listeners:
            task.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
        for client, connection in connections:
            await connection.disconnect()
            await client.connection_pool.release(connection)
        watch.sides |= users()
        watch.seen = [entry for entry in watch.seen if not _is_echo(entry[0]) and entry[1] in watch.sides]


async def _listen(watch: Watch, client: Redis, connection: Connection) -> None:
    """Note every command that names a key of the cell, with its user: asked for while the connection lives."""
    owners: dict[str, str] = {}
    mark = watch.prefix.encode("utf-8", "surrogateescape")
    with suppress(RedisError, OSError):
        while True:
            line = await connection.read_response(disable_decoding=True)
            command = parse(line if isinstance(line, bytes) else str(line).encode())
            if command is None or command.source == "lua" or not any(word.startswith(mark) for word in command.words):
                continue
            if command.source not in owners:
                owners |= {str(row["addr"]): str(row.get("user", "")) for row in await client.client_list()}
            watch.seen.append((command, owners.get(command.source, "")))


def _is_echo(command: Command) -> bool:
    return command.words[0].lower() == b"echo"


def script_call(command: Command, side: Side, prefix: str, at_ms: float) -> ScriptCall:
    """A command as a call: a script with its KEYS and ARGV apart, anything else with its words as arguments."""

    def shown(words: Sequence[bytes]) -> tuple[str, ...]:
        return tuple(_argument(word).replace(prefix, "<prefix>") for word in words)

    name, *words = command.words
    if name.lower() not in _SCRIPTED or len(words) < 2 or not words[1].isdigit():
        return ScriptCall(at_ms, side, name.decode("ascii", "replace").upper(), (), shown(words))
    sha = words[0].decode("ascii", "replace") if name.lower() == b"evalsha" else hashlib.sha1(words[0]).hexdigest()
    keys, rest = words[2 : 2 + int(words[1])], words[2 + int(words[1]) :]
    return ScriptCall(at_ms, side, names().get(sha, sha[:10]), shown(keys), shown(rest))


def _argument(raw: bytes) -> str:
    """Text as it is; what is packed, as JSON; other bytes by their numbers."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = json.dumps(msgpack.unpackb(raw, strict_map_key=False), ensure_ascii=False, default=repr)
        except Exception:  # msgpack raises whatever the bytes lead it to
            text = raw.decode("utf-8", "backslashreplace")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


@cache
def names() -> dict[str, str]:
    """SHA-1 → name, of the scripts of every BullMQ that is installed for Node."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / "node" / "node_modules").glob("bullmq*/dist/cjs/scripts/*-*.js")):
        literal = _TEXT.search(file.read_text("utf-8"))
        if literal is not None:
            text = re.sub(r"\\([`\\$])", r"\1", literal[1])
            found.setdefault(hashlib.sha1(text.encode()).hexdigest(), file.stem.rpartition("-")[0])
    return found
