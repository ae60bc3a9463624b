"""Ways in: TLS, sockets, databases, users; what is wrong with one is told, and no password with it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ResponseError

from bullmq_ref import CommandFailed, Invalid, Queue, RedisOptions
from bullmq_ref.reach import Server, check_options
from compat.servers import find_binary
from compat.servers.own import start


async def run(*words: str | Path) -> int:
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


@pytest.fixture
async def certified(tmp_path: Path) -> AsyncIterator[Any]:
    """The URL of a Redis with TLS, and its certificate. Skips where no server binary has TLS."""
    binary = shutil.which("redis-server")
    if binary is None or shutil.which("openssl") is None:
        pytest.skip("TLS needs redis-server and openssl on PATH: the embedded server is built without it")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
    names = ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    assert await run("openssl", *request, *names, "-keyout", key, "-out", certificate) == 0
    running = start("single", Path(binary))
    port = running.nodes[0].port
    try:
        async with running.server() as server:
            redis = server.client(server.nodes[0])
            try:
                await redis.config_set("tls-cert-file", str(certificate), "tls-key-file", str(key))
                await redis.config_set("tls-auth-clients", "no", "tls-port", str(port + 1))
            except ResponseError as error:
                pytest.skip(f"redis-server cannot do TLS: {error}")
        yield port + 1, certificate
    finally:
        running.stop()


async def test_tls_with_a_certificate_that_is_trusted_and_with_one_that_is_not(certified: Any) -> None:
    port, certificate = certified
    async with Queue[Any, Any]("q", connection=f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}") as queue:
        assert (await queue.add("n", {})).id == "1"
    options = RedisOptions(nodes=(("localhost", port),), tls=True, max_reconnect_attempts=1)
    distrustful: Queue[Any, Any] = Queue("q", connection=options)
    with pytest.raises(ConnectionError, match="certificate verify failed"):
        await distrustful.add("n", {})
    await distrustful.close()


async def test_a_unix_socket_and_a_database(tmp_path: Path) -> None:
    socket = tmp_path / "s"
    process = await asyncio.create_subprocess_exec(
        *(find_binary().path, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", tmp_path),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with Queue[Any, Any]("q", connection=f"unix://{socket}?db=3") as queue:
            await queue.add("n", {})
            assert "db3" in str(await queue.client.command("INFO", "keyspace"))
    finally:
        process.kill()
        await process.wait()


async def test_a_user_without_permission_is_told_which(own: Any, caplog: pytest.LogCaptureFixture) -> None:
    redis = own.client(own.nodes[0])
    rules = ("on", ">s3cret-word", "~bull:*", "+@all", "-client|setname", "-info", "-xtrim")
    await redis.execute_command("ACL", "SETUSER", "narrow", *rules)
    caplog.set_level(logging.DEBUG)
    url = f"redis://narrow:s3cret-word@127.0.0.1:{own.nodes[0].port}"
    async with Queue[Any, Any]("q", connection=url) as queue:
        assert (await queue.add("n", {})).id == "1"  # the name and INFO can be done without
        with pytest.raises(CommandFailed, match="no permissions to run the 'xtrim' command") as raised:
            await queue.trim_events(1)
        assert not raised.value.transient
        assert "s3cret" not in repr(queue.client.options) + str(raised.value)
    other: Queue[Any, Any] = Queue("q", connection=url, prefix="beside")
    with pytest.raises(CommandFailed, match=r"[Nn]o permissions"):
        await other.add("n", {})
    await other.close()
    assert "s3cret" not in caplog.text


async def test_a_refused_login_is_not_tried_again_in_a_storm(own: Any) -> None:
    options = RedisOptions(nodes=((own.nodes[0].host, own.nodes[0].port),), username="nobody", password="wrong")
    queue: Queue[Any, Any] = Queue("q", connection=options, skip_metas_update=True)
    loop = asyncio.get_running_loop()
    before = loop.time()
    for _ in range(4):
        with pytest.raises(CommandFailed, match="refused the connection"):
            await queue.client.command("PING")
    assert loop.time() - before > 0.5  # 0.1 + 0.2 + 0.4, each 20 % less at most
    await queue.close()


async def test_an_eviction_policy_is_warned_of_in_nodes_words(own: Any, caplog: pytest.LogCaptureFixture) -> None:
    """(T151)"""
    await own.client(own.nodes[0]).config_set("maxmemory-policy", "volatile-lru")
    port = own.nodes[0].port
    async with Queue[Any, Any]("q", connection={"port": port}) as queue:
        await queue.add("n", {})
    assert caplog.messages == ['IMPORTANT! Eviction policy is volatile-lru. It should be "noeviction"']
    caplog.clear()
    async with Queue[Any, Any]("q", connection={"port": port, "skip_version_check": True}) as queue:
        await queue.add("n", {})
    assert not caplog.messages


def test_an_old_redis_is_refused_or_warned_of_in_nodes_words() -> None:
    with pytest.raises(CommandFailed, match=r"needs to be greater or equal than 5.0.0 Current: 4.0.9"):
        Server.of("redis_version:4.0.9\r\n").check()
    old = Server.of("# Server\r\nredis_version:6.0.16\r\nloading:0\r\n")
    old.check()
    assert old.warnings() == ["It is highly recommended to use a minimum Redis version of 6.2.0 Current: 6.0.16"]
    assert Server.of("redis_version:7.0.15\r\nloading:1\r\n").loading
    assert not Server.of("").warnings()


def test_a_url_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(Invalid) as raised:
        check_options("redis://user:pa/ss@host")
    assert "pa/" not in str(raised.value)
    assert "got str" in str(raised.value)
    assert raised.value.__cause__ is None
