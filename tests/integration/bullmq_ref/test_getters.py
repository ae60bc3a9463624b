"""What a queue is asked, and what Node answers to the same (FR-8, T101, T102)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullmq_ref import BullMQError
from bullmq_ref.errors import CommandFailed


async def test_counts_by_state_are_told_one_by_one(make: Any) -> None:
    queue, worker = make.queue(), make.worker()
    await queue.add("a", {})
    held = await worker.get_next_job("t", block=False)
    await queue.add("p", {}, priority=1)
    await queue.add("d", {}, delay=60_000)
    for name in "wv":
        await queue.add(name, {})
    assert await queue.get_active_count() == 1
    assert await queue.get_prioritized_count() == 1
    assert await queue.get_delayed_count() == 1
    assert await queue.get_waiting_count() == 2
    await held.move_to_completed(1, "t", False)
    assert (await queue.get_completed_count(), await queue.get_failed_count()) == (1, 0)
    assert await queue.get_waiting_children_count() == 0
    assert await queue.get_job_count_by_types("waiting", "delayed") == 3
    assert await queue.get_job_count_by_types() == 5
    await queue.pause()
    assert await queue.get_waiting_count() == 2


async def test_workers_and_readers_are_found_by_the_names_of_their_connections(make: Any, until: Any) -> None:
    queue = make.queue("mäil")
    other = make.worker(queue="other")
    named, plain, events = make.worker(queue="mäil", name="w1"), make.worker(queue="mäil"), make.events("mäil")
    for made in (named, plain, other, events):
        await made.ready()
    workers = await queue.get_workers()
    assert sorted(worker["rawname"] for worker in workers) == [
        f"{make.prefix}:bcOkaWw=",
        f"{make.prefix}:bcOkaWw=:w:w1",
    ]
    assert {worker["name"] for worker in workers} == {"mäil"}
    assert {"addr", "age", "cmd", "id"} <= workers[0].keys()
    assert await queue.get_workers_count() == 2
    assert [reader["rawname"] for reader in await queue.get_queue_events()] == [f"{make.prefix}:bcOkaWw=:qe"]


async def test_node_finds_our_workers_and_readers_and_we_its(make_single: Any, node: Any) -> None:
    """Divergence 63: a port whose connections have other names is invisible to dashboards."""
    worker, events, queue = make_single.worker(name="w1"), make_single.events(), make_single.queue()
    await worker.ready()
    await events.ready()
    theirs = await node(
        """
        const opts = {prefix: given.prefix, connection: {port: given.port}};
        const queue = new Queue('q', opts);
        const fields = (list) => list.map(({rawname, name}) => [rawname, name]);
        answer = [fields(await queue.getWorkers()), fields(await queue.getQueueEvents())];
        """,
        prefix=make_single.prefix,
        port=make_single.connection.nodes[0][1],
    )
    ours = [[[c["rawname"], c["name"]] for c in found] for found in await _clients(queue)]
    assert theirs == ours == [[[f"{make_single.prefix}:cQ==:w:w1", "q"]], [[f"{make_single.prefix}:cQ==:qe", "q"]]]


async def _clients(queue: Any) -> list[Any]:
    return [await queue.get_workers(), await queue.get_queue_events()]


async def test_prometheus_text_is_nodes(make_single: Any, node: Any) -> None:
    queue = make_single.queue()
    await queue.add("n", {})
    labels = {"env": "test", "zone": "1"}
    theirs = await node(
        """
        const queue = new Queue('q', {prefix: given.prefix, connection: {port: given.port}});
        answer = [await queue.exportPrometheusMetrics(), await queue.exportPrometheusMetrics(given.labels)];
        """,
        prefix=make_single.prefix,
        port=make_single.connection.nodes[0][1],
        labels=labels,
    )
    ours = [await queue.export_prometheus_metrics(), await queue.export_prometheus_metrics(labels)]
    assert ours == theirs
    assert 'bullmq_job_count{queue="q", state="waiting", env="test", zone="1"} 1' in ours[1].splitlines()


async def test_the_older_names_of_deduplication_still_work(make: Any) -> None:
    queue = make.queue()
    job = await queue.add("n", {}, debounce={"id": "d", "ttl": 60_000})
    assert (await queue.get_job(job.id)).debounce_id == job.debounce_id == "d"
    assert await queue.get_debounce_job_id("d") == job.id
    assert await queue.remove_debounce_key("d") == 1
    assert await queue.get_debounce_job_id("d") is None


async def test_the_key_of_old_priorities_is_removed(make: Any) -> None:
    queue = make.queue()
    await queue.client.command("SET", queue.keys.state("priority"), "1")
    assert [await queue.remove_deprecated_priority_key() for _ in range(2)] == [1, 0]


async def test_a_queue_tells_what_it_was_made_with(make: Any) -> None:
    queue = make.queue(default_job_options={"attempts": 3}, max_len_events=7)
    assert queue.default_job_options == {"attempts": 3}
    assert queue.meta_values == {"opts.maxLenEvents": 7, "version": "bullmq:5.62.0"}
    job = await queue.add("n", {})
    assert job.queue_qualified_name == f"{make.prefix}:q"


async def test_a_discarded_job_is_not_tried_again(make: Any, until: Any) -> None:
    queue = make.queue()

    def give_up(job: Any, token: str) -> None:
        job.discard()
        raise ValueError("no use")

    make.worker(give_up)
    job = await queue.add("n", {}, attempts=3)
    await until(job.is_failed)
    assert (await queue.get_job(job.id)).attempts_made == 1


async def test_who_waits_for_a_job_of_a_worker_that_closes_is_told(make: Any, until: Any) -> None:
    queue, worker, events = make.queue(), make.worker(), make.events()
    await queue.add("n", {})
    job = await worker.get_next_job("t", block=False)
    before = worker._listeners["closing"]
    waiting = asyncio.create_task(job.wait_until_finished(events))
    await until(lambda: worker._listeners["closing"] != before)
    await worker.close()
    with pytest.raises(BullMQError, match=r"^closing queue$"):
        await waiting
    assert worker._listeners["closing"] == before


async def test_what_telemetry_leaves_with_a_job_is_stored_short(make: Any) -> None:
    queue = make.queue()
    job = await queue.add("n", {}, telemetry={"metadata": "trace", "omitContext": True})
    stored = await queue.client.command("HGET", queue.keys.job(job.id), "opts")
    assert '"tm":"trace"' in stored
    assert '"omc":true' in stored
    assert (await queue.get_job(job.id)).options["telemetry"] == {"metadata": "trace", "omitContext": True}


async def test_an_error_within_a_transaction_is_raised(make: Any) -> None:
    queue = make.queue()
    job = await queue.add("n", {})
    for part in ("logs", "processed"):
        await queue.client.command("SET", queue.keys.job(job.id, part), "neither a list nor a hash")
    with pytest.raises(CommandFailed, match="WRONGTYPE"):
        await queue.get_job_logs(job.id)
    with pytest.raises(CommandFailed, match="WRONGTYPE"):
        await job.get_dependencies()
