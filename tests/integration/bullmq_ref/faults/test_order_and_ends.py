"""Order is kept through breaks and back-pressure; who gave up sends nothing; every connection comes to an end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullmq_ref import ConnectionLost, Limits, OutcomeUnknown, Queue, RedisOptions, Worker, clock
from bullmq_ref.client import Client
from bullmq_ref.keys import Keys
from compat.faults import ConnectionReset, Frozen, HalfOpen, Killed, Proxy, ReplyLost, ScriptsFlushed


def at(server: Any) -> RedisOptions:
    return RedisOptions(nodes=((server.nodes[0].host, server.nodes[0].port),))


async def test_two_thousand_adds_keep_their_order_through_a_break_or_raise(own: Any, until: Any) -> None:
    """(T125)"""
    async with Proxy(own.nodes[0]) as proxy:
        queue: Queue[Any, Any] = Queue("q", connection={"port": proxy.port})
        await queue.ready()
        passed = proxy.passed
        adding = asyncio.gather(*(queue.add("n", number) for number in range(2000)), return_exceptions=True)
        await until(lambda: proxy.passed > passed + 200)
        async with ConnectionReset(proxy):
            pass
        replies = await adding
        ids = [int(reply.id) for reply in replies if not isinstance(reply, BaseException)]
        assert ids == sorted(set(ids))
        assert {type(reply) for reply in replies if isinstance(reply, BaseException)} <= {OutcomeUnknown}
        stored = await queue.get_jobs("waiting", ascending=True)
        assert [job.data for job in stored] == sorted({job.data for job in stored})  # in order, none twice
        assert {number for number, reply in enumerate(replies) if not isinstance(reply, BaseException)} <= {
            job.data for job in stored
        }
        await queue.close()


async def test_scripts_that_are_flushed_inside_a_pipeline_are_sent_again(own: Any) -> None:
    """(T009)"""
    async with Queue[Any, Any]("q", connection=at(own)) as queue:
        await queue.add("n", -1)
        adding = asyncio.gather(*(queue.add("n", number) for number in range(500)))
        async with ScriptsFlushed(own):
            jobs = await adding
        assert sorted(int(job.id) for job in jobs) == list(range(2, 502))


async def test_what_redis_does_not_read_yet_waits_with_us_in_order(own: Any, until: Any) -> None:
    async with Queue[Any, Any]("q", connection=at(own)) as queue:
        await queue.ready()
        text = "x" * 100_000
        async with Frozen(own):
            adding = asyncio.gather(*(queue.add("n", [number, text]) for number in range(200)))
            channel = queue.client._routes.home
            await until(lambda: channel._clogged)
            assert channel._replies.transport.get_write_buffer_size() < 400_000
            assert len(channel._unsent) > 50
        assert [int(job.id) for job in await adding] == list(range(1, 201))
        assert (await queue.get_job("200")).data[0] == 199


async def test_a_caller_that_gave_up_before_its_command_was_sent_has_sent_none(own: Any, until: Any) -> None:
    async with Queue[Any, Any]("q", connection=at(own)) as queue:
        await queue.add("n", 1)
        async with Killed(own):
            await until(lambda: not queue.client.connected)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(queue.add("n", 2), 0.05)
            waiting = asyncio.create_task(queue.add("n", 3))
            await asyncio.sleep(0)
        assert (await waiting).id == "2"
        assert [job.data for job in await queue.get_jobs("waiting", ascending=True)] == [1, 3]


async def test_a_transaction_is_torn_by_no_break(own: Any) -> None:
    async with Proxy(own.nodes[0]) as proxy:
        client = Client(RedisOptions(nodes=(("127.0.0.1", proxy.port),)), Keys("q"))
        assert await client.command("SET", "k", "1") == "OK"
        async with ReplyLost(proxy, b"MULTI"):
            with pytest.raises(OutcomeUnknown):
                await client.transaction(["INCR", "k"], ["INCR", "k"])
        assert await client.transaction(["GET", "k"], ["DEL", "k"]) == ["3", 1]
        await client.close()


async def test_an_end_that_accepts_and_says_nothing_is_given_up_in_time(own: Any) -> None:
    async with Proxy(own.nodes[0]) as proxy:
        options = RedisOptions(nodes=(("127.0.0.1", proxy.port),), connect_timeout=200, max_reconnect_attempts=2)
        client = Client(options, Keys("q"))
        async with HalfOpen(proxy):
            with pytest.raises(ConnectionLost, match="after 2 attempts: no answer within 200 ms"):
                await client.command("PING")
        assert await client.command("PING") == "PONG"
        await client.close()


async def test_close_returns_though_redis_stands_still(own: Any, until: Any) -> None:
    """(T132)"""
    queue: Queue[Any, Any] = Queue("q", connection=at(own))
    seen: list[Any] = []
    limits = Limits(close=2000)  # ms: a command that was under way when Redis stood still has no other bound so short
    worker: Worker[Any, Any] = Worker("q", lambda job, token: seen.append(job.id), connection=at(own), limits=limits)
    await queue.add("n", {})
    await until(lambda: seen and worker.waiting)
    async with Frozen(own), asyncio.timeout(20):
        adding = asyncio.create_task(queue.add("n", {}))
        await asyncio.sleep(0)
        await worker.close()
        await queue.close()
        with pytest.raises(ConnectionLost):
            await adding


async def test_a_clock_that_is_set_back_stops_no_renewal(own: Any, until: Any) -> None:
    go = asyncio.Event()

    async def hold(job: Any, token: str) -> None:
        await go.wait()

    queue: Queue[Any, Any] = Queue("q", connection=at(own))
    worker: Worker[Any, Any] = Worker("q", hold, connection=at(own), lock_duration=2000, lock_renew_time=200)
    try:
        job = await queue.add("n", {})
        await until(lambda: job.is_active())
        clock.use(lambda: clock.system() - 3_600_000)
        before = worker.locks.renewed
        await until(lambda: worker.locks.renewed > before + 1)
    finally:
        clock.use()
        go.set()
        await worker.close()
        await queue.close()


async def test_an_error_that_stays_is_told_about_once_a_second_not_in_a_storm(own: Any, until: Any) -> None:
    queue: Queue[Any, Any] = Queue("q", connection=at(own))
    await queue.client.command("SET", queue.keys.wait, "not a list")
    errors: list[Exception] = []
    worker: Worker[Any, Any] = Worker("q", lambda job, token: None, connection=at(own))
    worker.on("error", errors.append)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await until(lambda: len(errors) >= 2)
    assert loop.time() - begun > 0.8
    await worker.close()
    await queue.close()
