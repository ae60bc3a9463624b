"""What can be seen of workers and queues: logs, metrics, secrets that are not seen (NFR-3)."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from bullmq_ref import RedisOptions, clock
from bullmq_ref.monitor import Monitor, watch_lengths
from bullmq_ref.prometheus import PrometheusMonitor


async def run(make: Any, until: Any, **options: Any) -> Any:
    """Three jobs: one completes, one fails, one fails once and completes then."""
    queue, worker = make.queue(), make.worker(work, **options)
    await queue.add_bulk([{"name": "well"}, {"name": "ill"}, {"name": "again", "opts": {"attempts": 2}}])
    await until(lambda: counts(queue, completed=2, failed=1))
    await worker.close()
    return worker


async def work(job: Any, token: str) -> None:
    if job.name == "ill" or (job.name == "again" and job.attempts_started == 1):
        raise ValueError("no luck")


async def counts(queue: Any, **wanted: int) -> bool:
    return bool(await queue.get_job_counts(*wanted) == wanted)


# --- logs ------------------------------------------------------------------------------------------------------------


async def test_every_record_of_a_worker_names_it_and_its_queue(
    make: Any, until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """(T133, T134, T022)"""
    caplog.set_level(logging.DEBUG, "bullmq_ref")
    worker = await run(make, until)
    records = [record for record in caplog.records if record.name == "bullmq_ref" and hasattr(record, "worker_id")]
    assert {record.worker_id for record in records} == {worker.label}  # type: ignore[attr-defined]
    assert {record.queue for record in records} == {"q"}  # type: ignore[attr-defined]
    told = [(record.levelname, record.getMessage()) for record in records]
    assert ("DEBUG", "job 1 started (attempt 1)") in told
    assert ("WARNING", "job 2 failed (attempt 1, the last): no luck") in told
    assert ("WARNING", "job 3 failed (attempt 1, to be tried again): no luck") in told
    assert told[-2:] == [("INFO", "worker closing"), ("INFO", "worker closed")]


async def test_a_logger_of_ones_own_takes_all_records_and_keeps_its_fields(
    make: Any, until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """(T135)"""
    mine = logging.LoggerAdapter(logging.getLogger("mine"), {"service": "mail"})
    caplog.set_level(logging.DEBUG)
    worker = await run(make, until, logger=mine)
    told = [record for record in caplog.records if getattr(record, "worker_id", None) == worker.label]
    assert {(record.name, record.service) for record in told} == {("mine", "mail")}  # type: ignore[attr-defined]


def test_the_log_is_silent_unless_configured() -> None:
    """(T136)"""
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("bullmq_ref").handlers)


async def test_a_lost_connection_is_logged_with_the_workers_name(
    private: Any, until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """(T127, T131)"""
    from bullmq_ref import Worker

    registry = CollectorRegistry()
    worker: Worker[Any, Any] = Worker("q", connection=private.options, monitor=PrometheusMonitor(registry))
    await worker.ready()
    assert registry.get_sample_value("bullmq_redis_connection_status") == 1
    await private.stop()
    await until(lambda: registry.get_sample_value("bullmq_redis_connection_status") == 0)
    waiting = asyncio.create_task(worker.client.command("PING"))
    await until(lambda: registry.get_sample_value("bullmq_redis_reconnect_attempts_total"))
    await private.start()
    await waiting
    await worker.blocking.command("PING")
    await until(lambda: registry.get_sample_value("bullmq_redis_connection_status") == 1)
    lost = [record for record in caplog.records if record.getMessage().startswith("lost the connection to 127.0.0.1")]
    assert {record.worker_id for record in lost} == {worker.label}  # type: ignore[attr-defined]
    await worker.close()
    assert registry.get_sample_value("bullmq_redis_connection_status") == 1


# --- metrics ---------------------------------------------------------------------------------------------------------


async def test_prometheus_sees_what_a_worker_does(make: Any, until: Any) -> None:
    """(T137, T138, T139, T140, T142)"""
    registry = CollectorRegistry()
    monitor = PrometheusMonitor(registry)
    seen = registry.get_sample_value
    alive = make.worker(monitor=monitor)
    assert seen("bullmq_active_workers", {"queue": "q", "worker_id": alive.label}) == 1
    worker = await run(make, until, monitor=monitor)
    for status, number in (("completed", 2), ("failed", 1), ("retried", 1)):
        assert seen("bullmq_jobs_processed_total", {"queue": "q", "status": status}) == number
    assert seen("bullmq_job_duration_seconds_count", {"queue": "q"}) == 4
    assert seen("bullmq_active_workers", {"queue": "q", "worker_id": worker.label}) is None
    watching = asyncio.create_task(watch_lengths(make.queue(), monitor, interval=0.01))
    await until(lambda: seen("bullmq_queue_length", {"queue": "q", "state": "completed"}) == 2)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_durations_are_seconds(make: Any, until: Any) -> None:
    """(T138)"""

    class Durations(Monitor):
        told: tuple[str, str, float] = ("", "", 0)

        def attempt_ended(self, queue: str, status: str, seconds: float) -> None:
            self.told = (queue, status, seconds)

    durations, queue = Durations(), make.queue()

    async def long(job: Any, token: str) -> None:
        await until(lambda: clock.now() - job.processed_on >= 60)

    make.worker(long, monitor=durations)
    await queue.add("n", {})
    await until(lambda: durations.told[0])
    assert durations.told[:2] == ("q", "completed")
    assert 0.06 <= durations.told[2] < 10


async def test_prometheus_counts_stalled_jobs_skipped_sweeps_and_renewals(make: Any, until: Any) -> None:
    """(T072, T141, T143)"""
    registry, queue, go = CollectorRegistry(), make.queue(), asyncio.Event()
    seen = registry.get_sample_value

    async def hold(job: Any, token: str) -> None:
        await go.wait()

    worker = make.worker(hold, monitor=PrometheusMonitor(registry), lock_duration=400, skip_stalled_check=True)
    await asyncio.gather(worker.sweep(), worker.sweep(), worker.sweep())
    assert worker.skipped_sweeps == 2
    assert seen("bullmq_stalled_checker_skipped_total") == 2
    job = await queue.add("n", {})
    await until(lambda: seen("bullmq_heartbeat_success_total"))
    assert seen("bullmq_heartbeat_failure_total") == 0
    await queue.client.command("SET", queue.keys.job(job.id, "lock"), "another")
    await until(lambda: seen("bullmq_heartbeat_failure_total"))
    for _ in range(2):
        await queue.client.command("DEL", queue.keys.job(job.id, "lock"), queue.keys.stalled_check)
        await worker.sweep()
    assert seen("bullmq_stalled_jobs_total") == 1
    go.set()


def test_the_metrics_have_the_names_that_were_promised() -> None:
    """(T144)"""
    registry = CollectorRegistry()
    PrometheusMonitor(registry)
    names = {metric.name + ("_total" if metric.type == "counter" else "") for metric in registry.collect()}
    assert names == {
        "bullmq_jobs_processed_total",
        "bullmq_job_duration_seconds",
        "bullmq_queue_length",
        "bullmq_stalled_jobs_total",
        "bullmq_stalled_checker_skipped_total",
        "bullmq_heartbeat_success_total",
        "bullmq_heartbeat_failure_total",
        "bullmq_active_workers",
        "bullmq_redis_reconnect_attempts_total",
        "bullmq_redis_connection_status",
    }


async def test_without_a_monitor_nothing_is_called(make: Any) -> None:
    """(T144)"""
    worker = make.worker()
    assert worker.client._turned is None
    assert "locks_renewed" not in worker._listeners


# --- secrets ---------------------------------------------------------------------------------------------------------


async def test_no_password_is_seen_anywhere(
    single: RedisOptions, prefix: str, until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """(T136)"""
    from bullmq_ref import BullMQError, Queue, Worker

    caplog.set_level(logging.DEBUG)
    host, port = single.nodes[0]
    options = RedisOptions(nodes=single.nodes, password="s3cret")
    url = f"redis://:s3cret@{host}:{port}"
    seen = [repr(options), repr(RedisOptions.of(url)), repr(RedisOptions(extra={"ssl_password": "s3cret"}))]
    for connection in (options, url):
        queue: Queue[Any, Any] = Queue("q", connection=connection, prefix=prefix)
        worker: Worker[Any, Any] = Worker("q", connection=connection, prefix=prefix)
        with pytest.raises(BullMQError) as refused:
            await queue.ready()
        seen += [str(refused.value), repr(refused.value), repr(queue), repr(worker), repr(worker.client)]
        await worker.close()
        await queue.close()
    assert "refused the connection" in seen[3]
    assert not [text for text in (*seen, caplog.text) if "s3cret" in text]
