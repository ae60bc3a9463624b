"""A queue under load lives through what Redis does to it: no job is lost, none added twice, nothing stuck
(T123–T131, T145–T150)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullmq_ref import CommandFailed, lua
from compat.faults import (
    ConnectionReset,
    ConnectionsKilled,
    FailedOver,
    Frozen,
    HalfOpen,
    Killed,
    Loading,
    LocksEvicted,
    MasterLost,
    MemoryFull,
    Proxy,
    ReadOnly,
    ReplyLost,
    ScriptsFlushed,
    SlotMoved,
    SlotTorn,
    SlotUnserved,
)
from compat.servers import ServerError


@pytest.mark.parametrize(
    "kind", [Killed, Frozen, Loading, ConnectionsKilled, ScriptsFlushed, LocksEvicted, MemoryFull, ReadOnly]
)
async def test_on_a_single_redis(kind: Any, own: Any, make_on: Any, load: Any, until: Any) -> None:
    """(T123, T124, T126, T151)"""
    under_way = await load(make_on(own))
    async with kind(own):
        under_way.go_on.set()
        if kind not in (Frozen, ScriptsFlushed, LocksEvicted):  # these nobody need notice
            await until(lambda: under_way.met)
    await under_way.settled()
    await under_way.account()


@pytest.mark.parametrize("kind", [SlotUnserved, SlotMoved])
async def test_in_a_cluster(kind: Any, own_cluster: Any, make_on: Any, load: Any, until: Any) -> None:
    """(T109, T110)"""
    under_way = await load(make_on(own_cluster))
    try:
        async with kind(own_cluster, under_way.queue.keys.meta):
            under_way.go_on.set()
            await (under_way.settled() if kind is SlotMoved else until(lambda: under_way.met))
    except ServerError as error:
        pytest.skip(str(error))
    await under_way.settled()
    await under_way.account()


async def test_a_slot_that_moves_key_by_key_costs_no_acknowledged_job(
    own_cluster: Any, make_on: Any, load: Any
) -> None:
    """Scripts that touch what has moved fail, in Node too; all is well again when the last key has moved."""
    under_way = await load(make_on(own_cluster))
    keys = under_way.queue.keys
    async with SlotTorn(own_cluster, keys.meta) as fault:
        await fault.move(keys.meta, keys.events)
        assert await under_way.queue.get_version() == "bullmq:5.62.0"  # a single key is found where it is, by ASK
        with pytest.raises(CommandFailed):
            await under_way.queue.add("n", -1)
    await under_way.settled()
    await under_way.account()


@pytest.mark.parametrize("kind", [FailedOver, MasterLost])
async def test_over_a_failover(kind: Any, replicated: Any, make_on: Any, load: Any, prefix: str) -> None:
    """What was acknowledged has reached the replica here; replication alone does not promise it."""
    under_way = await load(make_on(replicated))
    owner = replicated.owner(under_way.queue.keys.meta)
    await replicated.client(owner).wait(1, 2000)
    async with kind(replicated, owner):
        await under_way.settled()
    await under_way.queue.get_job_counts()
    await under_way.account()
    await under_way.queue.obliterate(force=True)


@pytest.mark.parametrize("word", [b"addStandardJob", b"moveToActive", b"moveToFinished", b"BZPOPMIN"])
async def test_a_lost_reply(word: bytes, own: Any, make_on: Any, load: Any) -> None:
    """(T131) An add whose reply was lost is told to be unknown, and is not sent again."""
    async with Proxy(own.nodes[0]) as proxy:
        under_way = await load(make_on(own, port=proxy.port))
        script = word if word.isupper() else lua.load(word.decode()).sha.encode()
        async with ReplyLost(proxy, script) as fault:
            under_way.go_on.set()
            async with asyncio.timeout(20):
                await fault.happened.wait()
        await under_way.settled()
        await under_way.account()
        assert len(under_way.unknown) <= 1 + under_way.worker.concurrency
        await under_way.close()


async def test_connections_that_are_reset_again_and_again(own: Any, make_on: Any, load: Any, until: Any) -> None:
    """(T125)"""
    async with Proxy(own.nodes[0]) as proxy:
        under_way = await load(make_on(own, port=proxy.port))
        under_way.go_on.set()
        for _ in range(5):
            async with ConnectionReset(proxy):
                seen = proxy.passed
            await until(lambda: proxy.passed > seen + 3)  # noqa: B023 - awaited at once
        await under_way.settled()
        await under_way.account()
        await under_way.close()


async def test_half_open_connections_are_broken_off(own: Any, make_on: Any, load: Any, until: Any) -> None:
    async with Proxy(own.nodes[0]) as proxy:
        make = make_on(own, port=proxy.port, reply_timeout=600, connect_timeout=1000)
        under_way = await load(make, drain_delay=1)
        async with HalfOpen(proxy):
            under_way.go_on.set()
            await until(lambda: not under_way.queue.client.connected)
        await under_way.settled()
        await under_way.account()
        await under_way.close()
