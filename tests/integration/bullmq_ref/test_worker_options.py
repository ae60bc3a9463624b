"""Each option of a worker does what Node's does."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from bullmq_ref import Invalid, WorkerOptions
from bullmq_ref.client import Client

SHARED = (
    "concurrency",
    "drainDelay",
    "lockDuration",
    "stalledInterval",
    "maxStalledCount",
    "runRetryDelay",
    "autorun",
)

NODE = "const opts = { connection: { host: given.host, port: given.port }, prefix: given.prefix };"


def where(make: Any) -> dict[str, Any]:
    host, port = make.connection.nodes[0]
    return {"host": host, "port": port, "prefix": make.prefix}


async def test_the_defaults_are_nodes(make_single: Any, node: Any) -> None:
    theirs = await node(
        NODE
        + """
        const worker = new Worker('q', null, opts); await worker.waitUntilReady();
        answer = worker.opts; await worker.close();
        """,
        **where(make_single),
    )
    ours = WorkerOptions()
    assert {name: ours.node()[name] for name in SHARED} == {name: theirs[name] for name in SHARED}
    assert ours.renew_time == theirs["lockRenewTime"]
    assert {name for name in ("name", "limiter", "metrics", "maxStartedAttempts") if name in theirs} == set()


@pytest.mark.parametrize(
    "options",
    [
        *({"concurrency": value} for value in (0, -1, "3", math.nan, math.inf)),
        *({"drainDelay": value} for value in (0, -1, "5")),
        *({"stalledInterval": value} for value in (0, -1, "5")),
        *({"maxStalledCount": value} for value in (-1, "1")),
        {"maxStartedAttempts": -1},
        {"concurrency": 0, "drainDelay": 0, "stalledInterval": 0, "maxStalledCount": -1},
    ],
    ids=str,
)
async def test_what_node_refuses_is_refused_with_nodes_text(
    make_single: Any, node: Any, options: dict[str, Any]
) -> None:
    """(T034)"""
    there = await node(
        NODE
        + """
        const odd = { nan: NaN, inf: Infinity };
        const asked = Object.fromEntries(given.options.map(([name, value]) => [name, odd[value] ?? value]));
        try { new Worker('q', null, { ...opts, ...asked }) } catch (error) { answer = error.message }
        """,
        options=[[name, str(value) if isinstance(value, float) else value] for name, value in options.items()],
        **where(make_single),
    )
    with pytest.raises(Invalid) as refused:
        make_single.worker(None, "q", opts=options)
    assert str(refused.value) == there


async def test_what_node_accepts_is_accepted(make_single: Any, node: Any) -> None:
    options = {"concurrency": 1.5, "drainDelay": 0.1, "maxStalledCount": 0, "maxStartedAttempts": 0}
    there = await node(
        NODE
        + """
        const worker = new Worker('q', null, { ...opts, ...given.options }); await worker.waitUntilReady();
        answer = worker.concurrency; await worker.close();
        """,
        options=options,
        **where(make_single),
    )
    assert make_single.worker(None, "q", opts=options).concurrency == there == 1.5


async def test_what_options_leave_in_redis_is_what_nodes_leave(make_single: Any, until: Any, node: Any) -> None:
    """`lockDuration`, `stalledInterval`, `name`, `limiter`, `metrics` and removal, seen from inside an attempt and
    afterwards."""
    options = {
        "name": "wn",
        "lockDuration": 70_000,
        "stalledInterval": 50_000,
        "limiter": {"max": 2, "duration": 90_000},
        "metrics": {"maxDataPoints": 5},
        "removeOnComplete": {"count": 1},
        "removeOnFail": {"count": 0},
    }
    theirs = await node(
        NODE
        + """
        const queue = new Queue('n', opts), client = await queue.client, key = (part) => queue.toKey(part);
        const inside = [];
        const worker = new Worker('n', async (job) => {
          inside.push([await client.pttl(key(`${job.id}:lock`)), await client.pttl(key('stalled-check')),
            await client.pttl(key('limiter')), await client.get(key('limiter')), job.processedBy ?? null]);
          if (job.name === 'ill') throw new Error('no');
        }, { ...opts, ...given.options });
        let ended = 0;
        const both = new Promise((done) => {
          for (const event of ['completed', 'failed']) worker.on(event, () => ++ended === 2 && done());
        });
        await queue.add('well', {}); await queue.add('ill', {});
        await both;
        answer = { inside, left: [await queue.getJobCounts('completed', 'failed'),
          await client.hmget(key('metrics:completed'), 'count'), await client.hmget(key('metrics:failed'), 'count'),
          await client.exists(key('2'))] };
        await worker.close(); await queue.close();
        """,
        options=options,
        **where(make_single),
    )
    queue, inside = make_single.queue(), []
    key, command = queue.keys, queue.client.command

    async def look(job: Any, token: str) -> None:
        inside.append(
            [
                *(await asyncio.gather(*(command("PTTL", k) for k in (key.job(job.id, "lock"), key.stalled_check)))),
                await command("PTTL", key.limiter),
                await command("GET", key.limiter),
                job.processed_by,
            ]
        )
        if job.name == "ill":
            raise ValueError("no")

    ended: list[Any] = []
    worker = make_single.worker(look, opts=options)
    for event in ("completed", "failed"):
        worker.on(event, lambda *_: ended.append(1))
    await queue.add("well", {})
    await queue.add("ill", {})
    await until(lambda: len(ended) == 2)
    left = [
        await queue.get_job_counts("completed", "failed"),
        await command("HMGET", key.metrics("completed"), "count"),
        await command("HMGET", key.metrics("failed"), "count"),
        await command("EXISTS", key.job("2")),
    ]
    assert left == theirs["left"]
    for ours, others in zip(inside, theirs["inside"], strict=True):
        assert ours[3:] == others[3:]
        for mine, bound in zip(ours[:3], (70_000, 50_000, 90_000), strict=True):
            assert bound - 15_000 < mine <= bound
        for other, bound in zip(others[:3], (70_000, 50_000, 90_000), strict=True):
            assert bound - 15_000 < other <= bound


async def test_a_worker_that_skips_its_checks_does_not_make_them(make_single: Any, until: Any) -> None:
    queue, lives, go = make_single.queue(), [], asyncio.Event()

    async def hold(job: Any, token: str) -> None:
        await go.wait()

    worker = make_single.worker(hold, lock_duration=400, skip_lock_renewal=True, skip_stalled_check=True)
    worker.on("error", lambda error: lives.append(str(error)))
    job = await queue.add("n", {})
    await until(lambda: queue.client.command("EXISTS", queue.keys.job(job.id, "lock")))
    await until(lambda: _gone(queue, job.id))
    assert await queue.client.command("EXISTS", queue.keys.stalled_check) == 0
    assert worker.locks.renewed == 0
    go.set()
    await until(lambda: len(lives) == 2)
    assert lives == [f"Missing lock for job {job.id}. moveToFinished", f"Missing lock for job {job.id}. moveToFinished"]


async def _gone(queue: Any, job_id: str) -> bool:
    return bool(await queue.client.command("EXISTS", queue.keys.job(job_id, "lock")) == 0)


async def test_a_redis_before_6_is_asked_to_block_for_whole_seconds(
    make_single: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Node: it takes no others."""
    queue, waits, command = make_single.queue(), [], Client.command
    worker = make_single.worker(lambda job, token: None, autorun=False, drain_delay=1.5)

    async def old(client: Client, *arguments: Any) -> Any:
        return "redis_version:5.0.14\r\n" if arguments == ("INFO", "server") else await command(client, *arguments)

    async def blocking(seconds: float, *arguments: Any) -> None:
        waits.append((seconds, arguments[-1]))
        await asyncio.sleep(seconds)

    monkeypatch.setattr(Client, "command", old)
    monkeypatch.setattr(worker.blocking, "blocking", blocking)
    worker.run()
    await until(lambda: waits)
    await queue.add("n", {}, delay=20_000)
    await until(lambda: len(waits) > 1)
    assert waits == [(2, "2"), (10, "10")]
