"""Production, whose workers are Node's; the mirror, as a user starts it; a new worker of bullmq_ref."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bullmq_ref import RedisOptions, Worker
from compat.servers import Server, embedded

NODE = Path(__file__).resolve().parents[3] / "node"
DEADLINE = 120  # s; a process that is started takes its time on a busy machine

#: Adds jobs, works as production does, and ends when so many jobs have ended.
PROGRAM = """
const { Queue, UnrecoverableError, Worker } = require('bullmq');
const given = JSON.parse(process.argv[1]);
const connection = { ...given.connection, maxRetriesPerRequest: null };
const { prefix, jobs, ends } = given;
async function process_(job) {
  switch (job.name) {
    case 'sum': return { total: job.data.numbers.reduce((a, b) => a + b, 0), at: Date.now() };
    case 'bad': throw new Error(`no such mailbox: ${job.data.to}`);
    case 'refused': throw new UnrecoverableError('refused');
    case 'flaky': if (job.attemptsMade === 0) throw new Error('try again'); return 'at last';
    case 'nothing': return;
  }
}
(async () => {
  const queue = new Queue('q', { connection, prefix });
  const added = await queue.addBulk(jobs);
  if (ends > 0) {
    const worker = new Worker('q', process_, { connection, prefix, autorun: false });
    let left = ends;
    const over = new Promise((resolve) => {
      const ended = () => { left -= 1; if (left === 0) resolve(); };
      worker.on('completed', ended);
      worker.on('failed', (job) => { if (job.finishedOn) ended(); });
    });
    await worker.waitUntilReady(); // one that is closed while it connects throws
    worker.run();
    await over;
    await worker.close();
  }
  await queue.close();
  console.log(JSON.stringify(added.map((job) => job.id)));
})().catch((error) => { console.error(error); process.exit(1); });
"""


@dataclass
class Production:
    """A queue `q` that Node works on."""

    server: Server
    prefix: str

    async def run(self, *jobs: dict[str, Any]) -> list[str]:
        """Let Node add these jobs and work on them to their ends; their ids."""
        return await self._play(jobs, len(jobs))

    async def add(self, *jobs: dict[str, Any]) -> list[str]:
        """Let Node add these jobs; their ids."""
        return await self._play(jobs, 0)

    async def work(self, ends: int) -> None:
        """Let Node work until so many jobs have ended."""
        await self._play((), ends)

    async def _play(self, jobs: tuple[dict[str, Any], ...], ends: int) -> list[str]:
        node = self.server.owner(f"{self.prefix}:q:wait")
        given: dict[str, Any] = {"connection": {"host": node.host, "port": node.port}, "prefix": self.prefix}
        given |= {"jobs": jobs, "ends": ends}
        process = await asyncio.create_subprocess_exec(
            "node", "-e", PROGRAM, json.dumps(given), cwd=NODE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
        assert process.returncode == 0, err.decode()
        ids: list[str] = json.loads(out)
        return ids


@dataclass
class Mirrored:
    """What a mirror said."""

    code: int
    records: list[dict[str, Any]] = field(default_factory=list)
    err: str = ""

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["type"] == kind]

    @property
    def end(self) -> dict[str, Any]:
        return self.records[-1]


@dataclass
class Scene:
    """A server with production on it, and the shadow's prefix."""

    server: Server
    prefix: str

    @property
    def production(self) -> Production:
        return Production(self.server, self.prefix)

    @property
    def shadow(self) -> str:
        return self.prefix.replace("{t", "{s")

    @property
    def url(self) -> str:
        return f"redis://{self.server.nodes[0]}"

    @property
    def connection(self) -> RedisOptions:
        nodes = tuple((node.host, node.port) for node in self.server.nodes)
        return RedisOptions(nodes=nodes, cluster=self.server.topology == "cluster")

    def words(self, *arguments: str) -> list[str]:
        """The command line."""
        where = ("--queue", "q", "--prefix", self.prefix, "--shadow-prefix", self.shadow, "--server", self.url)
        return [sys.executable, "-m", "compat", "mirror", *where, *arguments]

    async def mirror(self, *arguments: str) -> Mirrored:
        """Run a mirror to its end; with --json."""
        process = await asyncio.create_subprocess_exec(
            *self.words("--json", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
        assert process.returncode is not None
        return Mirrored(process.returncode, [json.loads(line) for line in out.splitlines()], err.decode())

    @asynccontextmanager
    async def worker(self, processor: Callable[..., Awaitable[Any]], **options: Any) -> AsyncIterator[None]:
        """A new worker that listens on the shadow queue."""
        async with Worker("q", processor, connection=self.connection, prefix=self.shadow, **options):
            yield

    async def lasted(self, job: str, ms: int) -> None:
        """Let a job of production have lasted so long."""
        key = f"{self.prefix}:q:{job}"
        client = self.server.client(self.server.owner(key))
        await client.hset(key, "processedOn", int(await client.hget(key, "finishedOn")) - ms)

    async def replays(self) -> list[dict[str, str]]:
        """All jobs of the shadow queue."""
        client = self.server.client(self.server.owner(f"{self.shadow}:q:wait"))
        found = []
        async for key in client.scan_iter(match=f"{self.shadow}:q:m*-*", count=1000):
            if await client.type(key) == b"hash":
                fields = await client.hgetall(key)
                found.append({name.decode(): value.decode() for name, value in fields.items()})
        return found


@pytest.fixture
def scene(single_server: Server, prefix: str) -> Scene:
    return Scene(single_server, prefix)


@pytest.fixture
def on_cluster(cluster_server: Server, prefix: str) -> Scene:
    return Scene(cluster_server, prefix)


@pytest.fixture
async def on_own(prefix: str) -> AsyncIterator[Scene]:
    """A server whose users and life are the test's."""
    async with embedded("single", durable=True) as server:
        yield Scene(server, prefix)


@pytest.fixture(params=["single", "cluster"])
async def on_servers(request: pytest.FixtureRequest, prefix: str) -> AsyncIterator[Scene]:
    """Servers whose users are the test's."""
    async with embedded(request.param) as server:
        yield Scene(server, prefix)
