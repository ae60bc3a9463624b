"""The connection: order, recovery, and what happens when it breaks (NFR-2, T007–T009, T109–T115, T123–T132)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullmq_ref import (
    BullMQError,
    CommandFailed,
    ConnectionClosed,
    ConnectionLost,
    CrossSlot,
    Invalid,
    Limits,
    OutcomeUnknown,
    Queue,
    RedisOptions,
    Worker,
)
from bullmq_ref.client import Client, packed_command
from bullmq_ref.connection import Channel
from bullmq_ref.keys import Keys
from bullmq_ref.reach import check_options


def open_queue(connection: Any, prefix: str = "bull") -> Queue[Any, Any]:
    return Queue("q", connection=connection, prefix=prefix)


async def test_a_script_flush_between_calls_is_not_noticed(private: Any) -> None:
    """(T009)"""
    async with open_queue(private.options) as queue:
        for expected in "123":
            assert (await queue.add("n", {})).id == expected
            await queue.client.command("SCRIPT", "FLUSH")
        many = await asyncio.gather(*(queue.add("n", {}) for _ in range(20)))
        assert sorted(int(job.id) for job in many) == list(range(4, 24))


async def test_the_text_of_a_script_travels_once_for_each_connection(private: Any) -> None:
    """(T008)"""
    async with open_queue(private.options) as queue:
        await asyncio.gather(*(queue.add("n", {}) for _ in range(50)))
        calls = str(await queue.client.command("INFO", "commandstats"))
        stats = {line.split(":")[0]: line for line in calls.splitlines()}
        assert stats["cmdstat_eval"].startswith("cmdstat_eval:calls=1,")
        assert stats["cmdstat_evalsha"].startswith("cmdstat_evalsha:calls=49,")


async def test_a_worker_goes_on_after_redis_was_restarted(private: Any, until: Any) -> None:
    """(T123–T126)"""
    seen: list[str] = []
    queue: Queue[Any, Any] = Queue("q", connection=private.options)
    worker: Worker[Any, Any] = Worker("q", lambda job, token: seen.append(job.id), connection=private.options)
    worker.on("error", lambda error: None)
    try:
        await queue.add("n", {})
        await until(lambda: seen == ["1"])
        await until(lambda: worker.waiting)
        await private.stop()
        await until(lambda: not queue.client.connected)
        adding = asyncio.create_task(queue.add("n", {}))
        await until(lambda: queue.client.reconnect_attempts > 0)
        await private.start()
        assert (await adding).id == "2"
        await until(lambda: seen == ["1", "2"])
    finally:
        await worker.close()
        await queue.close()


async def test_a_worker_closes_even_when_redis_is_gone_for_good(private: Any, until: Any) -> None:
    """(T132)"""
    queue, go = open_queue(private.options), asyncio.Event()

    async def hold(job: Any, token: str) -> None:
        await go.wait()

    worker: Worker[Any, Any] = Worker("q", hold, connection=private.options, limits=Limits.node())
    job = await queue.add("n", {})
    await until(lambda: job.is_active())
    await private.stop()
    go.set()
    async with asyncio.timeout(15):
        await worker.close()
    await queue.close()


@pytest.mark.parametrize("force", [True, False])
async def test_a_worker_closes_though_a_cancelled_processor_wants_to_tell_a_redis_that_is_gone(
    private: Any, until: Any, force: bool
) -> None:
    """(T132)"""
    queue, ended = open_queue(private.options), asyncio.Event()

    async def clean_up(job: Any, token: str) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.set()
            raise ValueError("cleaned up") from None

    worker: Worker[Any, Any] = Worker("q", clean_up, connection=private.options)
    job = await queue.add("n", {})
    await until(lambda: job.is_active())
    await private.stop()
    async with asyncio.timeout(20):
        await worker.close(force=force)
    assert ended.is_set()
    await queue.close()


async def test_attempts_to_connect_may_be_bounded(private: Any) -> None:
    """(T128)"""
    await private.stop()
    options = RedisOptions(nodes=private.options.nodes, max_reconnect_attempts=2)
    queue: Queue[Any, Any] = Queue("q", connection=options)
    with pytest.raises(ConnectionLost, match=r"Gave up connecting to .* after 2 attempts"):
        await queue.add("n", {})
    await queue.close()


async def test_a_closed_client_says_so(single: Any, prefix: str) -> None:
    queue: Queue[Any, Any] = Queue("q", connection=single, prefix=prefix)
    await queue.ready()
    await queue.close()
    await queue.close()
    with pytest.raises(ConnectionClosed):
        await queue.add("n", {})


class Proxy:
    """Between a client and Redis: `cut` lets a command through and breaks the connection instead of the reply."""

    def __init__(self, port: int) -> None:
        self.target, self.cut, self.port = port, False, 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        up = asyncio.create_task(self._pump(reader, up_writer, down=False))
        down = asyncio.create_task(self._pump(up_reader, writer, down=True))
        self._tasks |= {up, down}
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
        for end in (writer, up_writer):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, down: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(65536):
                if down and self.cut:
                    self.cut = False
                    return
                sink.write(chunk)


@pytest.fixture
async def proxy(single: Any) -> AsyncIterator[Proxy]:
    made = Proxy(single.nodes[0][1])
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


async def test_a_lost_reply_is_told_and_the_command_never_sent_again(proxy: Proxy, single: Any, prefix: str) -> None:
    """(T131)"""
    through: Queue[Any, Any] = Queue("q", connection={"port": proxy.port}, prefix=prefix)
    direct: Queue[Any, Any] = Queue("q", connection=single, prefix=prefix)
    try:
        await through.add("n", {})
        proxy.cut = True
        with pytest.raises(OutcomeUnknown, match="may have been carried out"):
            await through.add("n", {})
        assert (await direct.get_job_counts("waiting"))["waiting"] == 2  # it was carried out, once
        assert (await through.add("n", {})).id == "3"
    finally:
        await through.close()
        await direct.close()


async def test_cancelling_a_caller_leaves_the_others_replies_in_order(single: Any, prefix: str) -> None:
    async with open_queue(single, prefix) as queue:
        tasks = [asyncio.create_task(queue.add("n", {})) for _ in range(10)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [job.id for job in done[1::2] if not isinstance(job, BaseException)] == ["2", "4", "6", "8", "10"]


async def test_a_wrong_password_fails_at_once_and_is_not_logged(private: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with open_queue(private.options) as admin:
        await admin.client.command("CONFIG", "SET", "requirepass", "right-secret")
    caplog.set_level(logging.DEBUG)
    options = RedisOptions(nodes=private.options.nodes, password="wrong-secret")
    queue: Queue[Any, Any] = Queue("q", connection=options)
    with pytest.raises(CommandFailed, match="refused the connection"):
        await queue.add("n", {})
    await queue.close()
    assert "wrong-secret" not in caplog.text
    right = f"redis://:right-secret@127.0.0.1:{private.options.nodes[0][1]}/0"
    async with open_queue(right) as opened:
        assert (await opened.add("n", {})).id == "1"


async def test_an_error_of_redis_has_a_symbol(make: Any) -> None:
    queue = make.queue()
    await queue.client.command("SET", queue.keys.wait, "x")
    with pytest.raises(CommandFailed, match="WRONGTYPE") as raised:
        await queue.add("n", {})
    assert raised.value.symbol == "ScriptError"


async def test_in_a_cluster_keys_without_a_tag_are_refused_with_the_way_out(cluster_server: Any, prefix: str) -> None:
    """(T111–T113)"""
    nodes = tuple((node.host, node.port) for node in cluster_server.nodes)
    options, torn = RedisOptions(nodes=nodes, cluster=True), prefix.strip("{}")
    queue: Queue[Any, Any] = Queue("q", connection=options, prefix=torn, skip_metas_update=True)
    with pytest.raises(CrossSlot, match=r'Use the prefix "\{' + torn) as raised:
        await queue.add("n", {})
    assert raised.value.symbol == "CrossSlot"
    assert await queue.get_version() is None
    await queue.close()
    with pytest.raises(CrossSlot):
        Worker("q", connection=options, prefix=torn)
    tagged: Queue[Any, Any] = Queue("{q}", connection=options, prefix=torn)
    assert (await tagged.add("n", {})).id == "1"
    await tagged.obliterate()
    await tagged.close()


async def test_a_redirection_is_followed(cluster_server: Any, prefix: str) -> None:
    """(T109)"""
    keys = Keys("q", prefix)
    owner = cluster_server.owner(keys.base)
    other = next(node for node in cluster_server.nodes if node is not owner)
    client = Client(RedisOptions(nodes=((other.host, other.port),)), keys)
    try:
        assert await client.command("SET", keys.limiter, "1") == "OK"
        assert await client.transaction(["GET", keys.limiter], ["DEL", keys.limiter]) == ["1", 1]
        assert await client.script("isMaxed", [keys.meta, keys.active], []) is None
        assert client._routes.owner == (owner.host, owner.port)
    finally:
        await client.close()


async def test_a_cluster_without_a_node_that_answers_is_told(prefix: str) -> None:
    options = RedisOptions(nodes=(("127.0.0.1", 1),), cluster=True, max_reconnect_attempts=1)
    client = Client(options, Keys("q", prefix))
    with pytest.raises(ConnectionLost, match="No node of the Cluster told who owns slot"):
        await client.command("PING")
    await client.close()


@pytest.mark.parametrize(
    ("given", "nodes"),
    [
        (None, (("127.0.0.1", 6379),)),
        ("redis://h:7/2", (("h", 7),)),
        ({"host": "h"}, (("h", 6379),)),
        ({"nodes": [["a", "1"], ["b", 2]], "cluster": True}, (("a", 1), ("b", 2))),
    ],
)
def test_ways_to_say_where_redis_is(given: Any, nodes: Any) -> None:
    assert check_options(given).nodes == nodes


def test_nonsense_about_a_connection_is_refused_without_showing_a_password() -> None:
    with pytest.raises(Invalid, match="expected a URL, RedisOptions or a mapping") as raised:
        check_options({"nodes": 5, "password": "secret"})
    assert "secret" not in str(raised.value)


def test_commands_are_packed_as_redis_reads_them() -> None:
    arguments: list[str | bytes | int] = ["SET", "ké", b"\x00", 7]
    assert packed_command(arguments) == b"*4\r\n$3\r\nSET\r\n$3\r\nk\xc3\xa9\r\n$1\r\n\x00\r\n$1\r\n7\r\n"
    assert packed_command(["\ud83d", 7, b"\x00"]) == "*3\r\n$3\r\n\ufffd\r\n$1\r\n7\r\n$1\r\n\x00\r\n".encode()


async def test_a_channel_that_nobody_used_closes() -> None:
    async def connect() -> Any:
        raise BullMQError("not reached")

    channel = Channel(connect)
    await channel.close()
    with pytest.raises(ConnectionClosed):
        await channel.send(b"")


async def test_a_closed_worker_takes_no_marker_from_those_that_are_idle(
    connection: Any, prefix: str, until: Any
) -> None:
    """Redis 6.2 gives a marker to a blocked client that has just gone, unless its going was waited for."""
    async with open_queue(connection, prefix) as queue:
        for _ in range(20):
            worker: Worker[Any, Any] = Worker("q", lambda job, token: None, connection=connection, prefix=prefix)
            await until(lambda worker=worker: worker.waiting)
            await worker.close()
            await queue.add("n", {})
            assert await queue.client.command("ZCARD", queue.keys.marker) == 1
            await queue.drain()
            await queue.client.command("DEL", queue.keys.marker)
