"""The names and call shapes of PyPI's `bullmq` (2.17 and 3.4) over this library: change the import, keep the code.

    from bullmq_ref.dropin import Queue, Worker     # was: from bullmq import Queue, Worker

What is stored is what Node stores, so where PyPI's package differs from Node, this one does not. Times are ms. Left out
are the internals that the package happens to show (its scripts, backends, lock manager, and the worker's own steps).
"""

from bullmq_ref.dropin.abort import AbortController, AbortError, AbortSignal
from bullmq_ref.dropin.events import QueueEvents, QueueEventsProducer
from bullmq_ref.dropin.flow import FlowProducer
from bullmq_ref.dropin.job import Job
from bullmq_ref.dropin.queue import Queue
from bullmq_ref.dropin.scheduler import JobScheduler
from bullmq_ref.dropin.worker import Worker
from bullmq_ref.errors import DelayedError, UnrecoverableError, WaitingChildrenError

__all__ = [
    "AbortController",
    "AbortError",
    "AbortSignal",
    "DelayedError",
    "FlowProducer",
    "Job",
    "JobScheduler",
    "Queue",
    "QueueEvents",
    "QueueEventsProducer",
    "UnrecoverableError",
    "WaitingChildrenError",
    "Worker",
]
