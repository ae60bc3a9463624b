"""The log: records of the standard `logging`, each with the queue and the worker that it is about."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bullmq_ref.worker import Worker

logger = logging.getLogger("bullmq_ref")
logger.addHandler(logging.NullHandler())  # silent unless configured

#: What a user may give instead of the logger `bullmq_ref`.
Logger = logging.Logger | logging.LoggerAdapter[Any]


class Log(logging.LoggerAdapter[logging.Logger]):
    """Adds fields to every record: `queue`, and in a worker `worker_id` (`{hostname}-{pid}-{6 hex}`). The fields of an
    adapter that a user gave are kept."""

    def __init__(self, given: Logger | None, **fields: str) -> None:
        kept: Mapping[str, object] = {}
        while isinstance(given, logging.LoggerAdapter):
            kept, given = {**(given.extra or {}), **kept}, given.logger
        super().__init__(given or logger, {**kept, **fields})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


def tell(worker: Worker[Any, Any]) -> None:
    """Log the life of `worker`: its own at INFO, its jobs' at DEBUG, what went wrong at WARNING. No data of a job and
    no result ever stands in a record."""
    log = worker.log

    def failed(job: Any, error: BaseException, _: str) -> None:
        tried = f"attempt {job.attempts_made}, " + ("the last" if job.finished_on else "to be tried again")
        log.warning("job %s failed (%s): %s", job.id, tried, error)

    def active(job: Any, _: str) -> None:
        if log.logger.isEnabledFor(logging.DEBUG):
            log.debug("job %s started (attempt %d)", job.id, job.attempts_started)

    def completed(job: Any, *_: Any) -> None:
        if log.logger.isEnabledFor(logging.DEBUG):
            log.debug("job %s completed in %d ms", job.id, (job.finished_on or 0) - (job.processed_on or 0))

    worker.on("active", active)
    worker.on("completed", completed)
    worker.on("failed", failed)
    worker.on("stalled", lambda job_id, _: log.warning("job %s had stalled, and was put back", job_id))
    worker.on("lock_renewal_failed", lambda job_id, error: log.warning("job %s: %s", job_id, error))
    for event in ("paused", "resumed", "closing", "closed"):
        worker.on(event, lambda *_, event=event: log.info("worker %s", event))
