"""A server given by URL: used with care, or refused in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from compat.servers import Node, Server, ServerError, embedded, given
from compat.servers.process import free_ports

PASSWORD = "s3cret"


@pytest.fixture
async def own() -> AsyncIterator[Server]:
    """A server of the test's own, which it may spoil."""
    async with embedded("single") as server:
        yield server


def url(server: Server, login: str = "", *, scheme: str = "redis", path: str = "") -> str:
    node = server.nodes[0]
    return f"{scheme}://{login}{'@' if login else ''}{node}{path}"


async def call(server: Server, *words: str) -> object:
    return await server.client(server.nodes[0]).execute_command(*words)


async def refusal(url: str) -> str:
    """Why a URL is refused; the password must not be told."""
    with pytest.raises(ServerError) as error:
        async with given(url):
            pass
    assert PASSWORD not in str(error.value)
    return str(error.value)


async def test_a_given_server_is_used_without_a_trace(single_server: Server, prefix: str) -> None:
    async with given(url(single_server)) as server:
        assert (server.topology, server.own, server.warnings) == ("single", False, ())
        assert server.nodes == single_server.nodes
        assert server.title == single_server.title.replace(", embedded", f" at {server.nodes[0]}")
        assert server.version == single_server.version
        assert server.address(None, None).username is None
        await server.client(server.nodes[0]).set(f"{prefix}:a", "1", ex=60)
        assert await server.delete_prefix(prefix) == 1
    assert not [key for key in await single_server.stray_keys([]) if "bullmq-compat" in key]


async def test_the_nodes_of_a_given_cluster_are_found_from_any_of_them(cluster_server: Server, prefix: str) -> None:
    """With or without saying that it is a Cluster (T109)."""
    for scheme, node in zip(("redis", "redis+cluster", "redis"), cluster_server.nodes, strict=True):
        async with given(f"{scheme}://{node}") as server:
            assert (server.topology, server.own, server.warnings) == ("cluster", False, ())
            assert server.nodes == cluster_server.nodes
            assert server.title.endswith(f" at {node}, 3 masters")
    assert not [key for key in await cluster_server.stray_keys([]) if "bullmq-compat" in key]


async def test_the_drivers_log_in_as_the_url_says(own: Server) -> None:
    await call(own, "ACL", "SETUSER", "ann", "on", f">{PASSWORD}", "~*", "&*", "+@all")
    async with given(url(own, f"ann:{PASSWORD}", path="/2")) as server:
        address = server.address(None, None)
        assert (address.username, address.password, address.db, address.tls) == ("ann", PASSWORD, 2, False)
        assert PASSWORD not in repr(server) + server.title


async def test_what_only_an_own_server_may_do_is_refused(single_server: Server) -> None:
    async with given(url(single_server)) as server:
        for refused in (server.add_user("a", "b"), server.remove_user("a"), server.stray_keys([])):
            with pytest.raises(ServerError, match="a server of the harness's own"):
                await refused


async def test_nobody_there() -> None:
    (port,) = free_ports(1)
    assert "cannot be reached" in await refusal(f"redis://:{PASSWORD}@127.0.0.1:{port}")


async def test_something_else_is_there() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as other:
        assert "a Redis that answers" in await refusal(f"redis://127.0.0.1:{other.sockets[0].getsockname()[1]}")


async def test_something_silent_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compat.servers.guest.ANSWER_SECONDS", 0.3)
    release = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as other:
        said = await refusal(f"redis://127.0.0.1:{other.sockets[0].getsockname()[1]}")
        release.set()
    assert "no answer in 0.3 s" in said


