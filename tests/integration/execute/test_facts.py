"""Facts that `until` waits for, on a real server."""

from __future__ import annotations

from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from compat.execute.facts import seen
from compat.model.steps import Until
from compat.servers import embedded


async def lacks(client: Redis, errors: dict[str, int]) -> list[str]:
    return await seen(Until(errors=errors), client, "b:mail", {}, [], lambda gate: 0, [client])


async def test_errors_of_scripts_are_counted_apart_from_those_of_other_commands() -> None:
    """A worker that waits is refused as well as one that ends its job, and only the latter by a script (T124)."""
    async with embedded("single") as server:
        node = server.nodes[0]
        client = server.client(node)
        await client.execute_command("REPLICAOF", node.host, "1")
        for words in (
            ("BZPOPMIN", "b:mail:marker", "0.1"),
            ("EVALSHA", "0" * 40, "0"),  # NOSCRIPT: it is sent again, and nothing has gone wrong
            ("EVAL", "return redis.call('SET', KEYS[1], 'x')", "1", "b:mail:key"),
        ):
            with suppress(RedisError):
                await client.execute_command(*words)
        assert await lacks(client, {"READONLY": 2, "script": 1}) == []
        assert await lacks(client, {"script": 2}) == ["2 × an error script from Redis (there are 1)"]
