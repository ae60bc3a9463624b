"""Metrics for a Prometheus server. Needs the extra `prometheus`."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from bullmq_ref.connection import Turn
from bullmq_ref.monitor import Monitor, Status

#: Upper bounds in s: jobs take from milliseconds to minutes.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class PrometheusMonitor(Monitor):
    """Counts into `registry`. Make one a process, and give it to all its workers and queues.

        monitor = PrometheusMonitor()
        worker = Worker("mail", send, monitor=monitor)

    `bullmq_redis_connection_status` is 1 while none of the connections is away, else 0. `bullmq_queue_length` is
    written by `bullmq_ref.monitor.watch_lengths`.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._processed = Counter(
            "bullmq_jobs_processed_total", "Attempts that ended", ["queue", "status"], registry=registry
        )
        self._duration = Histogram(
            "bullmq_job_duration_seconds", "How long attempts took", ["queue"], buckets=BUCKETS, registry=registry
        )
        self._length = Gauge("bullmq_queue_length", "Jobs in a state", ["queue", "state"], registry=registry)
        self._stalled = Counter("bullmq_stalled_jobs_total", "Jobs that sweeps put back", registry=registry)
        self._skipped = Counter("bullmq_stalled_checker_skipped_total", "Sweeps that overlapped", registry=registry)
        self._renewed = Counter("bullmq_heartbeat_success_total", "Locks renewed", registry=registry)
        self._unrenewed = Counter("bullmq_heartbeat_failure_total", "Locks not renewed", registry=registry)
        self._workers = Gauge("bullmq_active_workers", "Workers alive", ["queue", "worker_id"], registry=registry)
        self._attempts = Counter(
            "bullmq_redis_reconnect_attempts_total", "Attempts to connect again", registry=registry
        )
        self._status = Gauge(
            "bullmq_redis_connection_status", "1 while no connection is away, else 0", registry=registry
        )
        self._away: set[int] = set()
        self._status.set(1)

    def worker_started(self, queue: str, worker_id: str) -> None:
        self._workers.labels(queue, worker_id).set(1)

    def worker_stopped(self, queue: str, worker_id: str) -> None:
        self._workers.remove(queue, worker_id)

    def attempt_ended(self, queue: str, status: Status, seconds: float) -> None:
        self._processed.labels(queue, status).inc()
        self._duration.labels(queue).observe(seconds)

    def job_stalled(self, queue: str) -> None:
        self._stalled.inc()

    def sweep_skipped(self, queue: str) -> None:
        self._skipped.inc()

    def locks_renewed(self, queue: str, count: int) -> None:
        self._renewed.inc(count)

    def lock_renewal_failed(self, queue: str) -> None:
        self._unrenewed.inc()

    def connection_turned(self, connection: int, turn: Turn) -> None:
        if turn == "reconnecting":
            self._attempts.inc()
        elif turn == "lost":
            self._away.add(connection)
        else:
            self._away.discard(connection)
        self._status.set(not self._away)

    def queue_length(self, queue: str, state: str, jobs: int) -> None:
        self._length.labels(queue, state).set(jobs)