async def test_tls_where_there_is_none(single_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compat.servers.server.CONNECT_SECONDS", 0.3)
    assert "whether host, port and TLS in the URL are right" in await refusal(url(single_server, scheme="rediss"))


async def test_a_missing_password(own: Server) -> None:
    await call(own, "CONFIG", "SET", "requirepass", PASSWORD)
    try:
        assert "write it into the URL" in await refusal(url(own))
        async with given(url(own, f":{PASSWORD}")) as server:
            assert await server.client(server.nodes[0]).ping()
    finally:
        await call(own, "CONFIG", "SET", "requirepass", "")


async def test_a_wrong_password(own: Server) -> None:
    await call(own, "ACL", "SETUSER", "ann", "on", ">right", "~*", "&*", "+@all")
    assert "the right password" in await refusal(url(own, f"ann:{PASSWORD}"))


async def test_a_replica(own: Server) -> None:
    (port,) = free_ports(1)
    await call(own, "REPLICAOF", "127.0.0.1", str(port))
    assert f"give its master, 127.0.0.1:{port}" in await refusal(url(own))


async def test_a_user_who_may_not_do_enough(own: Server) -> None:
    rules = ("~*", "&*", "+@all", "-@scripting", "-client")
    await call(own, "ACL", "SETUSER", "ann", "on", f">{PASSWORD}", *rules, "+client|setname")
    said = await refusal(url(own, f"ann:{PASSWORD}"))
    assert all(command in said for command in ("SCRIPT LOAD", "EVALSHA", "CLIENT ID", "CLIENT LIST"))
    assert "TYPE" not in said
    assert "ACL SETUSER ann" in said
    assert await own.stray_keys([]) == []


async def test_a_user_who_may_not_touch_our_keys(own: Server) -> None:
    await call(own, "ACL", "SETUSER", "ann", "on", f">{PASSWORD}", "~bull:*", "&*", "+@all")
    said = await refusal(url(own, f"ann:{PASSWORD}"))
    assert "expected: scripts, keys of any name" in said


async def test_a_user_who_may_nothing(own: Server) -> None:
    await call(own, "ACL", "SETUSER", "ann", "on", f">{PASSWORD}")
    assert "a user who may PING and INFO" in await refusal(url(own, f"ann:{PASSWORD}"))


async def test_a_cluster_with_slots_that_nobody_serves() -> None:
    async with embedded("cluster") as own:
        await call(own, "CLUSTER", "DELSLOTS", "0")
        said = await refusal(url(own))
    assert "16383 slots are served" in said


async def test_a_node_that_does_not_know_yet_of_the_whole_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first node asked may be ahead of the others while a Cluster forms."""

    async def all_is_well(first: Node, access: object) -> tuple[Node, ...]:
        return (Node(first.host, first.port, ((1, 5000),)),)

    monkeypatch.setattr("compat.servers.guest._masters", all_is_well)
    async with embedded("cluster") as own:
        await call(own, "CONFIG", "SET", "cluster-require-full-coverage", "yes")
        await call(own, "CLUSTER", "DELSLOTS", "0")
        said = await refusal(url(own))
    assert "cluster is down" in said
    assert "has just formed" in said
    assert "ACL" not in said


async def test_a_single_server_that_should_be_a_cluster(single_server: Server) -> None:
    assert "write redis:// for a single server" in await refusal(url(single_server, scheme="redis+cluster"))


async def test_a_database_of_a_cluster(cluster_server: Server) -> None:
    assert "a Cluster has only 0" in await refusal(url(cluster_server, path="/3"))


async def test_a_database_that_does_not_exist(single_server: Server) -> None:
    assert "a database that exists" in await refusal(url(single_server, path="/99"))


async def test_a_server_that_may_evict_keys_is_used_with_a_warning(own: Server) -> None:
    await call(own, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    async with given(url(own)) as server:
        (warning,) = server.warnings
    assert "maxmemory-policy allkeys-lru" in warning


async def test_an_address_that_is_announced_but_not_reachable(cluster_server: Server) -> None:
    """The nodes are asked where they announce themselves, as any Cluster client would."""
    async with embedded("cluster") as own:
        await call(own, "CONFIG", "SET", "cluster-announce-ip", "127.0.0.9")
        async with asyncio.timeout(10):  # Redis 6.2 takes note of it only ten times a second
            while "127.0.0.9" not in str(await call(own, "CLUSTER", "NODES")):
                pass
        elsewhere = Node("127.0.0.9", own.nodes[0].port)
        assert f"{elsewhere} cannot be reached" in await refusal(url(own))
