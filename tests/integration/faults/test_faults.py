"""Each fault happens when it is struck, and is undone when it is mended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)

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
    ScriptsFlushedWithin,
    SlotMoved,
    SlotTorn,
    SlotUnserved,
)
from compat.faults.fault import come_true
from compat.servers import Node, Server, ServerError, given


def client(port: int) -> Redis:
    return Redis(port=port, retry=Retry(NoBackoff(), 0), socket_timeout=5, client_name="user")


@pytest.fixture
async def redis(own: Server) -> Any:
    async with client(own.nodes[0].port) as opened:
        yield opened


async def test_a_killed_node_comes_back_with_what_it_had(own: Server, redis: Redis) -> None:
    await redis.set("k", "v")
    async with Killed(own):
        with pytest.raises(ConnectionError):
            await redis.get("k")
    assert await redis.get("k") == b"v"


async def test_a_frozen_node_answers_when_it_is_thawed(own: Server, redis: Redis) -> None:
    async with Frozen(own):
        asked = asyncio.create_task(redis.ping())
        assert await asyncio.wait({asked}, timeout=0.2) == (set(), {asked})
    assert await asked


async def test_a_node_loads_until_it_is_mended(own: Server, redis: Redis) -> None:
    await redis.set("k", "v")
    async with Loading(own):
        await redis.connection_pool.disconnect()
        with pytest.raises(BusyLoadingError):
            await redis.get("k")
    assert await redis.get("k") == b"v"
    assert await redis.dbsize() == 1


async def test_connections_are_killed_but_the_harnesss_own(own: Server, redis: Redis) -> None:
    await redis.ping()
    fault = ConnectionsKilled(own)
    async with fault:
        assert fault.killed == 1
        with pytest.raises(ConnectionError):
            await redis.ping()
    assert await own.client(own.nodes[0]).ping()
    async with ConnectionsKilled(own, user="somebody-else") as spared:
        assert spared.killed == 0


async def test_only_connections_that_wait_are_killed_or_only_the_others(own: Server, redis: Redis) -> None:
    waiting = asyncio.create_task(redis.blpop(["nothing"], timeout=0))
    async with client(own.nodes[0].port) as other:
        await other.ping()

        async def waits() -> bool:
            return any(c["cmd"] == "blpop" for c in await own.client(own.nodes[0]).client_list())

        await come_true(waits, "that one waits")
        async with ConnectionsKilled(own, blocked=False) as idle:
            assert idle.killed == 1
            with pytest.raises(ConnectionError):
                await other.ping()
        assert not waiting.done()
        async with ConnectionsKilled(own, blocked=True) as blocked:
            assert blocked.killed == 1
            with pytest.raises(ConnectionError):
                await waiting


async def test_users_outlive_a_restart(own: Server) -> None:
    await own.add_user("lasting", "its password")
    async with Killed(own):
        pass
    async with Redis(port=own.nodes[0].port, username="lasting", password="its password") as opened:
        assert await opened.ping()


async def test_a_replica_knows_the_users_of_its_master(replicated: Server) -> None:
    await replicated.add_user("everywhere", "its password")
    async with FailedOver(replicated):
        port = replicated.nodes[0].port
        async with Redis(port=port, username="everywhere", password="its password") as opened:
            assert await opened.ping()
    await replicated.remove_user("everywhere")


async def test_scripts_are_forgotten(own: Server, redis: Redis) -> None:
    sha = await redis.script_load("return 1")
    async with ScriptsFlushed(own):
        with pytest.raises(NoScriptError):
            await redis.evalsha(sha, 0)


async def test_what_has_a_time_to_live_is_evicted(own: Server, redis: Redis) -> None:
    await redis.set("k", "v")
    await redis.set("lock", "v", px=60_000)
    async with LocksEvicted(own):
        assert await redis.mget("k", "lock") == [b"v", None]
        assert await redis.set("still", "writable")
    settings = await redis.config_get("maxmemory*")
    assert (settings["maxmemory"], settings["maxmemory-policy"]) == ("0", "noeviction")


async def test_memory_is_full(own: Server, redis: Redis) -> None:
    async with MemoryFull(own):
        with pytest.raises(OutOfMemoryError):
            await redis.set("k", "v")
    assert await redis.set("k", "v")


async def test_writes_are_refused(own: Server, redis: Redis) -> None:
    async with ReadOnly(own):
        with pytest.raises(ReadOnlyError):
            await redis.set("k", "v")
    assert await redis.set("k", "v")


async def test_a_slot_is_served_by_nobody(own_cluster: Server) -> None:
    async with client(own_cluster.owner("k").port) as redis:
        async with SlotUnserved(own_cluster, "k"):
            with pytest.raises(ClusterDownError):
                await redis.set("k", "v")
        assert await redis.set("k", "v")


async def test_a_slot_is_torn_and_then_the_others(own_cluster: Server) -> None:
    async with client(own_cluster.owner("{t}a").port) as redis:
        await redis.mset({"{t}a": "1", "{t}b": "2"})
        async with SlotTorn(own_cluster, "{t}a") as fault:
            await fault.move("{t}a")
            assert await fault.keys() == ["{t}b"]
            with pytest.raises(AskError):
                await redis.get("{t}a")
            with pytest.raises(TryAgainError):
                await redis.mget("{t}a", "{t}b")
        with pytest.raises(MovedError) as moved:
            await redis.get("{t}b")
        assert moved.value.port == fault.other.port == own_cluster.owner("{t}a").port


class ClaimedBack(SlotTorn):
    """The old owner, of a higher epoch than the new one knew of, claims the slot just when that has got it."""

    def __init__(self, server: Server, key: str) -> None:
        super().__init__(server, key)
        self.claims = 0

    async def call(self, *words: str | int, node: Node | None = None) -> Any:
        answer = await super().call(*words, node=node)
        if words[1] == "SETSLOT" and words[3] == "NODE" and node == self.other and not self.claims:
            self.claims += 1
            await super().call("CLUSTER", "SETSLOT", self.slot, "NODE", await self.id_of(self.node), node=self.other)
        return answer


async def test_a_slot_that_its_old_owner_claims_back_is_given_again(own_cluster: Server) -> None:
    async with ClaimedBack(own_cluster, "{u}a") as fault:
        pass
    assert fault.claims == 1
    assert own_cluster.owner("{u}a").port == fault.other.port
    async with client(fault.other.port) as redis:
        assert await redis.set("{u}a", "1")


async def test_a_slot_moves_at_once_and_back(own_cluster: Server) -> None:
    async with client(own_cluster.owner("k").port) as redis:
        await redis.set("k", "v")
        try:
            async with SlotMoved(own_cluster, "k"):
                with pytest.raises(MovedError):
                    await redis.get("k")
        except ServerError as error:
            pytest.skip(str(error))
        assert await redis.get("k") == b"v"


async def test_a_replica_takes_over_and_hands_back(replicated: Server) -> None:
    master = replicated.nodes[0]
    async with FailedOver(replicated):
        assert replicated.nodes[0].port != master.port
        assert replicated.nodes[0].slots == master.slots
    assert replicated.nodes[0] == master


async def test_a_lost_masters_replica_is_elected(replicated: Server) -> None:
    master = replicated.nodes[1]
    async with MasterLost(replicated, master):
        heir = replicated.owner_of(master.slots[0][0])
        assert heir.port != master.port
    assert replicated.owner_of(master.slots[0][0]) == master


async def test_a_reply_is_lost_after_its_command_was_carried_out(own: Server, redis: Redis) -> None:
    async with Proxy(own.nodes[0]) as proxy, client(proxy.port) as through:
        await through.set("n", "1")
        async with ReplyLost(proxy, b"INCR") as fault:
            with pytest.raises(ConnectionError):
                await through.incr("n")
            assert fault.happened.is_set()
        assert await redis.get("n") == b"2"
        async with ReplyLost(proxy, b"INCR", carried_out=False):
            with pytest.raises(ConnectionError):
                await through.incr("n")
        assert await redis.get("n") == b"2"
        assert await through.incr("n") == 3


async def test_scripts_are_forgotten_between_two_commands_of_one_pipeline(own: Server, redis: Redis) -> None:
    """(T009)"""
    sha = await redis.script_load("return redis.call('INCR', KEYS[1])")
    async with (
        Proxy(own.nodes[0]) as proxy,
        client(proxy.port) as through,
        ScriptsFlushedWithin(own, proxy, before=3) as fault,
    ):
        pipeline = through.pipeline(transaction=False)
        for _ in range(4):
            pipeline.evalsha(sha, 1, "n").get("n")
        answers = await pipeline.execute(raise_on_error=False)
        assert fault.happened.is_set()
    assert [type(answer) for answer in answers] == [int, bytes, int, bytes, NoScriptError, bytes, NoScriptError, bytes]
    assert await redis.get("n") == b"2"


async def test_scripts_are_forgotten_while_a_transaction_is_queued(own: Server, redis: Redis) -> None:
    """(T009)"""
    sha = await redis.script_load("return redis.call('INCR', KEYS[1])")
    async with (
        Proxy(own.nodes[0]) as proxy,
        client(proxy.port) as through,
        ScriptsFlushedWithin(own, proxy, before=2),
    ):
        pipeline = through.pipeline(transaction=True)
        pipeline.evalsha(sha, 1, "n").evalsha(sha, 1, "n")
        answers = await pipeline.execute(raise_on_error=False)
    assert [type(answer) for answer in answers] == [NoScriptError, NoScriptError]


async def test_two_faults_lie_in_wait_at_once(own: Server, redis: Redis) -> None:
    sha = await redis.script_load("return redis.call('INCR', KEYS[1])")
    async with (
        Proxy(own.nodes[0]) as proxy,
        client(proxy.port) as through,
        ReplyLost(proxy, b"evalsha") as lost,
        ScriptsFlushedWithin(own, proxy, before=2) as flushed,
    ):
        with pytest.raises(ConnectionError):
            await through.evalsha(sha, 1, "n")
        assert lost.happened.is_set() and not flushed.happened.is_set()
        with pytest.raises(NoScriptError):
            await through.evalsha(sha, 1, "n")
        assert flushed.happened.is_set()
    assert await redis.get("n") == b"1"


async def test_no_client_of_a_cluster_finds_a_way_round_the_proxy(own_cluster: Server) -> None:
    names = [f"k{number}" for number in range(30)]
    async with Proxy(*own_cluster.nodes) as proxy, RedisCluster(host=proxy.host, port=proxy.port) as through:
        for name in names:
            assert await through.set(name, "v")
        assert {node.port for node in through.get_nodes()} == set(proxy.doors.values())
        assert {link.node.port for link in proxy.links} == {node.port for node in own_cluster.nodes}
        async with client(proxy.port) as asks:
            for shown in (await asks.execute_command("CLUSTER", "SHARDS"), await asks.execute_command("CLUSTER NODES")):
                assert not any(str(node.port) in str(shown).replace(f"@{node.port}", "") for node in own_cluster.nodes)


async def test_a_redirection_is_not_the_reply_that_is_lost(own_cluster: Server) -> None:
    owner = own_cluster.owner("k")
    other = next(node for node in own_cluster.nodes if node != owner)
    async with (
        Proxy(*own_cluster.nodes) as proxy,
        client(proxy.doors[other.port]) as astray,
        client(proxy.doors[owner.port]) as right,
        ReplyLost(proxy, b"incr") as fault,
    ):
        with pytest.raises(MovedError) as moved:
            await astray.incr("k")
        assert moved.value.port == proxy.doors[owner.port]
        assert not fault.happened.is_set()
        with pytest.raises(ConnectionError):
            await right.incr("k")
        assert fault.happened.is_set()
    async with client(owner.port) as direct:
        assert await direct.get("k") == b"1"


async def test_connections_are_reset(own: Server) -> None:
    async with Proxy(own.nodes[0]) as proxy, client(proxy.port) as through:
        await through.ping()
        blocked = asyncio.create_task(through.blpop(["nothing"], timeout=0))

        async def blocks() -> bool:
            return any(c["cmd"] == "blpop" for c in await own.client(own.nodes[0]).client_list())

        await come_true(blocks, "that the client blocks")
        async with ConnectionReset(proxy):
            with pytest.raises(ConnectionError):
                await blocked
        assert await through.ping()


async def test_a_half_open_connection_carries_nothing_until_it_is_mended(own: Server) -> None:
    async with Proxy(own.nodes[0]) as proxy, client(proxy.port) as through:
        await through.ping()
        async with HalfOpen(proxy):
            asked = asyncio.create_task(through.set("k", "v"))
            assert await asyncio.wait({asked}, timeout=0.2) == (set(), {asked})
            assert not await own.client(own.nodes[0]).exists("k")
        assert await asked


async def test_what_waits_goes_silent_and_the_rest_and_what_comes_anew_carries_on(own: Server) -> None:
    async with Proxy(own.nodes[0]) as proxy, client(proxy.port) as waits, client(proxy.port) as works:
        await works.ping()
        waiting = asyncio.create_task(waits.blpop(["list"], timeout=0))

        async def blocked() -> int:
            return sum(c["cmd"] == "blpop" for c in await own.client(own.nodes[0]).client_list())

        await come_true(blocked, "that one waits")
        async with HalfOpen(proxy, blocked=True, anew=True):
            assert await works.ping()
            waiting.cancel()  # its end does not come through: Redis serves the dead
            await asyncio.gather(waiting, return_exceptions=True)
            await waits.aclose()
            async with client(proxy.port) as anew:
                await anew.rpush("list", "v")
                assert await anew.llen("list") == 0
        await come_true(lambda: _none(blocked), "that the end has come through")


async def _none(number: Any) -> bool:
    return not await number()


async def test_a_given_server_suffers_no_fault(own: Server) -> None:
    async with given(f"redis://127.0.0.1:{own.nodes[0].port}") as server:
        with pytest.raises(ServerError, match="only there the fault scripts-flushed is done"):
            ScriptsFlushed(server)
        with pytest.raises(ServerError, match="only there nodes are killed"):
            _ = server.power


async def test_a_fault_that_failed_halfway_is_mended(own: Server, redis: Redis) -> None:
    class Half(ReadOnly):
        async def _strike(self) -> None:
            await super()._strike()
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        async with Half(own):
            raise AssertionError("not reached")
    assert await redis.set("k", "v")


async def test_a_port_that_still_runs_is_not_started_again(own: Server) -> None:
    with pytest.raises(ServerError, match="still runs"):
        own.power.restart(own.nodes[0].port)


async def test_a_single_server_has_no_slots_and_no_replica(own: Server, own_cluster: Server) -> None:
    with pytest.raises(ServerError, match="has no slots"):
        SlotUnserved(own, "k")
    with pytest.raises(ServerError, match="has no replica"):
        await FailedOver(own_cluster, Node("127.0.0.1", 1)).strike()
