"""Adding jobs: what is stored, in which order, and what is refused (FR-7, T026–T038)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullmq_ref import BullMQError, Invalid, Limits

OPTIONS: list[dict[str, Any]] = [
    {},
    {"attempts": 3, "backoff": 1000, "lifo": True},
    {"delay": 60_000, "timestamp": 1_700_000_000_000},
    {"priority": 5, "keepLogs": 3, "removeOnComplete": True, "removeOnFail": {"age": 5, "count": 2}},
    {"jobId": "mine", "deduplication": {"id": "d", "ttl": 60_000}, "url": "a/b", "list": [], "nothing": None},
    {"failParentOnFailure": True, "stackTraceLimit": 2, "sizeLimit": 1000, "backoff": {"type": "odd", "jitter": 0.5}},
]


async def test_two_thousand_adds_at_once_keep_the_order_in_which_they_were_given(make: Any) -> None:
    queue = make.queue()
    jobs = await asyncio.gather(*(queue.add("n", {"i": i}) for i in range(2000)))
    assert [job.id for job in jobs] == [str(i + 1) for i in range(2000)]
    waiting = await queue.get_waiting(0, 9)
    assert [job.data["i"] for job in waiting] == list(range(10))


async def test_what_is_stored_equals_what_node_stores(make_single: Any, node: Any) -> None:
    """(T026–T030)"""
    ours, theirs = make_single.queue("ours"), make_single.queue("theirs")
    data = {"text": "é\u2028\U0001f600", "n": [1.5, 1e21, -0.0, 1.0], "10": 1, "2": {"deep": None}}
    jobs = [{"name": f"n{i}", "data": data, "opts": opts} for i, opts in enumerate(OPTIONS)]
    await node(
        """
        const q = new Queue('theirs', {prefix: given.prefix, connection: {port: given.port}});
        for (const {name, data, opts} of given.jobs) await q.add(name, data, opts);
        """,
        prefix=make_single.prefix,
        port=make_single.connection.nodes[0][1],
        jobs=jobs,
    )
    for job in jobs:
        await ours.add(job["name"], job["data"], job["opts"])
    for job_id in ["1", "2", "3", "4", "mine", "6"]:
        mine, node_s = [await _hash(q, job_id) for q in (ours, theirs)]
        assert mine.pop("timestamp").isdigit()
        assert node_s.pop("timestamp").isdigit()
        assert mine == node_s, job_id
    for key in ("meta", "id"):
        kind = "HGETALL" if key == "meta" else "GET"
        mine, node_s = [await q.client.command(kind, q.keys.state(key)) for q in (ours, theirs)]
        assert mine == node_s


async def _hash(queue: Any, job_id: str) -> dict[str, str]:
    flat = await queue.client.command("HGETALL", queue.keys.job(job_id))
    return dict(zip(flat[::2], flat[1::2], strict=True))


async def test_routing_goes_by_delay_then_priority(make: Any) -> None:
    """(T033)"""
    queue = make.queue()
    jobs = [
        await queue.add("n", {}),
        await queue.add("n", {}, priority=3),
        await queue.add("n", {}, delay=60_000, priority=3),
    ]
    assert [await job.get_state() for job in jobs] == ["waiting", "prioritized", "delayed"]
    assert await queue.get_counts_per_priority([0, 3, 4]) == {"0": 1, "3": 1, "4": 0}
    assert await queue.count() == 3


async def test_bulk_is_checked_as_a_whole_and_keeps_its_order(make: Any) -> None:
    queue = make.queue(default_job_options={"attempts": 4})
    with pytest.raises(Invalid, match="Custom Id cannot be integers"):
        await queue.add_bulk([{"name": "a"}, {"name": "b", "opts": {"jobId": "7"}}])
    assert await queue.client.command("EXISTS", queue.keys.id) == 0
    queue = make.queue(default_job_options={"attempts": 4, "jobId": "mine", "telemetry": {"metadata": "mine"}})
    jobs = await queue.add_bulk([{"name": str(i), "opts": {"priority": i}} for i in range(3)])
    assert "telemetry" not in jobs[0].options  # as in Node: neither this nor the id is a default of bulks
    assert [job.id for job in jobs] == ["1", "2", "3"]
    assert [job.options["attempts"] for job in jobs] == [4, 4, 4]


async def test_a_missing_parent_is_told(make: Any) -> None:
    queue = make.queue()
    parent = {"id": "none", "queue": queue.keys.qualified}
    with pytest.raises(BullMQError, match=r"^Missing key for parent job .*:q:none\. addJob") as raised:
        await queue.add("n", {}, parent=parent)
    assert raised.value.symbol == "ParentJobNotExist"
    (job,) = await queue.add_bulk([{"name": "n", "opts": {"parent": parent}}])
    assert job.id == "-5"


@pytest.mark.parametrize(
    ("options", "symbol"),
    [
        ({"jobId": "0"}, "JobIdZero"),
        ({"jobId": "0:1:2"}, "JobIdZero"),
        ({"jobId": 0}, "JobIdZero"),
        ({"repeat": {}}, "CronInvalid"),
    ],
)
async def test_what_node_refuses_to_add_is_refused(make: Any, options: dict[str, Any], symbol: str) -> None:
    queue = make.queue()
    with pytest.raises(Invalid) as raised:
        await queue.add("n", {}, options)
    assert raised.value.symbol == symbol
    assert await queue.get_job_count_by_types() == 0


async def test_the_limits_hold_before_redis_is_touched(make: Any) -> None:
    """(T031, T032)"""
    queue = make.queue(limits=Limits(), skip_metas_update=True)
    for data, options in (("x" * 11 * 2**20, {}), ({}, {"delay": -5}), ({}, {"attempts": -1})):
        with pytest.raises(Invalid):
            await queue.add("n", data, options)
    assert not queue.client.connected


async def test_meta_is_written_at_once_with_nodes_version(make: Any) -> None:
    queue = make.queue(max_len_events=5)
    await queue.ready()
    assert await queue.client.command("HGETALL", queue.keys.meta) == [
        "opts.maxLenEvents",
        "5",
        "version",
        "bullmq:5.62.0",
    ]
    assert await queue.get_version() == "bullmq:5.62.0"


async def test_deduplication_answers_with_the_job_that_holds_the_id(make: Any) -> None:
    queue = make.queue()
    first = await queue.add("n", {}, deduplication={"id": "d"})
    second = await queue.add("n", {}, deduplication={"id": "d"})
    assert second.id == first.id == await queue.get_deduplication_job_id("d")
    assert await queue.remove_deduplication_key("d") == 1
    assert await queue.remove_deduplication_key("d") == 0
