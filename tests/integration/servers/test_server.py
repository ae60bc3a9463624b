"""A server as the harness uses it, single and Cluster."""

from __future__ import annotations

import pytest
import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from compat.servers import Node, Server
from compat.servers.forming import cluster_info


async def login(server: Server, node: Node, user: str, password: str) -> redis.Redis:
    return redis.Redis(host=node.host, port=node.port, username=user, password=password, retry=Retry(NoBackoff(), 0))


async def test_a_key_is_served_by_its_owner(server: Server, prefix: str) -> None:
    for i in range(20):
        key = f"{prefix}{i}{{{i}}}"
        await server.client(server.owner(key)).set(key, "1", ex=60)  # a wrong owner would answer MOVED


async def test_every_tag_puts_its_keys_on_one_node(cluster_server: Server) -> None:
    """Keys of a queue share a slot when the prefix or the name carries a hash tag (T016)."""
    tagged = [f"{{p{i}}}" for i in range(50)]
    assert all(cluster_server.owner(f"{tag}:q:1") == cluster_server.owner(f"{tag}:other") for tag in tagged)
    assert {cluster_server.owner(f"{tag}:q:1") for tag in tagged} == set(cluster_server.nodes)


async def test_answers_are_bytes(server: Server, prefix: str) -> None:
    key = f"{prefix}:a"
    client = server.client(server.owner(key))
    await client.set(key, "ä", ex=60)
    assert await client.get(key) == "ä".encode()


async def test_the_client_of_a_node_is_made_once(server: Server) -> None:
    assert all(server.client(node) is server.client(node) for node in server.nodes)


async def test_the_cluster_has_three_masters_that_share_all_slots(cluster_server: Server) -> None:
    """Cluster is a real one of three masters (T109)."""
    assert len(cluster_server.nodes) == 3
    assert sum(last - first + 1 for node in cluster_server.nodes for first, last in node.slots) == 16384
    for node in cluster_server.nodes:
        info = cluster_info(await cluster_server.client(node).execute_command("CLUSTER", "INFO"))
        seen = [info[f"cluster_{name}"] for name in ("state", "slots_ok", "known_nodes", "size")]
        assert seen == ["ok", "16384", "3", "3"]


async def test_a_cluster_client_finds_all_nodes_from_any_first_address(cluster_server: Server, prefix: str) -> None:
    for node in cluster_server.nodes:
        address = cluster_server.address(None, None, first=node)
        assert address.nodes[0] == (node.host, node.port)
        assert sorted(address.nodes) == sorted((n.host, n.port) for n in cluster_server.nodes)
        async with redis.RedisCluster(host=node.host, port=node.port) as client:
            for i in range(10):
                assert await client.set(f"{prefix}{i}{{{i}}}", "1", ex=60)


async def test_a_user_works_with_keys_and_connections_on_every_node(server: Server, prefix: str) -> None:
    await server.add_user("driver", "its password")
    try:
        address = server.address("driver", "its password")
        assert (address.username, address.password) == ("driver", "its password")
        key = f"{prefix}:a"
        owner = server.owner(key)
        async with await login(server, owner, "driver", "its password") as client:
            script = "redis.call('XADD', KEYS[1], '*', 'f', 'v') return redis.call('XLEN', KEYS[1])"
            assert await client.eval(script, 1, key) == 1
            assert await client.unlink(key) == 1
        for node in server.nodes:
            async with await login(server, node, "driver", "its password") as client:
                assert await client.client_setname("w")
                assert any(c["user"] == "driver" for c in await client.client_list())
                assert await client.info("server")
    finally:
        await server.remove_user("driver")


@pytest.mark.parametrize(
    "command",
    ["FLUSHALL", "FLUSHDB", "SHUTDOWN", "CONFIG GET *", "DEBUG SLEEP 0", "ACL LIST", "REPLICAOF NO ONE", "SWAPDB 0 1"],
)
async def test_a_user_cannot_reach_beyond_keys(server: Server, command: str) -> None:
    user = f"u{command.split()[0].lower()}"
    await server.add_user(user, "p")
    try:
        for node in server.nodes:
            async with await login(server, node, user, "p") as client:
                with pytest.raises((NoPermissionError, ResponseError), match=r"(?i)no permissions|NOPERM"):
                    await client.execute_command(*command.split())
    finally:
        await server.remove_user(user)


async def test_a_removed_user_is_gone(server: Server) -> None:
    await server.add_user("late", "p")
    await server.remove_user("late")
    for node in server.nodes:
        async with await login(server, node, "late", "p") as client:
            with pytest.raises((AuthenticationError, ResponseError)):
                await client.ping()


async def test_keys_under_a_prefix_are_deleted_and_no_others(server: Server, prefix: str) -> None:
    mine = [f"{prefix}*:{{{i}}}" for i in range(1500)]
    others = [f"{prefix}x:1", f"{prefix}*", f"{prefix}*x:1"]
    for key in mine + others:
        await server.client(server.owner(key)).set(key, "1", ex=60)
    assert await server.delete_prefix(f"{prefix}*") == len(mine)
    assert [await server.client(server.owner(key)).exists(key) for key in others] == [1, 1, 1]
    assert await server.delete_prefix(f"{prefix}*") == 0


async def test_an_empty_prefix_is_refused(server: Server) -> None:
    with pytest.raises(ValueError, match="keys of others"):
        await server.delete_prefix("")


async def test_keys_outside_the_known_prefixes_are_strays(server: Server, prefix: str) -> None:
    keys = [f"{prefix}:a", f"{prefix}b:a", f"stray{prefix}", f"{prefix}"]
    for key in keys:
        await server.client(server.owner(key)).set(key, "1", ex=60)
    strays = [key for key in await server.stray_keys([prefix]) if prefix in key]
    assert strays == sorted(keys[1:])


async def test_a_stray_key_that_is_not_text_survives_decoding(single_server: Server, prefix: str) -> None:
    key = prefix.encode() + b"\xff"
    await single_server.client(single_server.nodes[0]).set(key, "1", ex=60)
    (stray,) = [key for key in await single_server.stray_keys([]) if prefix in key]
    assert stray.encode("utf-8", "surrogateescape") == key


async def test_a_user_with_a_prefix_is_refused_all_other_keys_and_they_are_told(server: Server, prefix: str) -> None:
    """Nothing is written outside the prefix without being seen, also by scripts."""
    user, mine, others = f"u{prefix.strip('{}')}", f"{prefix}:a", f"{prefix}b:a"
    await server.add_user(user, "p", prefix)
    async with await login(server, server.owner(mine), user, "p") as client:
        assert await client.set(mine, "1", ex=60)
        for write in (client.set(others, "1"), client.eval(f"redis.call('SET', '{prefix}c:b', '1')", 1, mine)):
            with pytest.raises(ResponseError):
                await write
    assert await server.remove_user(user) == (others, f"{prefix}c:b")
