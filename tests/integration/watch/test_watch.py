"""The watch on real queues: what it finds, what it does not, and that it only reads."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullmq_ref import Queue, RedisOptions, Worker
from compat.servers import Server, embedded
from compat.watch import CannotLook, Finding, Watch
from compat.watch.reading import COMMANDS, Reader, acl


@pytest.fixture
async def own() -> AsyncIterator[Server]:
    async with embedded("single") as server:
        yield server


def url(server: Server) -> str:
    return f"redis://{server.nodes[0]}"


async def watched(server: Server, prefix: str, *, seconds: float = 0.3, **options: Any) -> list[Finding]:
    reader = Reader(url(server), prefix, "q")
    try:
        return [f async for f in Watch(reader, interval=0.02, **options).findings(seconds)]
    finally:
        await reader.close()


async def filled(server: Server, prefix: str) -> None:
    """A queue with a job in every state that needs no flow."""

    async def process(job: Any, token: str) -> str:
        if job.name == "bad":
            raise ValueError("boom")
        return "done"

    async with Queue("q", connection=_address(server), prefix=prefix) as queue:
        await queue.add_bulk([{"name": name, "data": {"n": 1}} for name in ("good", "bad")])
        async with Worker("q", process, connection=_address(server), prefix=prefix):
            await _ended(queue)
        await queue.add("wait", {})
        await queue.add("later", {}, delay=600_000)
        await queue.add("first", {}, priority=3)


def _address(server: Server) -> RedisOptions:
    nodes = tuple((node.host, node.port) for node in server.nodes)
    return RedisOptions(nodes=nodes, cluster=server.topology == "cluster")


async def _ended(queue: Any) -> None:
    async with asyncio.timeout(20):
        while True:
            if sum((await queue.get_job_counts("completed", "failed")).values()) == 2:
                return
            await asyncio.sleep(0.01)


async def test_nothing_is_found_in_a_queue_that_is_well(single_server: Server, prefix: str) -> None:
    await filled(single_server, prefix)
    assert await watched(single_server, prefix) == []


async def test_the_queue_is_found_on_whichever_node_serves_it(cluster_server: Server, prefix: str) -> None:
    await filled(cluster_server, prefix)
    assert await watched(cluster_server, prefix) == []


BREAKS: dict[str, tuple[str, ...]] = {
    "one-state": ("LPUSH", "{q}:wait", "1"),
    "no-stranded-hash": ("ZREM", "{q}:completed", "1"),
    "no-dangling-member": ("LPUSH", "{q}:wait", "77"),
    "no-orphan-lock": ("SET", "{q}:1:lock", "token"),
    "field": ("HSET", "{q}:1", "data", "{'a': 1}"),
    "time-order": ("HSET", "{q}:2", "processedOn", "1000"),
    "score": ("ZADD", "{q}:delayed", "1700000000000", "4"),
    "outside": ("SET", "{q}:a:b:c:d", "1"),
    "event": ("XADD", "{q}:events", "*", "event", "progress", "jobId", "1", "data", "undefined"),
    "legal-life": ("XADD", "{q}:events", "*", "event", "active", "jobId", "1", "prev", "waiting"),
    "finished-once": ("XADD", "{q}:events", "*", "event", "completed", "jobId", "1", "returnvalue", "1"),
    "type": ("SET", "{q}:paused", "1"),
}  # fmt: skip


@pytest.mark.parametrize("law", BREAKS)
async def test_each_broken_law_is_told_once(law: str, single_server: Server, prefix: str) -> None:
    await filled(single_server, prefix)
    client = single_server.client(single_server.nodes[0])
    await client.execute_command(*(word.replace("{q}", f"{prefix}:q") for word in BREAKS[law]))
    found = await watched(single_server, prefix)
    mine = [finding for finding in found if finding.law == law]
    assert len(mine) == 1, found
    assert mine[0].why
    assert "q" in mine[0].words


async def test_more_than_twenty_findings_of_one_law_are_counted_only(single_server: Server, prefix: str) -> None:
    await filled(single_server, prefix)
    client = single_server.client(single_server.nodes[0])
    await client.lpush(f"{prefix}:q:wait", *(f"ghost-{n}" for n in range(30)))
    reader = Reader(url(single_server), prefix, "q")
    try:
        watch = Watch(reader, interval=0.02, sample=500)
        told = [f async for f in watch.findings(0.5)]
    finally:
        await reader.close()
    assert len(told) == 20
    assert watch.found["no-dangling-member"] == 30


async def test_a_job_whose_law_is_mended_between_two_looks_is_not_told(single_server: Server, prefix: str) -> None:
    """What was seen once is no finding: the second look sees a job that has changed."""
    await filled(single_server, prefix)
    client = single_server.client(single_server.nodes[0])
    await client.zrem(f"{prefix}:q:completed", "1")
    reader = Reader(url(single_server), prefix, "q")
    try:
        watch = Watch(reader, interval=0.02)
        rounds = watch._round  # the moment between two rounds, and no timer

        async def mended(*, last: bool) -> list[Finding]:
            found = await rounds(last=last)
            if "1" in watch._suspects:
                await client.zadd(f"{prefix}:q:completed", {"1": await client.hget(f"{prefix}:q:1", "finishedOn")})
            return found

        watch._round = mended  # type: ignore[method-assign]
        assert [f async for f in watch.findings(0.3)] == []
    finally:
        await reader.close()


async def test_a_user_with_nothing_but_the_read_commands_suffices(own: Server) -> None:
    """What the watch sends is what it says, and each of it only reads: the server refuses nothing and notes nothing."""
    await filled(own, "bull")
    client = own.client(own.nodes[0])
    await client.execute_command("ACL", "SETUSER", "reader", "reset", "on", ">secret", *acl("bull", "q").split())
    reader = Reader(f"redis://reader:secret@{own.nodes[0]}", "bull", "q")
    try:
        watch = Watch(reader, interval=0.02)
        assert [f async for f in watch.findings(0.3)] == []
    finally:
        await reader.close()
    assert watch.jobs > 5
    assert await client.acl_log() == []
    for name in COMMANDS:
        about = (await client.execute_command("COMMAND", "INFO", name)).get(name)
        assert "write" not in about["flags"], name


async def test_a_user_who_lacks_a_command_is_told_which(own: Server) -> None:
    await filled(own, "bull")
    client = own.client(own.nodes[0])
    rules = [*acl("bull", "q").split(), "-lpos"]
    await client.execute_command("ACL", "SETUSER", "poor", "reset", "on", ">secret", *rules)
    reader = Reader(f"redis://poor:secret@{own.nodes[0]}", "bull", "q")
    try:
        with pytest.raises(CannotLook, match="lpos"):
            [f async for f in Watch(reader, interval=0.02).findings(0.3)]
    finally:
        await reader.close()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "compat", "watch", "--interval", "20ms", "--for", "300ms", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False)


async def test_exit_codes_say_nothing_found_findings_and_could_not_look(single_server: Server, prefix: str) -> None:
    await filled(single_server, prefix)
    where = ("--server", url(single_server), "--prefix", prefix)
    well = command("--queue", "q", *where)
    assert (well.returncode, "no finding" in well.stdout) == (0, True), well.stderr
    await single_server.client(single_server.nodes[0]).lpush(f"{prefix}:q:wait", "77")
    ill = command("--queue", "q", *where, "--json")
    assert ill.returncode == 1
    finding, *_, end = map(json.loads, ill.stdout.splitlines())
    assert (finding["type"], finding["law"], finding["subject"]) == ("finding", "no-dangling-member", "77")
    assert (end["type"], end["findings"]) == ("end", {"no-dangling-member": 1})
    none = command("--queue", "nobody", *where)
    assert none.returncode == 3
    assert "there is no queue 'nobody'" in none.stderr
    away = command("--queue", "q", "--server", "redis://:geheim@127.0.0.1:1")
    assert away.returncode == 3
    assert "geheim" not in away.stderr
