"""The peer `floor`: the same scripts over one raw socket, packed beforehand, no client logic. It seeds for others."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Any, cast

import hiredis

from bullmq_ref import lua
from bullmq_ref.client import Argument, packed_command
from bullmq_ref.jsjson import dumps
from bullmq_ref.keys import Keys
from bullmq_ref.pack import pack
from bullmq_ref.scripts import adding, working
from bullmq_ref.wire import Wire
from compat.bench.programs.contract import Answer, Question, Window, answer, question

_CHUNK = 16  # commands a write, when pipelined
_AHEAD = 256  # commands under way at most, so that neither side's buffer fills

_TERMS = working.Terms(lock_duration=30_000)
_HELD = working.Terms(lock_duration=3_600_000)  # of jobs that are seeded as active


class Packer:
    """Stands in for a queue's `Wire`: what a script function would send is packed and kept."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.scripts: dict[str, lua.Script] = {}
        self._packed = b""

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[Argument] = ()) -> Any:
        loaded = self.scripts[script] = lua.load(script)
        self._packed = packed_command(["EVALSHA", loaded.sha, loaded.keys, *keys, *arguments])
        return []

    def add(self, asked: Question) -> bytes:
        new = adding.NewJob(asked.name, dumps(asked.payload), pack({"attempts": 0}), int(time.time() * 1000))
        return self._command(self.run(*adding.call(self.keys, new)))

    def take(self, token: str, terms: working.Terms = _TERMS) -> bytes:
        return self._command(working.move_to_active(cast("Wire", self), token, terms))

    def finish(self, job: str, token: str) -> bytes:
        finish = working.Finish("completed", "null", {"count": -1}, {"attempts": 0})
        now = int(time.time() * 1000)
        return self._command(
            working.move_to_finished(cast("Wire", self), job, token, finish, _TERMS, at=now, fetch_next=True)
        )

    def renew(self, ids: Sequence[str], token: str) -> bytes:
        return self._command(working.extend_locks(cast("Wire", self), ids, [token] * len(ids), 30_000))

    def sweep(self) -> bytes:
        return self._command(working.move_stalled_jobs_to_wait(cast("Wire", self), max_stalled_count=1, interval=1))

    def _command(self, call: Any) -> bytes:
        asyncio.run(call)
        return self._packed


class Socket:
    """A blocking connection."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = hiredis.Reader()

    def one(self, command: bytes) -> Any:
        self._socket.sendall(command)
        return self._reply()

    def all(self, commands: Iterable[bytes]) -> None:
        """Send everything, some chunks ahead of the replies."""
        under_way = 0
        for chunk in _chunks(commands):
            self._socket.sendall(b"".join(chunk))
            under_way += len(chunk)
            while under_way > _AHEAD:
                self._reply()
                under_way -= 1
        for _ in range(under_way):
            self._reply()

    def load(self, scripts: Iterable[lua.Script]) -> None:
        for script in scripts:
            self.one(packed_command(["SCRIPT", "LOAD", script.text]))

    def close(self) -> None:
        self._socket.close()

    def _reply(self) -> Any:
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(65536))
        if isinstance(reply, Exception):
            raise reply
        return reply


def measure(asked: Question) -> Answer:
    connection, window = Socket(asked.host, asked.port), Window()
    ops, latencies = asked.jobs * len(asked.queues), list[float]()
    try:
        for queue in asked.queues:
            packer = Packer(Keys(queue, asked.prefix))
            if asked.kind == "seed":
                _seed(connection, packer, asked)
            elif asked.kind in ("renew", "sweep"):
                latencies = _sample(connection, packer, asked, window)
            else:
                _stream(connection, packer, asked, window)
    finally:
        connection.close()
    return window.answer(ops, latencies=tuple(latencies))


def _seed(connection: Socket, packer: Packer, asked: Question) -> None:
    """Jobs that wait or, if `active`, are held; and the queue's meta, as a producer would have written it."""
    add, take = packer.add(asked), packer.take(asked.token, _HELD)
    connection.load(packer.scripts.values())
    fields = ("opts.maxLenEvents", 10_000, "version", f"bullmq:{lua.VERSION}")
    connection.one(packed_command(["HMSET", packer.keys.meta, *fields]))
    connection.all(chain(repeat(add, asked.jobs), repeat(take, asked.jobs if asked.active else 0)))


def _stream(connection: Socket, packer: Packer, asked: Question, window: Window) -> None:
    """All adds or all attempts; one by one where the workload has one at a time under way."""
    one_by_one = asked.kind != "bulk" and asked.in_flight * asked.concurrency * asked.workers == 1
    if asked.kind == "work":
        taken = [packer.take(asked.token)] * (asked.concurrency * asked.workers)
        commands = [*taken, *(packer.finish(str(n + 1), asked.token) for n in range(asked.jobs))]
    else:
        commands = [packer.add(asked)] * asked.jobs
    connection.load(packer.scripts.values())
    with window:
        if one_by_one:
            for command in commands:
                connection.one(command)
        else:
            connection.all(commands)


def _sample(connection: Socket, packer: Packer, asked: Question, window: Window) -> list[float]:
    """ms of each call."""
    ids = [str(n + 1) for n in range(asked.concurrency)]
    command = packer.renew(ids, asked.token) if asked.kind == "renew" else packer.sweep()
    connection.load(packer.scripts.values())
    latencies: list[float] = []
    with window:
        for _ in range(asked.jobs):
            moment = time.perf_counter()
            connection.one(command)
            latencies.append((time.perf_counter() - moment) * 1000)
            time.sleep(0.002)  # a sweep within the last one's interval would do nothing
    return latencies


def _chunks(commands: Iterable[bytes]) -> Iterator[list[bytes]]:
    left = iter(commands)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


if __name__ == "__main__":
    answer(measure(question()))
